// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import GRDB

extension SQLiteMigrations {
    /// What healing remembers, and the notices that wait for their delivery.
    @Sendable static func healing(_ db: Database) throws {
        try db.execute(
            sql: """
                CREATE TABLE healing_books (
                    key TEXT NOT NULL PRIMARY KEY,
                    at INTEGER NOT NULL,
                    value TEXT NOT NULL
                ) WITHOUT ROWID;
                CREATE TABLE notices (
                    id TEXT NOT NULL PRIMARY KEY,
                    notice TEXT NOT NULL,
                    tries INTEGER NOT NULL,
                    next_at INTEGER NOT NULL
                ) WITHOUT ROWID;
                CREATE INDEX notices_by_time ON notices (next_at, id);
                """)
    }
}
