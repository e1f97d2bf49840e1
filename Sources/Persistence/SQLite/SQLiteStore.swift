// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
internal import Foundation
internal import GRDB
internal import Glibc

/// The product's store in one SQLite file: service tokens, projects and their shares, answers under idempotency keys and statuses of objects.
/// What it acknowledged survives a killed process and a power cut.
package final class SQLiteStore: Sendable {
    /// What the connection that writes, and each that reads, keeps of the file in memory at most. Where keys come in no order, usage reads a
    /// page for each event that is not kept.
    private static let (writerCacheKiB, readerCacheKiB) = (64 * 1024, 8 * 1024)
    /// How much is written beside the file, in pages of 4 KiB, before it is brought into it: more means fewer writes of the same page and a
    /// longer wait for whoever writes then.
    private static let checkpointPages = 4000
    let pool: any DatabaseWriter
    let committer: GroupCommitter
    let numbers = StoredNumbers()
    let clock: any WallClock

    /// Opens the file, making it (0600) and its directories (0700) where they are not there, and brings its schema up to date.
    ///
    /// - Parameter answers: whether this process is the one that answers under idempotency keys: reservations that a dead process left are
    ///   nobody's then. Another process over the same file leaves them alone.
    /// - Throws: `SQLiteStoreError`.
    package init(path: String, answers: Bool = true, clock: any WallClock) throws(SQLiteStoreError) {
        self.clock = clock
        do {
            pool = try Self.open(path, answers: answers)
        } catch let error as SQLiteStoreError {
            throw error
        } catch {
            throw SQLiteStoreError(.cannotOpen, "The database \(path) cannot be opened", cause: error)
        }
        committer = GroupCommitter(pool: pool)
    }

    /// Makes a store in memory, which is gone with this value.
    ///
    /// - Throws: `SQLiteStoreError`.
    package init(inMemory clock: any WallClock) throws(SQLiteStoreError) {
        self.clock = clock
        do {
            var configuration = Configuration()
            configuration.label = "tollgate.store"
            let queue = try DatabaseQueue(configuration: configuration)
            try queue.writeWithoutTransaction { db in try SQLiteMigrations.apply(to: db) }
            pool = queue
        } catch {
            throw SQLiteStoreError(.cannotOpen, "A database in memory cannot be made", cause: error)
        }
        committer = GroupCommitter(pool: pool)
    }

    private static func open(_ path: String, answers: Bool) throws -> DatabasePool {
        let directory = URL(filePath: path).deletingLastPathComponent()
        let manager = FileManager.default
        try manager.createDirectory(
            at: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        try makeFile(path)
        var configuration = Configuration()
        configuration.busyMode = .timeout(5)
        configuration.maximumReaderCount = 2
        configuration.label = "tollgate.store"
        configuration.prepareDatabase { db in try db.execute(sql: "PRAGMA cache_size = -\(readerCacheKiB)") }
        let pool = try DatabasePool(path: path, configuration: configuration)
        try pool.writeWithoutTransaction { db in
            // The pool sets NORMAL when it opens; only FULL survives a power cut.
            try db.execute(sql: "PRAGMA synchronous = FULL")
            try db.execute(sql: "PRAGMA cache_size = -\(writerCacheKiB)")
            try db.execute(sql: "PRAGMA wal_autocheckpoint = \(checkpointPages)")
            try SQLiteMigrations.apply(to: db)
            if answers { try db.execute(sql: "DELETE FROM idempotency_keys WHERE status IS NULL") }
        }
        return pool
    }

    /// Makes the file where it is not there. SQLite gives its side files the mode of the database, so it must be right before the first of them
    /// is made. A file that another process makes at the same time is left alone: one in its place would part the two processes.
    private static func makeFile(_ path: String) throws {
        let descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        let code = errno
        guard descriptor < 0 else {
            Glibc.close(descriptor)
            return
        }
        guard code == EEXIST else {
            throw SQLiteStoreError(
                .cannotOpen, "The database \(path) cannot be made: \(String(cString: strerror(code)))")
        }
    }

    /// Closes the database. Nothing may be asked of it afterwards.
    package func close() throws(SQLiteStoreError) {
        do {
            try pool.close()
        } catch {
            throw SQLiteStoreError(.closed, "The database could not be closed in order", cause: error)
        }
    }

    /// The journal mode and the level of `synchronous` of the connection that writes.
    package func durability() async throws -> (journalMode: String, synchronous: Int) {
        try await pool.writeWithoutTransaction { db in
            (
                try String.fetchOne(db, sql: "PRAGMA journal_mode") ?? "",
                try Int.fetchOne(db, sql: "PRAGMA synchronous") ?? -1
            )
        }
    }
}
