// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Statuses of objects in files, in PostgreSQL. They are the installation's own.
package struct PostgreSQLObjectStatusStore: ObjectStatusStore {
    private let database: PostgreSQLDatabase

    /// Keeps them in that database.
    package init(_ database: PostgreSQLDatabase) { self.database = database }

    package func loadStatuses() async throws -> [ObjectStatusRecord] {
        try await database.query(
            .platform,
            """
            SELECT kind, namespace, name, status FROM object_statuses WHERE tenant_id = $1
            ORDER BY kind, namespace, name
            """, [.text(TenantScope.platformTenant)]
        ).map { row in
            guard let status = try JSONParser.parse(text: try row.text(3)).objectValue else {
                throw PostgreSQLError(.unreadable, "A status is not a JSON object")
            }
            return ObjectStatusRecord(
                kind: try row.text(0), namespace: try row.text(1), name: try row.text(2), status: status)
        }
    }

    package func saveStatus(_ record: ObjectStatusRecord) async throws {
        try await database.execute(
            .platform,
            """
            INSERT INTO object_statuses (tenant_id, kind, namespace, name, status) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (tenant_id, kind, namespace, name) DO UPDATE SET status = excluded.status
            """,
            [
                .text(TenantScope.platformTenant), .text(record.kind), .text(record.namespace), .text(record.name),
                .text(JSONValue.object(record.status).jsonText),
            ])
    }

    package func removeStatus(kind: String, namespace: String, name: String) async throws {
        try await database.execute(
            .platform,
            "DELETE FROM object_statuses WHERE tenant_id = $1 AND kind = $2 AND namespace = $3 AND name = $4",
            [.text(TenantScope.platformTenant), .text(kind), .text(namespace), .text(name)])
    }
}
