// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authentication
internal import Essentials
internal import GRDB

extension SQLiteStore: ServiceTokenStore {
    package func serviceTokens(
        _ selection: CredentialSelection
    ) async throws(ServiceTokenStoreError) -> [ServiceTokenRecord] {
        try await mapped {
            try await pool.read { db in
                let filter = SQLiteSelection(selection, idColumn: "identifier")
                return try Row.fetchAll(
                    db,
                    sql: "SELECT identifier, record, use_count, last_used_at FROM service_tokens \(filter.condition)",
                    arguments: filter.arguments
                ).map(Self.record)
            }
        }
    }

    private static func record(_ row: Row) throws -> ServiceTokenRecord {
        let identifier: String = row["identifier"]
        let text: String = row["record"]
        let lastUsedAt: Int64? = row["last_used_at"]
        do {
            guard let object = try JSONParser.parse(text: text).objectValue,
                let record = ServiceTokenRecord(
                    storedJSON: object, lastUsedAt: lastUsedAt.map { Timestamp(microseconds: $0) },
                    useCount: row["use_count"]),
                record.identifier == identifier
            else { throw ServiceTokenStoreError(.corrupt, "The record of service token '\(identifier)' is incomplete") }
            return record
        } catch let error as JSONParser.Failure {
            throw ServiceTokenStoreError(
                .corrupt, "The record of service token '\(identifier)' is not JSON", cause: error)
        }
    }

    package func write(_ changes: [ServiceTokenChange]) async throws(ServiceTokenStoreError) {
        try await mapped {
            try await committer.write { db in
                for change in changes { try Self.apply(change, db) }
            }
        }
    }

    private static func apply(_ change: ServiceTokenChange, _ db: Database) throws {
        switch change {
        case .insert(let record):
            let statement = try db.cachedStatement(
                sql: """
                    INSERT INTO service_tokens (identifier, record, use_count, last_used_at) VALUES (?, ?, ?, ?)
                    ON CONFLICT (identifier) DO NOTHING
                    """)
            try statement.execute(arguments: [
                record.identifier, JSONValue.object(record.storedJSON).jsonText, record.useCount,
                record.lastUsedAt?.microseconds,
            ])
            guard db.changesCount == 1 else { throw ServiceTokenStoreError(.identifierInUse, record.identifier) }
        case .update(let record):
            let statement = try db.cachedStatement(
                sql: """
                    UPDATE service_tokens SET record = ?
                    WHERE identifier = ? AND coalesce(json_extract(record, '$.revision'), 1) = ?
                    """)
            try statement.execute(arguments: [
                JSONValue.object(record.storedJSON).jsonText, record.identifier, record.revision - 1,
            ])
            guard db.changesCount == 0 else { return }
            let isThere = try Bool.fetchOne(
                db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM service_tokens WHERE identifier = ?)"),
                arguments: [record.identifier])
            throw ServiceTokenStoreError(isThere == true ? .conflict : .notFound, record.identifier)
        }
    }

    package func addUses(_ uses: [CredentialUse]) async throws(ServiceTokenStoreError) {
        try await mapped {
            try await committer.write { db in
                let statement = try db.cachedStatement(
                    sql: """
                        UPDATE service_tokens SET use_count = use_count + ?, last_used_at = max(coalesce(last_used_at, 0), ?)
                        WHERE identifier = ?
                        """)
                for use in uses {
                    try statement.execute(arguments: [use.count, use.lastUsedAt.microseconds, use.identifier])
                }
            }
        }
    }

    package func ping() async throws(ServiceTokenStoreError) {
        try await mapped {
            _ = try await pool.read { db in try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master") }
        }
    }

    private func mapped<Value>(_ body: () async throws -> Value) async throws(ServiceTokenStoreError) -> Value {
        do {
            return try await body()
        } catch let error as ServiceTokenStoreError {
            throw error
        } catch {
            throw ServiceTokenStoreError(.unavailable, "The database did not answer", cause: error)
        }
    }
}
