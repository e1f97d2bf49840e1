// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
internal import GRDB
package import Healing

extension SQLiteStore: HealingBookStore {
    package func load() async throws -> [BookRecord] {
        try await pool.read { db in
            try Row.fetchAll(db, sql: "SELECT key, at, value FROM healing_books ORDER BY key").compactMap { row in
                // A line that cannot be read must not keep the others from being read.
                guard let value = (try? JSONParser.parse(text: row["value"]))?.objectValue else { return nil }
                return BookRecord(key: row["key"], at: Timestamp(microseconds: row["at"]), value: value)
            }
        }
    }

    package func write(_ changes: [BookChange]) async throws {
        guard !changes.isEmpty else { return }
        try await committer.write { db in
            for change in changes {
                switch change {
                case .put(let record):
                    try db.cachedStatement(
                        sql: "INSERT OR REPLACE INTO healing_books (key, at, value) VALUES (?, ?, ?)"
                    ).execute(arguments: [
                        record.key, record.at.microseconds, JSONValue.object(record.value).jsonText,
                    ])
                case .remove(let key):
                    try db.cachedStatement(sql: "DELETE FROM healing_books WHERE key = ?").execute(arguments: [key])
                }
            }
        }
    }
}

extension SQLiteStore: NoticeOutbox {
    package func add(_ notices: [HealingNotice]) async throws {
        try await committer.write { db in
            for notice in notices {
                try db.cachedStatement(
                    sql: "INSERT OR IGNORE INTO notices (id, notice, tries, next_at) VALUES (?, ?, 0, ?)"
                ).execute(arguments: [notice.id, JSONValue.object(notice.json).jsonText, notice.at.microseconds])
            }
        }
    }

    package func due(at now: Timestamp, limit: Int) async throws -> DueNotices {
        try await pool.read { db in
            var due = DueNotices()
            for row in try Row.fetchAll(
                db,
                sql: "SELECT id, notice, tries, next_at FROM notices WHERE next_at <= ? ORDER BY next_at, id LIMIT ?",
                arguments: [now.microseconds, limit])
            {
                due.take(
                    id: row["id"], text: row["notice"], tries: row["tries"],
                    nextTry: Timestamp(microseconds: row["next_at"]))
            }
            return due
        }
    }

    package func postpone(_ id: String, tries: Int, until: Timestamp) async throws {
        try await committer.write { db in
            try db.cachedStatement(sql: "UPDATE notices SET tries = ?, next_at = ? WHERE id = ?")
                .execute(arguments: [tries, until.microseconds, id])
        }
    }

    package func remove(_ id: String) async throws {
        try await committer.write { db in
            try db.cachedStatement(sql: "DELETE FROM notices WHERE id = ?").execute(arguments: [id])
        }
    }
}
