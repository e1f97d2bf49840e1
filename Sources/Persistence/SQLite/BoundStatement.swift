// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import GRDB
internal import GRDBSQLite

/// A prepared statement whose parameters are bound straight into the database's memory and whose columns are read from there.
///
/// What GRDB does for arguments and rows takes several times as long as such a statement itself, and while an account is written everybody else
/// waits. Statements that are rare go through GRDB.
struct BoundStatement {
    private let statement: Statement
    private let db: Database

    /// Prepares the statement, or takes the one that was prepared before.
    ///
    /// - Parameter sql: every parameter a bare `?`.
    /// - Throws: `DatabaseError`.
    init(_ db: Database, _ sql: String) throws {
        statement = try db.cachedStatement(sql: sql)
        self.db = db
    }

    /// Runs the statement, whose rows nobody reads.
    ///
    /// - Parameter bind: adds every parameter, in their order.
    /// - Throws: `DatabaseError`, and what the closure throws.
    func run(_ bind: (inout Parameters) throws -> Void) throws { try first(bind, reading: { _ in }) }

    /// The first row; nil where there is none.
    ///
    /// - Throws: `DatabaseError`, and what the closures throw.
    @discardableResult
    func first<Value>(
        _ bind: (inout Parameters) throws -> Void, reading read: (Columns) throws -> Value
    ) throws -> Value? {
        let handle = statement.sqliteStatement
        var parameters = Parameters(handle)
        try bind(&parameters)
        guard parameters.code == SQLITE_OK else { throw fault(parameters.code) }
        guard parameters.isComplete else { throw fault(SQLITE_RANGE) }
        // The error of a step is told by the step itself.
        defer { sqlite3_reset(handle) }
        switch sqlite3_step(handle) {
        case SQLITE_DONE: return nil
        case SQLITE_ROW: return try read(Columns(handle))
        case let code: throw fault(code)
        }
    }

    private func fault(_ code: CInt) -> DatabaseError {
        DatabaseError(
            resultCode: ResultCode(rawValue: code),
            message: code == SQLITE_RANGE ? "Not every parameter was bound" : db.lastErrorMessage, sql: statement.sql)
    }

    /// Takes the values of parameters, each for the next one.
    struct Parameters {
        private let handle: OpaquePointer
        private var count: CInt = 0
        fileprivate private(set) var code = SQLITE_OK

        fileprivate init(_ handle: OpaquePointer) { self.handle = handle }

        fileprivate var isComplete: Bool { count == sqlite3_bind_parameter_count(handle) }

        /// The number of the next parameter.
        private var next: CInt { count + 1 }

        private mutating func took(_ code: CInt) {
            count += 1
            if self.code == SQLITE_OK { self.code = code }
        }

        mutating func add(_ number: Int64) { took(sqlite3_bind_int64(handle, next, number)) }

        mutating func add(_ number: Int64?) {
            if let number { add(number) } else { addNull() }
        }

        mutating func addNull() { took(sqlite3_bind_null(handle, next)) }

        mutating func add(_ text: String) {
            let (handle, next) = (handle, next)
            var text = text
            let code = text.withUTF8 { utf8 in
                // A text without bytes may have no address, which would be taken for NULL.
                guard let start = utf8.baseAddress else { return sqlite3_bind_text(handle, next, "", 0, Self.copied) }
                return start.withMemoryRebound(to: CChar.self, capacity: utf8.count) { start in
                    sqlite3_bind_text64(handle, next, start, UInt64(utf8.count), Self.copied, UInt8(SQLITE_UTF8))
                }
            }
            took(code)
        }

        mutating func add(_ text: String?) {
            if let text { add(text) } else { addNull() }
        }

        mutating func add(_ value: DatabaseValue) {
            switch value.storage {
            case .null: addNull()
            case .int64(let number): add(number)
            case .double(let number): took(sqlite3_bind_double(handle, next, number))
            case .string(let text): add(text)
            case .blob(let data): add(bytes: data)
            }
        }

        mutating func add(bytes: some ContiguousBytes) {
            let (handle, next) = (handle, next)
            let code = bytes.withUnsafeBytes { bytes in
                guard let start = bytes.baseAddress else { return sqlite3_bind_zeroblob(handle, next, 0) }
                return sqlite3_bind_blob64(handle, next, start, UInt64(bytes.count), Self.copied)
            }
            took(code)
        }

        /// The database copies what it is given. Its header writes this as a cast of -1, which no importer reads.
        private static let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
    }

    /// The values of a row, from column 0. They are gone with the next step.
    struct Columns {
        private let handle: OpaquePointer

        fileprivate init(_ handle: OpaquePointer) { self.handle = handle }

        func integer(_ index: Int) -> Int64 { sqlite3_column_int64(handle, CInt(index)) }

        func optionalInteger(_ index: Int) -> Int64? { isNull(index) ? nil : integer(index) }

        func text(_ index: Int) -> String {
            guard let start = sqlite3_column_text(handle, CInt(index)) else { return "" }
            let count = Int(sqlite3_column_bytes(handle, CInt(index)))
            return String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
        }

        func optionalText(_ index: Int) -> String? { isNull(index) ? nil : text(index) }

        /// A text or bytes as they are; null for everything else.
        func value(_ index: Int) -> DatabaseValue {
            switch sqlite3_column_type(handle, CInt(index)) {
            case SQLITE_TEXT: text(index).databaseValue
            case SQLITE_BLOB: bytes(index).databaseValue
            default: .null
            }
        }

        private func isNull(_ index: Int) -> Bool { sqlite3_column_type(handle, CInt(index)) == SQLITE_NULL }

        private func bytes(_ index: Int) -> Data {
            guard let start = sqlite3_column_blob(handle, CInt(index)) else { return Data() }
            return Data(bytes: start, count: Int(sqlite3_column_bytes(handle, CInt(index))))
        }
    }
}
