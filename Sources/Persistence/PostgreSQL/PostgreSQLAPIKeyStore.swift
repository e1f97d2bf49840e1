// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authentication
internal import Essentials

/// API keys, the roles of their owners and what was done with them, in PostgreSQL.
package struct PostgreSQLAPIKeyStore: APIKeyStore {
    /// How many counters one call removes at most.
    private static let forgottenAtOnce: Int64 = 10_000
    private let database: PostgreSQLDatabase
    private let committer: PostgreSQLCommitter
    private let unreadable: @Sendable (any Error) -> Void

    /// Keeps them in that database.
    ///
    /// - Parameter unreadable: told of each row that is left out where many are asked for.
    package init(_ database: PostgreSQLDatabase, unreadable: @escaping @Sendable (any Error) -> Void = { _ in }) {
        self.database = database
        committer = PostgreSQLCommitter(database)
        self.unreadable = unreadable
    }

    // MARK: - Reading

    package func load() async throws(APIKeyStoreError) -> (records: [APIKeyRecord], owners: [APIKeyOwner]) {
        try await mapped {
            try await database.transaction(.none, isReadOnly: true) { transaction in
                let results = try transaction.run([
                    PostgreSQLStatement("\(Self.columns) all_api_keys()"),
                    PostgreSQLStatement("\(Self.ownerColumns) all_owner_roles()"),
                ])
                let owners = results[1].rows.readable(Self.owner, unreadable)
                // A key without the roles that its owner was given would have those that nobody stated.
                let isWhole = owners.count == results[1].rows.count
                let known = isWhole ? [] : Set(try results[1].rows.compactMap(Self.identity))
                let read = Set(owners.map(\.identity))
                let records = results[0].rows.readable(Self.record, unreadable).filter { record in
                    isWhole || !known.contains(record.owner) || read.contains(record.owner)
                }
                return (records, owners)
            }
        }
    }

    package func records(_ selection: CredentialSelection) async throws(APIKeyStoreError) -> [APIKeyRecord] {
        try await mapped {
            let rows: [PostgreSQLRow]
            switch selection {
            case .all:
                return try await database.query(.none, "\(Self.columns) all_api_keys()")
                    .readable(Self.record, unreadable)
            case .identifiers(let ids):
                guard !ids.isEmpty else { return [] }
                rows = try await database.query(.none, "\(Self.columns) api_keys_by_id($1)", [.texts(ids)])
            case .family(let family):
                return try await database.query(.none, "\(Self.columns) api_keys_of_family($1)", [.text(family)])
                    .readable(Self.record, unreadable)
            }
            return try rows.map(Self.record)
        }
    }

    package func owners(_ identities: [APIKeyOwner.Identity]) async throws(APIKeyStoreError) -> [APIKeyOwner] {
        guard !identities.isEmpty else { return [] }
        return try await mapped {
            let tenants = try identities.map { try TenantScope.owner($0.tenantID).tenantID() }
            return try await database.query(
                .none, "\(Self.ownerColumns) owner_roles_of($1, $2, $3)",
                [.texts(tenants), .texts(identities.map(\.issuer)), .texts(identities.map(\.subject))]
            ).map(Self.owner)
        }
    }

    private static let columns = "SELECT id, record, use_count, last_used_at FROM"
    private static let ownerColumns = "SELECT tenant_id, issuer, subject, roles FROM"

    private static func record(_ row: PostgreSQLRow) throws -> APIKeyRecord {
        let id = try row.text(0)
        guard let object = try json(try row.text(1), of: "API key '\(id)'").objectValue,
            let record = APIKeyRecord(
                storedJSON: object, lastUsedAt: try row.optionalInteger(3).map { Timestamp(microseconds: $0) },
                useCount: try row.integer(2)),
            record.id == id
        else { throw APIKeyStoreError(.corrupt, "The record of API key '\(id)' is incomplete") }
        return record
    }

    private static func owner(_ row: PostgreSQLRow) throws -> APIKeyOwner {
        let roles = try json(try row.text(3), of: "an owner of API keys").arrayValue ?? []
        return APIKeyOwner(identity: try identity(row), roles: roles.compactMap(\.stringValue))
    }

    private static func identity(_ row: PostgreSQLRow) throws -> APIKeyOwner.Identity {
        let tenant = try row.text(0)
        return APIKeyOwner.Identity(
            issuer: try row.text(1), subject: try row.text(2),
            tenantID: tenant == TenantScope.platformTenant ? nil : tenant)
    }

    private static func json(_ text: String, of name: String) throws -> JSONValue {
        do {
            return try JSONParser.parse(text: text)
        } catch {
            throw APIKeyStoreError(.corrupt, "What is kept of \(name) is not JSON", cause: error)
        }
    }

    // MARK: - Writing

    package func write(_ changes: [APIKeyChange], limit: APIKeyLimit?) async throws(APIKeyStoreError) {
        guard !changes.isEmpty else { return }
        try await mapped {
            let order = changes.lazy.compactMap(\.written).first?.id ?? ""
            try await committer.write(order: order, locks: Self.locks(changes, limit)) { write in
                if let limit { try Self.check(limit, write) }
                for change in changes { try Self.apply(change, write) }
            }
        }
    }

    /// A rotation chain, an owner and, where its keys are counted, an account are changed by one replica at a time.
    private static func locks(_ changes: [APIKeyChange], _ limit: APIKeyLimit?) -> [String] {
        var locks = changes.compactMap { change -> String? in
            switch change {
            case .insert: nil
            case .update(let record): "api_keys/\(record.family)"
            case .owner(let owner): "owner_roles/\(owner.identity.changeKey)"
            }
        }
        if let limit {
            locks.append(
                "accounts/" + JSONValue.array([.optional(limit.tenantID), .string(limit.accountID)]).jsonText)
        }
        return locks
    }

    /// Counts and compares in the transaction that inserts, while no other replica adds a key to the account.
    private static func check(_ limit: APIKeyLimit, _ write: PostgreSQLWrite) throws {
        let tenant = try write.enter(limit.tenantID)
        let current = try write.query(
            """
            SELECT count(*) FROM api_keys
            WHERE tenant_id = $1 AND account_id = $2 AND NOT is_replaced AND (expires_at IS NULL OR expires_at > $3)
            """, [tenant, .text(limit.accountID), .integer(limit.now.microseconds)])[0].integer(0)
        if current >= limit.limit {
            throw APIKeyStoreError(.limitReached(current: current), "The account has \(current) active keys")
        }
    }

    private static func apply(_ change: APIKeyChange, _ write: PostgreSQLWrite) throws {
        switch change {
        case .insert(let record):
            let tenant = try write.enter(record.tenantID)
            let count = try write.execute(
                """
                INSERT INTO api_keys (tenant_id, id, account_id, family, expires_at, is_replaced, revision, record,
                    use_count, last_used_at)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (id) DO NOTHING
                """,
                [tenant] + values(of: record) + [
                    .integer(record.useCount), .optional(record.lastUsedAt?.microseconds),
                ])
            guard count == 1 else { throw APIKeyStoreError(.idInUse, record.id) }
            write.announce(.apiKey, record.id)
        case .update(let record):
            let tenant = try write.enter(record.tenantID)
            let count = try write.execute(
                """
                UPDATE api_keys SET account_id = $3, family = $4, expires_at = $5, is_replaced = $6, revision = $7,
                    record = $8
                WHERE tenant_id = $1 AND id = $2 AND revision = $7 - 1
                """, [tenant] + values(of: record))
            guard count == 1 else {
                let isThere = try !write.query(
                    "SELECT 1 FROM api_keys WHERE tenant_id = $1 AND id = $2", [tenant, .text(record.id)]
                ).isEmpty
                throw APIKeyStoreError(isThere ? .conflict : .notFound, record.id)
            }
            write.announce(.apiKey, record.id)
        case .owner(let owner):
            let identity = owner.identity
            let tenant = try write.enter(identity.tenantID)
            try write.execute(
                """
                INSERT INTO owner_roles (tenant_id, issuer, subject, roles) VALUES ($1, $2, $3, $4)
                ON CONFLICT (tenant_id, issuer, subject) DO UPDATE SET roles = excluded.roles
                """,
                [
                    tenant, .text(identity.issuer), .text(identity.subject),
                    .text(JSONValue.strings(owner.roles).jsonText),
                ])
            write.announce(.apiKeyOwner, identity.changeKey)
        }
    }

    /// Id, account, family, expiry, whether it is revoked or rotated away, revision, and the whole record.
    private static func values(of record: APIKeyRecord) -> [PostgreSQLValue] {
        [
            .text(record.id), .text(record.accountID), .text(record.family),
            .optional(record.expiresAt?.microseconds), .boolean(record.revokedAt != nil || record.rotatedTo != nil),
            .integer(record.revision), .text(JSONValue.object(record.storedJSON).jsonText),
        ]
    }

    // MARK: - Use

    package func addUses(_ uses: [CredentialUse]) async throws(APIKeyStoreError) {
        guard !uses.isEmpty else { return }
        try await mapped {
            try await database.execute(
                .none,
                "SELECT add_api_key_uses($1, $2, $3)",
                [
                    .texts(uses.map(\.identifier)), .integers(uses.map(\.count)),
                    .integers(uses.map(\.lastUsedAt.microseconds)),
                ])
        }
    }

    package func addUsage(_ rows: [APIKeyUsageRow]) async throws(APIKeyStoreError) {
        guard !rows.isEmpty else { return }
        let tenants = Dictionary(grouping: rows) { $0.tenantID.map { [UInt8]($0.utf8) } }
        // One row of each place, and always in one order, so that two replicas never wait for each other.
        let merged = tenants.values.map(Self.merged).sorted {
            ($0[0].tenantID ?? "").utf8.lexicographicallyPrecedes(($1[0].tenantID ?? "").utf8)
        }
        try await mapped {
            try await database.transaction(.none) { transaction in
                let write = PostgreSQLWrite(transaction)
                for rows in merged { try Self.add(rows, write) }
            }
        }
    }

    private static func merged(_ rows: [APIKeyUsageRow]) -> [APIKeyUsageRow] {
        struct Place: Hashable {
            let id: String
            let hour: Int64
            let status: Int
        }
        let places = Dictionary(rows.map { (Place(id: $0.id, hour: $0.hour, status: $0.status), $0) }) { left, right in
            var sum = left
            sum.requests = sum.requests.addingSaturated(right.requests)
            return sum
        }
        return places.values.sorted { ($0.id, $0.hour, $0.status) < ($1.id, $1.hour, $1.status) }
    }

    private static func add(_ rows: [APIKeyUsageRow], _ write: PostgreSQLWrite) throws {
        let tenant = try write.enter(rows[0].tenantID)
        try write.execute(
            """
            INSERT INTO api_key_usage AS u (tenant_id, key_id, hour, status, requests)
            SELECT $1, n.id, n.hour, n.status, n.requests
            FROM unnest($2::text[], $3::bigint[], $4::integer[], $5::bigint[]) AS n (id, hour, status, requests)
            ON CONFLICT (key_id, hour, status, tenant_id) DO UPDATE SET requests = u.requests + excluded.requests
            WHERE u.tenant_id = $1
            """,
            [
                tenant, .texts(rows.map(\.id)), .integers(rows.map(\.hour)),
                .integers(rows.map { Int64($0.status) }), .integers(rows.map(\.requests)),
            ])
    }

    package func usage(of id: String, hours: Range<Int64>) async throws(APIKeyStoreError) -> [APIKeyUsageRow] {
        try await mapped {
            try await database.query(
                .none, "SELECT tenant_id, hour, status, requests FROM api_key_usage_of($1, $2, $3)",
                [.text(id), .integer(hours.lowerBound), .integer(hours.upperBound)]
            ).map { row in
                let tenant = try row.text(0)
                return APIKeyUsageRow(
                    id: id, tenantID: tenant == TenantScope.platformTenant ? nil : tenant, hour: try row.integer(1),
                    status: Int(try row.integer(2)), requests: try row.integer(3))
            }
        }
    }

    package func forgetUsage(before hour: Int64) async throws(APIKeyStoreError) -> Bool {
        try await mapped {
            try await database.transaction(.none) { transaction in
                let gone = try transaction.query(
                    "SELECT forget_api_key_usage($1, $2)", [.integer(hour), .integer(Self.forgottenAtOnce)])
                return try gone[0].integer(0) >= Self.forgottenAtOnce
            }
        }
    }

    package func ping() async throws(APIKeyStoreError) {
        try await mapped { try await database.ping() }
    }

    private func mapped<Value>(_ body: () async throws -> Value) async throws(APIKeyStoreError) -> Value {
        do {
            return try await body()
        } catch let error as APIKeyStoreError {
            throw error
        } catch {
            throw APIKeyStoreError(.unavailable, "The database did not answer", cause: error)
        }
    }
}
