// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import AuditTrail
package import Essentials
internal import Foundation
internal import GRDB

/// The audit index in an SQLite file beside the segments. It can be deleted at any time: it is built again from the segments.
package final class SQLiteAuditIndex: AuditIndexing, Sendable {
    /// Bounds on one query.
    package struct Limits: Sendable {
        /// Rows that may be examined.
        package var rows: Int
        /// Time that may pass.
        package var duration: Duration

        package init(rows: Int = 1_000_000, duration: Duration = AuditLog.longestQuery) {
            self.rows = rows
            self.duration = duration
        }
    }

    private let pool: DatabasePool
    private let limits: Limits

    /// Opens the index, and makes it with mode 0600 where there is none; the directory is made with mode 0700.
    ///
    /// - Throws: what is broken about the file.
    package init(path: String, limits: Limits = Limits()) throws {
        try AuditFiles.makeDirectory((path as NSString).deletingLastPathComponent)
        if !FileManager.default.fileExists(atPath: path) {
            let isMade = FileManager.default.createFile(
                atPath: path, contents: nil, attributes: [.posixPermissions: 0o600])
            guard isMade else { throw AuditError(code: .unwritable, message: "cannot make the index \(path)") }
        }
        var configuration = Configuration()
        configuration.maximumReaderCount = 4
        pool = try DatabasePool(path: path, configuration: configuration)
        self.limits = limits
        try Self.migrator.migrate(pool)
    }

    private static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("entries") { db in
            try db.execute(
                sql: """
                    CREATE TABLE entries (
                        writer TEXT NOT NULL, sequence INTEGER NOT NULL, at INTEGER NOT NULL, id TEXT NOT NULL,
                        actor TEXT NOT NULL, action TEXT NOT NULL, resource TEXT NOT NULL, outcome TEXT NOT NULL,
                        tenant TEXT, session_id TEXT, ip TEXT, line BLOB NOT NULL);
                    CREATE UNIQUE INDEX entries_place ON entries (writer, sequence);
                    CREATE INDEX entries_at ON entries (at, id);
                    CREATE INDEX entries_actor ON entries (actor, at, id);
                    CREATE INDEX entries_action ON entries (action, at, id);
                    CREATE INDEX entries_resource ON entries (resource, at, id);
                    CREATE INDEX entries_tenant ON entries (tenant, at, id);
                    CREATE INDEX entries_session_id ON entries (session_id, at, id);
                    CREATE INDEX entries_outcome ON entries (outcome, at, id);
                    """)
        }
        return migrator
    }

    package func lastSequence(writer: String) async throws -> Int64 {
        try await pool.read { db in
            try Int64.fetchOne(db, sql: "SELECT max(sequence) FROM entries WHERE writer = ?", arguments: [writer]) ?? 0
        }
    }

    package func add(_ rows: [AuditRow]) async throws {
        try await pool.write { db in
            let statement = try BoundStatement(
                db, "INSERT OR IGNORE INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
            for row in rows {
                try statement.run {
                    $0.add(row.writer)
                    $0.add(row.sequence)
                    $0.add(row.at.microseconds)
                    $0.add(row.id)
                    $0.add(row.actor)
                    $0.add(row.action)
                    $0.add(row.resource)
                    $0.add(row.outcome.rawValue)
                    $0.add(row.tenant)
                    $0.add(row.sessionID)
                    $0.add(row.ip)
                    $0.add(bytes: row.line)
                }
            }
        }
    }

    package func removeAll(writer: String) async throws {
        try await pool.write { db in
            try db.execute(sql: "DELETE FROM entries WHERE writer = ?", arguments: [writer])
        }
    }

    package func forget(writer: String, before sequence: Int64) async throws {
        // A day's entries at once would keep new ones waiting.
        var isMore = true
        while isMore {
            isMore = try await pool.write { db in
                try db.execute(
                    sql: """
                        DELETE FROM entries WHERE rowid IN (
                            SELECT rowid FROM entries WHERE writer = ? AND sequence < ? ORDER BY sequence LIMIT 2000)
                        """, arguments: [writer, sequence])
                return db.changesCount > 0
            }
        }
    }

    package func rows(_ request: AuditIndexRequest) async throws(Refusal) -> [AuditRow] {
        let limits = limits
        do {
            let found = try await pool.read { db in try Self.read(request, limits: limits, in: db) }
            if let found { return found }
        } catch {
            throw Refusal(.auditUnavailable, message: "The audit index cannot be read")
        }
        throw AuditLog.tooWide
    }

    /// Steps over the rows that the best index gives; the other filters are looked at row by row, so that what a query costs is known.
    ///
    /// - Returns: nil when the bounds were reached.
    private static func read(_ request: AuditIndexRequest, limits: Limits, in db: Database) throws -> [AuditRow]? {
        let plan = AuditIndexPlan(request)
        let statement = try db.cachedStatement(sql: plan.sql)
        let cursor = try Row.fetchCursor(statement, arguments: StatementArguments(plan.arguments))
        let end = ContinuousClock.now.advanced(by: limits.duration)
        var examined = 0
        var found: [AuditRow] = []
        while found.count < request.limit, let row = try cursor.next() {
            examined += 1
            if examined > limits.rows || examined % 4096 == 0 && ContinuousClock.now > end { return nil }
            guard let line: Data = row[0] else { continue }
            if let entry = request.row(line: Array(line), writer: row[1]) { found.append(entry) }
        }
        return found
    }
}
