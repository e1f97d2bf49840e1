// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import GRDB

/// The steps that bring a database to the present schema. A step that was released is never changed.
enum SQLiteMigrations {
    /// `TGAT`: whose database it is.
    static let applicationID = 0x5447_4154

    /// Step n makes version n.
    static let steps: [@Sendable (Database) throws -> Void] = [
        { db in
            try db.execute(
                sql: """
                    CREATE TABLE service_tokens (
                        identifier TEXT NOT NULL PRIMARY KEY,
                        record TEXT NOT NULL,
                        use_count INTEGER NOT NULL DEFAULT 0,
                        last_used_at INTEGER
                    ) WITHOUT ROWID;
                    CREATE TABLE idempotency_keys (
                        caller TEXT NOT NULL,
                        key TEXT NOT NULL,
                        digest TEXT NOT NULL,
                        begun_at INTEGER NOT NULL,
                        status INTEGER,
                        body BLOB,
                        PRIMARY KEY (caller, key)
                    ) WITHOUT ROWID;
                    CREATE INDEX idempotency_keys_by_age ON idempotency_keys (begun_at);
                    CREATE TABLE object_statuses (
                        kind TEXT NOT NULL,
                        namespace TEXT NOT NULL,
                        name TEXT NOT NULL,
                        status TEXT NOT NULL,
                        PRIMARY KEY (kind, namespace, name)
                    ) WITHOUT ROWID;
                    """)
        },
        projects,
        apiKeys,
        healing,
        billing,
        purchases,
    ]

    /// Checks whose database it is and brings it up to date, each step in a transaction of its own.
    ///
    /// - Throws: `SQLiteStoreError` with `foreignDatabase`, `schemaTooNew` or `migrationFailed`.
    static func apply(to db: Database, steps: [@Sendable (Database) throws -> Void] = steps) throws {
        var (owner, tables, version) = (0, 0, 0)
        // One state of the file: another process may be making it.
        try db.inTransaction(.deferred) {
            tables = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master") ?? 0
            owner = try Int.fetchOne(db, sql: "PRAGMA application_id") ?? 0
            version = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
            return .commit
        }
        guard owner == applicationID || (owner == 0 && tables == 0) else {
            throw SQLiteStoreError(.foreignDatabase, "The file is the database of another program")
        }
        guard version <= steps.count else {
            throw SQLiteStoreError(
                .schemaTooNew,
                "The database has schema version \(version), this program knows \(steps.count): use a newer program")
        }
        for (index, step) in steps.enumerated() where index >= version {
            do {
                try db.inTransaction(.immediate) {
                    // Another process over the file may have been faster.
                    guard try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0 == index else { return .commit }
                    try step(db)
                    try db.execute(sql: "PRAGMA application_id = \(applicationID)")
                    try db.execute(sql: "PRAGMA user_version = \(index + 1)")
                    return .commit
                }
            } catch {
                throw SQLiteStoreError(.migrationFailed, "Migration \(index + 1) failed", cause: error)
            }
        }
    }
}
