// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authentication
internal import Essentials

/// Service tokens in PostgreSQL.
package struct PostgreSQLServiceTokenStore: ServiceTokenStore {
    private let database: PostgreSQLDatabase
    private let committer: PostgreSQLCommitter
    private let unreadable: @Sendable (any Error) -> Void

    /// Keeps them in that database.
    ///
    /// - Parameter unreadable: told of each row that is left out where all are asked for, or all of a family.
    package init(_ database: PostgreSQLDatabase, unreadable: @escaping @Sendable (any Error) -> Void = { _ in }) {
        self.database = database
        committer = PostgreSQLCommitter(database)
        self.unreadable = unreadable
    }

    package func serviceTokens(
        _ selection: CredentialSelection
    ) async throws(ServiceTokenStoreError) -> [ServiceTokenRecord] {
        try await mapped {
            let columns = "SELECT identifier, record, use_count, last_used_at FROM"
            let rows: [PostgreSQLRow]
            switch selection {
            case .all:
                return try await database.query(.none, "\(columns) all_service_tokens()")
                    .readable(Self.record, unreadable)
            case .identifiers(let identifiers):
                guard !identifiers.isEmpty else { return [] }
                rows = try await database.query(
                    .none, "\(columns) service_tokens_by_identifier($1)", [.texts(identifiers)])
            case .family(let family):
                return try await database.query(.none, "\(columns) service_tokens_of_family($1)", [.text(family)])
                    .readable(Self.record, unreadable)
            }
            return try rows.map(Self.record)
        }
    }

    private static func record(_ row: PostgreSQLRow) throws -> ServiceTokenRecord {
        let identifier = try row.text(0)
        do {
            guard let object = try JSONParser.parse(text: try row.text(1)).objectValue,
                let record = ServiceTokenRecord(
                    storedJSON: object, lastUsedAt: try row.optionalInteger(3).map { Timestamp(microseconds: $0) },
                    useCount: try row.integer(2)),
                record.identifier == identifier
            else { throw ServiceTokenStoreError(.corrupt, "The record of service token '\(identifier)' is incomplete") }
            return record
        } catch let error as JSONParser.Failure {
            throw ServiceTokenStoreError(
                .corrupt, "The record of service token '\(identifier)' is not JSON", cause: error)
        }
    }

    package func write(_ changes: [ServiceTokenChange]) async throws(ServiceTokenStoreError) {
        guard let first = changes.first else { return }
        try await mapped {
            try await committer.write(order: first.written.identifier, locks: Self.locks(changes)) { write in
                for change in changes { try Self.apply(change, write) }
            }
        }
    }

    /// A rotation chain is changed by one replica at a time.
    private static func locks(_ changes: [ServiceTokenChange]) -> [String] {
        changes.compactMap { change in
            if case .update(let record) = change { "service_tokens/\(record.family)" } else { nil }
        }
    }

    private static func apply(_ change: ServiceTokenChange, _ write: PostgreSQLWrite) throws {
        let record = change.written
        let tenant = try write.enter(record.tenantID)
        let text = PostgreSQLValue.text(JSONValue.object(record.storedJSON).jsonText)
        switch change {
        case .insert:
            let count = try write.execute(
                """
                INSERT INTO service_tokens (tenant_id, identifier, family, revision, record, use_count, last_used_at)
                VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (identifier) DO NOTHING
                """,
                [
                    tenant, .text(record.identifier), .text(record.family), .integer(record.revision), text,
                    .integer(record.useCount), .optional(record.lastUsedAt?.microseconds),
                ])
            guard count == 1 else { throw ServiceTokenStoreError(.identifierInUse, record.identifier) }
        case .update:
            let count = try write.execute(
                """
                UPDATE service_tokens SET family = $3, revision = $4, record = $5
                WHERE tenant_id = $1 AND identifier = $2 AND revision = $4 - 1
                """,
                [tenant, .text(record.identifier), .text(record.family), .integer(record.revision), text])
            guard count == 1 else {
                let isThere = try !write.query(
                    "SELECT 1 FROM service_tokens WHERE tenant_id = $1 AND identifier = $2",
                    [tenant, .text(record.identifier)]
                ).isEmpty
                throw ServiceTokenStoreError(isThere ? .conflict : .notFound, record.identifier)
            }
        }
        write.announce(.serviceToken, record.identifier)
    }

    package func addUses(_ uses: [CredentialUse]) async throws(ServiceTokenStoreError) {
        guard !uses.isEmpty else { return }
        try await mapped {
            try await database.execute(
                .none,
                "SELECT add_service_token_uses($1, $2, $3)",
                [
                    .texts(uses.map(\.identifier)), .integers(uses.map(\.count)),
                    .integers(uses.map(\.lastUsedAt.microseconds)),
                ])
        }
    }

    package func ping() async throws(ServiceTokenStoreError) {
        try await mapped { try await database.ping() }
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
