// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authentication
internal import Essentials
internal import GRDB

/// API keys in the product's SQLite file.
package struct SQLiteAPIKeyStore: APIKeyStore {
    /// How many counters one call removes at most.
    private static let forgottenAtOnce = 10_000
    private let store: SQLiteStore

    /// Keeps them in that file.
    package init(_ store: SQLiteStore) { self.store = store }

    package func load() async throws(APIKeyStoreError) -> (records: [APIKeyRecord], owners: [APIKeyOwner]) {
        try await mapped {
            try await store.pool.read { db in
                (
                    try Row.fetchAll(db, sql: "SELECT id, record, use_count, last_used_at FROM api_keys")
                        .map(Self.record),
                    try Row.fetchAll(db, sql: "SELECT issuer, subject, tenant_id, has_tenant, roles FROM owner_roles")
                        .map(Self.owner)
                )
            }
        }
    }

    package func records(_ selection: CredentialSelection) async throws(APIKeyStoreError) -> [APIKeyRecord] {
        try await mapped {
            try await store.pool.read { db in
                let filter = SQLiteSelection(selection, idColumn: "id")
                return try Row.fetchAll(
                    db, sql: "SELECT id, record, use_count, last_used_at FROM api_keys \(filter.condition)",
                    arguments: filter.arguments
                ).map(Self.record)
            }
        }
    }

    package func owners(_ identities: [APIKeyOwner.Identity]) async throws(APIKeyStoreError) -> [APIKeyOwner] {
        try await mapped {
            try await store.pool.read { db in
                let statement = try db.cachedStatement(
                    sql: """
                        SELECT issuer, subject, tenant_id, has_tenant, roles FROM owner_roles
                        WHERE issuer = ? AND subject = ? AND tenant_id = ? AND has_tenant = ?
                        """)
                return try Set(identities).compactMap { identity in
                    try Row.fetchOne(
                        statement,
                        arguments: [
                            identity.issuer, identity.subject, identity.tenantID ?? "",
                            identity.tenantID == nil ? 0 : 1,
                        ]
                    ).map(Self.owner)
                }
            }
        }
    }

    private static func record(_ row: Row) throws -> APIKeyRecord {
        let id: String = row["id"]
        let lastUsedAt: Int64? = row["last_used_at"]
        guard let object = try json(row["record"], of: "API key '\(id)'").objectValue,
            let record = APIKeyRecord(
                storedJSON: object, lastUsedAt: lastUsedAt.map { Timestamp(microseconds: $0) },
                useCount: row["use_count"]),
            record.id == id
        else { throw APIKeyStoreError(.corrupt, "The record of API key '\(id)' is incomplete") }
        return record
    }

    private static func owner(_ row: Row) throws -> APIKeyOwner {
        let tenant: String = row["tenant_id"]
        let roles = try json(row["roles"], of: "an owner of API keys").arrayValue ?? []
        return APIKeyOwner(
            identity: APIKeyOwner.Identity(
                issuer: row["issuer"], subject: row["subject"], tenantID: row["has_tenant"] == 1 ? tenant : nil),
            roles: roles.compactMap(\.stringValue))
    }

    private static func json(_ text: String, of name: String) throws -> JSONValue {
        do {
            return try JSONParser.parse(text: text)
        } catch {
            throw APIKeyStoreError(.corrupt, "What is kept of \(name) is not JSON", cause: error)
        }
    }

    package func write(_ changes: [APIKeyChange], limit: APIKeyLimit?) async throws(APIKeyStoreError) {
        try await mapped {
            try await store.committer.write { db in
                if let limit { try Self.check(limit, db) }
                for change in changes { try Self.apply(change, db) }
            }
        }
    }

    /// Counts and compares in the transaction that inserts.
    private static func check(_ limit: APIKeyLimit, _ db: Database) throws {
        let statement = try db.cachedStatement(
            sql: """
                SELECT count(*) FROM api_keys INDEXED BY api_keys_in_use
                WHERE account_id = ? AND is_replaced = 0 AND (expires_at IS NULL OR expires_at > ?) AND tenant_id IS ?
                """)
        let current =
            try Int64.fetchOne(
                statement, arguments: [limit.accountID, limit.now.microseconds, limit.tenantID]) ?? 0
        if current >= limit.limit {
            throw APIKeyStoreError(.limitReached(current: current), "The account has \(current) active keys")
        }
    }

    private static func apply(_ change: APIKeyChange, _ db: Database) throws {
        switch change {
        case .insert(let record):
            let statement = try db.cachedStatement(
                sql: """
                    INSERT INTO api_keys
                        (account_id, tenant_id, expires_at, is_replaced, record, id, use_count, last_used_at)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING
                    """)
            try statement.execute(
                arguments: columns(of: record) + [record.id, record.useCount, record.lastUsedAt?.microseconds])
            guard db.changesCount == 1 else { throw APIKeyStoreError(.idInUse, record.id) }
        case .update(let record):
            let statement = try db.cachedStatement(
                sql: """
                    UPDATE api_keys SET account_id = ?, tenant_id = ?, expires_at = ?, is_replaced = ?, record = ?
                    WHERE id = ? AND coalesce(json_extract(record, '$.revision'), 1) = ?
                    """)
            try statement.execute(arguments: columns(of: record) + [record.id, record.revision - 1])
            guard db.changesCount == 0 else { return }
            let isThere = try Bool.fetchOne(
                db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM api_keys WHERE id = ?)"), arguments: [record.id])
            throw APIKeyStoreError(isThere == true ? .conflict : .notFound, record.id)
        case .owner(let owner):
            let identity = owner.identity
            try db.cachedStatement(
                sql: """
                    INSERT OR REPLACE INTO owner_roles (issuer, subject, tenant_id, has_tenant, roles)
                    VALUES (?, ?, ?, ?, ?)
                    """
            ).execute(arguments: [
                identity.issuer, identity.subject, identity.tenantID ?? "", identity.tenantID == nil ? 0 : 1,
                JSONValue.strings(owner.roles).jsonText,
            ])
        }
    }

    /// Account, tenant, expiry, whether it is revoked or rotated away, and the whole record.
    private static func columns(of record: APIKeyRecord) -> StatementArguments {
        [
            record.accountID, record.tenantID, record.expiresAt?.microseconds,
            record.revokedAt != nil || record.rotatedTo != nil ? 1 : 0, JSONValue.object(record.storedJSON).jsonText,
        ]
    }

    package func addUses(_ uses: [CredentialUse]) async throws(APIKeyStoreError) {
        try await mapped {
            try await store.committer.write { db in
                let statement = try db.cachedStatement(
                    sql: """
                        UPDATE api_keys SET use_count = use_count + ?, last_used_at = max(coalesce(last_used_at, 0), ?)
                        WHERE id = ?
                        """)
                for use in uses {
                    try statement.execute(arguments: [use.count, use.lastUsedAt.microseconds, use.identifier])
                }
            }
        }
    }

    package func addUsage(_ rows: [APIKeyUsageRow]) async throws(APIKeyStoreError) {
        try await mapped {
            try await store.committer.write { db in
                let statement = try db.cachedStatement(
                    sql: """
                        INSERT INTO api_key_usage (key_id, hour, status, tenant_id, requests) VALUES (?, ?, ?, ?, ?)
                        ON CONFLICT (key_id, hour, status) DO UPDATE SET requests = requests + excluded.requests
                        """)
                for row in rows {
                    try statement.execute(arguments: [row.id, row.hour, row.status, row.tenantID, row.requests])
                }
            }
        }
    }

    package func usage(of id: String, hours: Range<Int64>) async throws(APIKeyStoreError) -> [APIKeyUsageRow] {
        try await mapped {
            try await store.pool.read { db in
                try Row.fetchAll(
                    db,
                    sql: """
                        SELECT tenant_id, hour, status, requests FROM api_key_usage
                        WHERE key_id = ? AND hour >= ? AND hour < ? ORDER BY hour, status
                        """, arguments: [id, hours.lowerBound, hours.upperBound]
                ).map { row in
                    APIKeyUsageRow(
                        id: id, tenantID: row["tenant_id"], hour: row["hour"], status: row["status"],
                        requests: row["requests"])
                }
            }
        }
    }

    package func forgetUsage(before hour: Int64) async throws(APIKeyStoreError) -> Bool {
        try await mapped {
            try await store.committer.write { db in
                try db.cachedStatement(
                    sql: """
                        DELETE FROM api_key_usage WHERE (key_id, hour, status) IN (
                            SELECT key_id, hour, status FROM api_key_usage WHERE hour < ? ORDER BY hour LIMIT ?)
                        """
                ).execute(arguments: [hour, Self.forgottenAtOnce])
                return db.changesCount >= Self.forgottenAtOnce
            }
        }
    }

    package func ping() async throws(APIKeyStoreError) {
        try await mapped {
            _ = try await store.pool.read { db in try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master") }
        }
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
