// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import AuditTrail
package import Essentials
internal import Synchronization

/// The audit trail in PostgreSQL: the canonical lines of every replica's entries, which outlive a replica's disk. Rows are added, and the
/// database itself refuses the server any other change.
package struct PostgreSQLAuditIndex: AuditIndexing {
    /// The most rows of one statement.
    private static let rowsOfOneStatement = 1000
    private let database: PostgreSQLDatabase
    private let examinedRows: Int
    private let turns: QueryTurns

    /// - Parameter examinedRows: how many rows one query may look at. How long it may take is the database's statement time.
    package init(_ database: PostgreSQLDatabase, examinedRows: Int = 1_000_000) {
        self.database = database
        self.examinedRows = examinedRows
        turns = QueryTurns(count: max(1, database.settings.poolSize / 2))
    }

    package var keepsEntries: Bool { true }

    package func lastSequence(writer: String) async throws -> Int64 {
        try await database.query(.none, "SELECT last_audit_sequence($1)", [.text(writer)])[0].integer(0)
    }

    package func add(_ rows: [AuditRow]) async throws {
        guard !rows.isEmpty else { return }
        // All of them are there at the same moment, so that what is held of a writer has no gaps, whatever the order of tenants.
        let tenants = Dictionary(grouping: rows) { Self.owner($0) }
        try await database.transaction(.none) { transaction in
            let write = PostgreSQLWrite(transaction)
            for (tenant, rows) in tenants {
                for start in stride(from: 0, to: rows.count, by: Self.rowsOfOneStatement) {
                    let end = min(start + Self.rowsOfOneStatement, rows.count)
                    try Self.insert(Array(rows[start..<end]), of: tenant, write)
                }
            }
        }
    }

    /// Among whose rows an entry is kept. An entry must be kept whatever it says: what cannot be a tenant is the installation's own.
    private static func owner(_ row: AuditRow) -> String? {
        guard let tenant = row.tenant else { return nil }
        // The reason does not matter here.
        return (try? TenantScope.tenant(tenant).tenantID()) ?? nil
    }

    private static func insert(_ rows: [AuditRow], of owner: String?, _ write: PostgreSQLWrite) throws {
        let tenant = try write.enter(owner)
        func texts(_ value: (AuditRow) -> String?) -> PostgreSQLValue { .texts(rows.map { value($0)?.withoutNUL }) }
        try write.execute(
            """
            INSERT INTO audit_entries (tenant_id, writer, sequence, at, id, actor, action, resource, outcome, session_id,
                ip, line)
            SELECT $1, n.* FROM unnest($2::text[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[],
                $8::text[], $9::text[], $10::text[], $11::text[], $12::text[]) AS n
            ON CONFLICT (writer, sequence) DO NOTHING
            """,
            [
                tenant, texts(\.writer), .integers(rows.map(\.sequence)), .integers(rows.map(\.at.microseconds)),
                texts(\.id), texts(\.actor), texts(\.action), texts(\.resource), texts(\.outcome.rawValue),
                texts(\.sessionID), texts(\.ip),
                // A canonical line holds no NUL: it is escaped there.
                .texts(rows.map { String(decoding: $0.line, as: UTF8.self) }),
            ])
    }

    /// The rows stay, under the writer's name, a tilde and a number: nobody deletes what was written down.
    package func removeAll(writer: String) async throws {
        try await database.execute(
            .none, "SELECT set_audit_series_aside($1)", [.text(writer)])
    }

    package func rows(_ request: AuditIndexRequest) async throws(Refusal) -> [AuditRow] {
        guard request.limit > 0 else { return [] }
        let examined = Int64(examinedRows)
        let found: [PostgreSQLRow]
        do {
            found = try await read(PostgreSQLAuditPlan(request, examinedRows: examined))
        } catch let error as PostgreSQLError where error.code == .timeout && error.sqlState != nil {
            throw Self.tooWide
        } catch {
            throw Refusal(.auditUnavailable, message: "The audit index cannot be read")
        }
        var entries: [AuditRow] = []
        do {
            for row in found {
                guard try row.integer(2) <= examined else { throw Self.tooWide }
                let (line, writer) = (try row.text(0), try row.text(1))
                if let entry = AuditRow(line: Array(line.utf8), writer: writer) { entries.append(entry) }
            }
        } catch let refusal as Refusal {
            throw refusal
        } catch {
            throw Refusal(.auditUnavailable, message: "The audit index cannot be read")
        }
        return entries
    }

    private func read(_ plan: PostgreSQLAuditPlan) async throws -> [PostgreSQLRow] {
        try await turns.withTurn {
            try await database.transaction(plan.scope, isReadOnly: true) { transaction in
                try transaction.query(plan.sql, plan.parameters)
            }
        }
    }

    private static let tooWide = Refusal(
        .auditQueryTooWide,
        details: ["hint": "Narrow the query by from and to, or by actor, resource or session_id"])

    /// The 32 bytes that sign cursors, made by whichever replica is first.
    package func cursorKey(random: any RandomSource) async throws -> Redacted<[UInt8]> {
        let fresh = random.bytes(32)
        let key = try await database.transaction(.platform) { transaction in
            try transaction.run([
                PostgreSQLStatement(
                    """
                    INSERT INTO shared_keys (tenant_id, name, secret) VALUES ($1, 'audit cursor', $2)
                    ON CONFLICT (tenant_id, name) DO NOTHING
                    """, [.text(TenantScope.platformTenant), .bytes(fresh)]),
                PostgreSQLStatement(
                    "SELECT secret FROM shared_keys WHERE tenant_id = $1 AND name = 'audit cursor'",
                    [.text(TenantScope.platformTenant)]),
            ])[1].rows[0].bytes(0)
        }
        return Redacted(key)
    }
}

extension String {
    /// The server's texts hold no NUL: what filters look at has U+FFFD in its place.
    var withoutNUL: String {
        guard utf8.contains(0) else { return self }
        return String(String.UnicodeScalarView(unicodeScalars.map { $0.value == 0 ? "\u{FFFD}" : $0 }))
    }
}

/// Lets no more than some queries run at once: they may take seconds, and what follows the changes of others needs a connection meanwhile.
private final class QueryTurns: Sendable {
    private let locks: [SerialLock]
    private let next = Atomic<Int>(0)

    init(count: Int) { locks = (0..<count).map { _ in SerialLock() } }

    func withTurn<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        let turn = next.wrappingAdd(1, ordering: .relaxed).oldValue
        return try await locks[abs(turn % locks.count)].withLock { try await body() }
    }
}
