// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
internal import GRDB

extension SQLiteStore: ObjectStatusStore {
    package func loadStatuses() async throws -> [ObjectStatusRecord] {
        try await pool.read { db in
            try Row.fetchAll(
                db, sql: "SELECT kind, namespace, name, status FROM object_statuses ORDER BY kind, namespace, name"
            ).map { row in
                guard let status = try JSONParser.parse(text: row["status"]).objectValue else {
                    throw SQLiteStoreError(.corrupt, "A status is not a JSON object")
                }
                return ObjectStatusRecord(
                    kind: row["kind"], namespace: row["namespace"], name: row["name"], status: status)
            }
        }
    }

    package func saveStatus(_ record: ObjectStatusRecord) async throws {
        try await committer.write { db in
            try db.cachedStatement(
                sql: "INSERT OR REPLACE INTO object_statuses (kind, namespace, name, status) VALUES (?, ?, ?, ?)"
            ).execute(arguments: [
                record.kind, record.namespace, record.name, JSONValue.object(record.status).jsonText,
            ])
        }
    }

    package func removeStatus(kind: String, namespace: String, name: String) async throws {
        try await committer.write { db in
            try db.cachedStatement(
                sql: "DELETE FROM object_statuses WHERE kind = ? AND namespace = ? AND name = ?"
            ).execute(arguments: [kind, namespace, name])
        }
    }
}
