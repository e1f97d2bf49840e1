// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import GRDB

/// Brings what is in an SQLite file into an empty PostgreSQL database: everything or nothing, in one transaction, each row read back and
/// compared. The file is only read.
package struct StoreImport: Sendable {
    /// What was brought over.
    package struct Report: Sendable, Hashable {
        /// One table and its rows.
        package struct Table: Sendable, Hashable {
            package let name: String
            package let rows: Int
        }

        package let tables: [Table]

        /// The rows of all tables.
        package var total: Int { tables.reduce(0) { $0 + $1.rows } }
    }

    private static let batch = 1000
    private let database: PostgreSQLDatabase

    /// An import over a connection for maintenance.
    package init(_ database: PostgreSQLDatabase) { self.database = database }

    /// Brings the file's tables over.
    ///
    /// - Throws: `StoreImportError`; what the database refused.
    package func run(from path: String) async throws -> Report {
        let source = try Self.open(path)
        defer {
            // It was only read: nothing is lost if it cannot be closed in order.
            try? source.close()
        }
        return try await database.transaction(.none) { transaction in
            // Everybody's rows are written, so it is the role's work that row-level security does not bind.
            try transaction.execute("SET LOCAL ROLE \(PostgreSQLSettings.adminRole)")
            try Self.demandEmpty(transaction)
            let tables = try source.read { db in
                try ImportTable.all.map { table in
                    Report.Table(name: table.name, rows: try Self.bring(table, from: db, into: transaction))
                }
            }
            return Report(tables: tables)
        }
    }

    private static func open(_ path: String) throws -> DatabaseQueue {
        guard FileManager.default.fileExists(atPath: path) else {
            throw StoreImportError(.missing, "There is no file \(path)")
        }
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(5)
        configuration.label = "tollgate.import"
        let queue: DatabaseQueue
        let (owner, version): (Int, Int)
        do {
            queue = try DatabaseQueue(path: path, configuration: configuration)
            (owner, version) = try queue.read { db in
                (
                    try Int.fetchOne(db, sql: "PRAGMA application_id") ?? 0,
                    try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
                )
            }
        } catch {
            throw StoreImportError(.unreadable, "\(path) cannot be read as an SQLite database", cause: error)
        }
        guard owner == SQLiteMigrations.applicationID else {
            throw StoreImportError(.foreign, "\(path) is the database of another program")
        }
        guard version == SQLiteMigrations.steps.count else {
            let known = SQLiteMigrations.steps.count
            let mend = version > known ? "use a newer program" : "start this version of Tollgate on it once"
            throw StoreImportError(
                .otherVersion, "\(path) has schema version \(version), this program knows \(known): \(mend)")
        }
        return queue
    }

    /// - Throws: `notEmpty` naming every table that has rows. Nobody else writes to them from here on.
    private static func demandEmpty(_ transaction: PostgreSQLTransaction) throws {
        let names = ImportTable.all.map(\.name)
        try transaction.execute(
            "LOCK TABLE \(names.map { "tollgate.\($0)" }.joined(separator: ", ")) IN EXCLUSIVE MODE")
        let filled = try names.filter { name in
            try !transaction.query("SELECT 1 FROM tollgate.\(name) LIMIT 1").isEmpty
        }
        guard filled.isEmpty else {
            throw StoreImportError(
                .notEmpty,
                "The database is not empty, its tables \(filled.joined(separator: ", ")) have rows: import into a new one"
            )
        }
    }

    /// - Returns: how many rows were brought over.
    private static func bring(
        _ table: ImportTable, from db: Database, into transaction: PostgreSQLTransaction
    ) throws -> Int {
        let cursor = try Row.fetchCursor(db, sql: table.source)
        var count = 0
        var rows: [ImportRow] = []
        while let row = try cursor.next() {
            guard let row = try table.row(row) else { continue }
            rows.append(row)
            guard rows.count == batch else { continue }
            try send(rows, of: table, into: transaction)
            count += rows.count
            rows = []
        }
        if !rows.isEmpty { try send(rows, of: table, into: transaction) }
        count += rows.count
        let stored = try transaction.query("SELECT count(*) FROM tollgate.\(table.name)")[0].integer(0)
        guard stored == Int64(count) else {
            throw StoreImportError(.differs, "Of \(count) rows of \(table.name) \(stored) arrived")
        }
        if count > 0, let continuation = table.continuation { _ = try transaction.query(continuation) }
        return count
    }

    private static func send(
        _ rows: [ImportRow], of table: ImportTable, into transaction: PostgreSQLTransaction
    ) throws {
        let parameters = table.parameters(rows)
        let results = try transaction.run([
            PostgreSQLStatement(table.insertion, parameters), PostgreSQLStatement(table.check, parameters),
        ])
        let differing = try results[1].rows[0].integer(0)
        guard differing == 0 else {
            throw StoreImportError(.differs, "\(differing) rows of \(table.name) are not what they were")
        }
        try transaction.announce(rows.compactMap(\.change))
    }
}

/// Why nothing was brought over.
package struct StoreImportError: Error, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// There is no such file.
        case missing
        /// It is no database, or a record of it cannot be read.
        case unreadable
        /// It belongs to another program.
        case foreign
        /// Another version of the product wrote it.
        case otherVersion
        /// The target has rows already.
        case notEmpty
        /// What arrived is not what was sent.
        case differs
    }

    package let code: Code
    package let message: String
    package let cause: (any Error)?

    init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    package var description: String { cause.map { "\(message): \($0)" } ?? message }
}
