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
    /// The most rows that are read at once where each is looked into.
    private static let rowsOfOnePart = 2000
    let database: PostgreSQLDatabase
    private let examinedRows: Int
    private let turns: QueryTurns
    private let added = AdditionObserver()

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
        let listener = added.listener.withLock(\.self)
        for writer in Set(rows.map(\.writer)) { listener?.hear(writer) }
    }

    /// Has the body told after each addition whose series has grown.
    package func observeAdditions(_ body: @escaping @Sendable (_ writer: String) -> Void) {
        added.listener.withLock { $0 = AdditionObserver.Listener(hear: body) }
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
        let end = ContinuousClock.now.advanced(by: AuditLog.longestQuery)
        var part = request
        // What only the rows' content tells is tested here, some rows at a time.
        if request.looksIntoRows { part.limit = Self.rowsOfOnePart }
        var examined = Int64(examinedRows)
        var found: [AuditRow] = []
        while true {
            let (rows, isCut) = try await read(part, examined: &examined)
            for row in rows where found.count < request.limit {
                if let entry = request.row(line: Array(row.line.utf8), writer: row.writer) { found.append(entry) }
            }
            guard found.count < request.limit else { return found }
            guard !isCut else { throw AuditLog.tooWide }
            guard request.looksIntoRows, rows.count == part.limit else { return found }
            guard ContinuousClock.now < end else { throw AuditLog.tooWide }
            guard let last = rows.last, let entry = AuditRow(line: Array(last.line.utf8), writer: last.writer) else {
                throw Refusal(.auditUnavailable, message: "The audit index cannot be read")
            }
            part.after = AuditIndexRequest.Position(at: entry.at, id: entry.id)
        }
    }

    /// The next rows that fit what the database looks up.
    ///
    /// - Parameter examined: how many rows may still be looked at.
    /// - Returns: the rows, and whether there would be more but for that.
    private func read(
        _ request: AuditIndexRequest, examined: inout Int64
    ) async throws(Refusal) -> (rows: [(line: String, writer: String)], isCut: Bool) {
        do {
            let rows = try await read(PostgreSQLAuditPlan(request, examinedRows: examined))
            let bound = examined
            let within = try rows.filter { try $0.integer(2) <= bound }
            examined -= try within.last?.integer(2) ?? 0
            return (try within.map { (line: try $0.text(0), writer: try $0.text(1)) }, within.count < rows.count)
        } catch let error as PostgreSQLError where error.code == .timeout && error.sqlState != nil {
            throw AuditLog.tooWide
        } catch {
            throw Refusal(.auditUnavailable, message: "The audit index cannot be read")
        }
    }

    private func read(_ plan: PostgreSQLAuditPlan) async throws -> [PostgreSQLRow] {
        try await turns.withTurn {
            try await database.transaction(plan.scope, isReadOnly: true) { transaction in
                try transaction.query(plan.sql, plan.parameters)
            }
        }
    }

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

/// Whoever wants to hear of additions.
private final class AdditionObserver: Sendable {
    /// A mutex holds values of every type alike: a function of its own would be wrapped once more at each access, without end.
    struct Listener: Sendable {
        let hear: @Sendable (String) -> Void
    }

    let listener = Mutex<Listener?>(nil)
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
