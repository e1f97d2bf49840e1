// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// One row of an answer; columns are counted from nought in the order of the statement.
package struct PostgreSQLRow: Sendable, Hashable {
    private let columns: [String?]

    /// A row of these texts; nil is null.
    init(_ columns: [String?]) { self.columns = columns }

    /// How many columns it has.
    package var count: Int { columns.count }

    /// The text; nil for null.
    ///
    /// - Throws: `PostgreSQLError` with `unreadable` when there is no such column; so do the others.
    package func optionalText(_ column: Int) throws(PostgreSQLError) -> String? {
        guard columns.indices.contains(column) else {
            throw PostgreSQLError(.unreadable, "A row of \(columns.count) columns has no column \(column)")
        }
        return columns[column]
    }

    /// The text.
    package func text(_ column: Int) throws(PostgreSQLError) -> String {
        try required(column, try optionalText(column), "a text")
    }

    /// The number; nil for null.
    package func optionalInteger(_ column: Int) throws(PostgreSQLError) -> Int64? {
        try converted(column, "an integer") { Int64($0) }
    }

    /// The number.
    package func integer(_ column: Int) throws(PostgreSQLError) -> Int64 {
        try required(column, try optionalInteger(column), "an integer")
    }

    /// The truth value; nil for null.
    package func optionalBoolean(_ column: Int) throws(PostgreSQLError) -> Bool? {
        try converted(column, "a truth value") { $0 == "t" ? true : $0 == "f" ? false : nil }
    }

    /// The truth value.
    package func boolean(_ column: Int) throws(PostgreSQLError) -> Bool {
        try required(column, try optionalBoolean(column), "a truth value")
    }

    /// The bytes of a `bytea`; nil for null.
    package func optionalBytes(_ column: Int) throws(PostgreSQLError) -> [UInt8]? {
        try converted(column, "bytes") { $0.hasPrefix("\\x") ? Hex.decode($0.dropFirst(2)) : nil }
    }

    /// The bytes of a `bytea`.
    package func bytes(_ column: Int) throws(PostgreSQLError) -> [UInt8] {
        try required(column, try optionalBytes(column), "bytes")
    }

    private func converted<Value>(
        _ column: Int, _ what: String, _ read: (String) -> Value?
    ) throws(PostgreSQLError) -> Value? {
        guard let text = try optionalText(column) else { return nil }
        // The text itself is left out: it may be anybody's data.
        guard let value = read(text) else {
            throw PostgreSQLError(.unreadable, "Column \(column) holds a text of \(text.utf8.count) bytes, not \(what)")
        }
        return value
    }

    private func required<Value>(_ column: Int, _ value: Value?, _ what: String) throws(PostgreSQLError) -> Value {
        guard let value else { throw PostgreSQLError(.unreadable, "Column \(column) is null, not \(what)") }
        return value
    }
}

/// The answer to one statement.
package struct PostgreSQLResult: Sendable, Hashable {
    /// What a query gave.
    package let rows: [PostgreSQLRow]
    /// How many rows were read or changed.
    package let affected: Int
}

/// A statement and what is bound to it.
package struct PostgreSQLStatement: Sendable, Hashable {
    /// A constant of the program: it is prepared once on each connection and found again by its text.
    package let sql: String
    package let parameters: [PostgreSQLValue]

    package init(_ sql: String, _ parameters: [PostgreSQLValue] = []) {
        self.sql = sql
        self.parameters = parameters
    }
}

extension Array where Element == PostgreSQLRow {
    /// What the rows hold, without those that cannot be read: one of them must not take the others out of force.
    func readable<Value>(_ read: (PostgreSQLRow) throws -> Value, _ unreadable: (any Error) -> Void) -> [Value] {
        compactMap { row in
            do {
                return try read(row)
            } catch {
                unreadable(error)
                return nil
            }
        }
    }
}
