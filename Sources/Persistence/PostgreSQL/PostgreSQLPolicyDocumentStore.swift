// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authorization
internal import Essentials

/// The roles that replicas share, in PostgreSQL.
package struct PostgreSQLPolicyDocumentStore: PolicyDocumentStore {
    /// The name of the role document.
    private static let roles = "roles"
    private let database: PostgreSQLDatabase

    package init(_ database: PostgreSQLDatabase) { self.database = database }

    package func roleDocument() async throws(PolicyDocumentStoreError) -> StoredRoleDocument? {
        try await mapped {
            try await database.query(
                .none, "SELECT document, revision FROM policy_documents WHERE name = $1", [.text(Self.roles)]
            ).first.map { StoredRoleDocument(text: try $0.bytes(0), revision: try $0.integer(1)) }
        }
    }

    package func replaceRoleDocument(
        _ text: [UInt8], over revision: Int64
    ) async throws(PolicyDocumentStoreError) -> StoredRoleDocument {
        let next = StoredRoleDocument(text: text, revision: revision + 1)
        try await mapped {
            try await database.transaction(.none) { transaction in
                let values: [PostgreSQLValue] = [.text(Self.roles), .integer(next.revision), .bytes(next.text)]
                let count =
                    revision == 0
                    ? try transaction.execute(
                        """
                        INSERT INTO policy_documents (name, revision, document) VALUES ($1, $2, $3)
                        ON CONFLICT (name) DO NOTHING
                        """, values)
                    : try transaction.execute(
                        """
                        UPDATE policy_documents SET revision = $2, document = $3, changed_at = now()
                        WHERE name = $1 AND revision = $2 - 1
                        """, values)
                guard count == 1 else { throw PolicyDocumentStoreError(.conflict, "Other roles are stored") }
                try transaction.announce(kind: StoreChange.Kind.policy.rawValue, key: Self.roles)
            }
        }
        return next
    }

    private func mapped<Value>(_ body: () async throws -> Value) async throws(PolicyDocumentStoreError) -> Value {
        do {
            return try await body()
        } catch let error as PolicyDocumentStoreError {
            throw error
        } catch {
            throw PolicyDocumentStoreError(.unavailable, "The database did not answer", cause: error)
        }
    }
}
