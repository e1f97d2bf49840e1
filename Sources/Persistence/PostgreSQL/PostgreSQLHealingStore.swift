// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
package import Healing

/// The healing books and the outbox of notices, in PostgreSQL. They are the installation's own.
package struct PostgreSQLHealingStore: HealingBookStore, NoticeOutbox {
    private static let owner = PostgreSQLValue.text(TenantScope.platformTenant)
    private let database: PostgreSQLDatabase

    /// Keeps them in that database.
    package init(_ database: PostgreSQLDatabase) { self.database = database }

    // MARK: - Books

    package func load() async throws -> [BookRecord] {
        try await database.query(
            .platform, "SELECT key, at, value FROM healing_books WHERE tenant_id = $1 ORDER BY key", [Self.owner]
        ).compactMap { row in
            // A line that cannot be read must not keep the others from being read.
            guard let value = (try? JSONParser.parse(text: try row.text(2)))?.objectValue else { return nil }
            return BookRecord(
                key: try row.text(0), at: Timestamp(microseconds: try row.integer(1)), value: value)
        }
    }

    package func write(_ changes: [BookChange]) async throws {
        guard !changes.isEmpty else { return }
        let statements = changes.map { change in
            switch change {
            case .put(let record):
                PostgreSQLStatement(
                    """
                    INSERT INTO healing_books (tenant_id, key, at, value) VALUES ($1, $2, $3, $4)
                    ON CONFLICT (tenant_id, key) DO UPDATE SET at = excluded.at, value = excluded.value
                    """,
                    [
                        Self.owner, .text(record.key), .integer(record.at.microseconds),
                        .text(JSONValue.object(record.value).jsonText),
                    ])
            case .remove(let key):
                PostgreSQLStatement(
                    "DELETE FROM healing_books WHERE tenant_id = $1 AND key = $2", [Self.owner, .text(key)])
            }
        }
        try await database.transaction(.platform) { transaction in _ = try transaction.run(statements) }
    }

    // MARK: - Outbox

    package func add(_ notices: [HealingNotice]) async throws {
        guard !notices.isEmpty else { return }
        let statements = notices.map { notice in
            PostgreSQLStatement(
                """
                INSERT INTO notices (tenant_id, id, notice, tries, next_at) VALUES ($1, $2, $3, 0, $4)
                ON CONFLICT (tenant_id, id) DO NOTHING
                """,
                [
                    Self.owner, .text(notice.id), .text(JSONValue.object(notice.json).jsonText),
                    .integer(notice.at.microseconds),
                ])
        }
        try await database.transaction(.platform) { transaction in _ = try transaction.run(statements) }
    }

    package func due(at now: Timestamp, limit: Int) async throws -> DueNotices {
        let rows = try await database.query(
            .platform,
            """
            SELECT id, notice, tries, next_at FROM notices WHERE tenant_id = $1 AND next_at <= $2
            ORDER BY next_at, id LIMIT $3
            """, [Self.owner, .integer(now.microseconds), .integer(limit)]
        )
        var due = DueNotices()
        for row in rows {
            due.take(
                id: try row.text(0), text: try row.text(1), tries: Int(clamping: try row.integer(2)),
                nextTry: Timestamp(microseconds: try row.integer(3)))
        }
        return due
    }

    package func postpone(_ id: String, tries: Int, until: Timestamp) async throws {
        try await database.execute(
            .platform, "UPDATE notices SET tries = $3, next_at = $4 WHERE tenant_id = $1 AND id = $2",
            [Self.owner, .text(id), .integer(tries), .integer(until.microseconds)])
    }

    package func remove(_ id: String) async throws {
        try await database.execute(
            .platform, "DELETE FROM notices WHERE tenant_id = $1 AND id = $2", [Self.owner, .text(id)])
    }
}
