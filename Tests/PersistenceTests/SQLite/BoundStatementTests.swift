// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import GRDB
internal import TestSupport
internal import Testing

@testable internal import Persistence

/// What is bound straight into the database is what GRDB reads there, and the other way round.
@Suite struct BoundStatementTests {
    private let queue: DatabaseQueue

    init() throws {
        queue = try DatabaseQueue()
        try queue.write { db in
            try db.execute(sql: "CREATE TABLE t (id INTEGER PRIMARY KEY, value ANY NOT NULL, other ANY) STRICT")
        }
    }

    private static let insertion = "INSERT INTO t (value, other) VALUES (?, ?)"

    @Test(arguments: ["", "a", "ü🎉", String(repeating: "x", count: 100_000)])
    func keepsTexts(text: String) throws {
        try queue.write { db in
            try BoundStatement(db, Self.insertion).run {
                $0.add(text)
                $0.add(nil as String?)
            }
            let row = try #require(try Row.fetchOne(db, sql: "SELECT value, other, typeof(value) FROM t"))
            #expect(row[0] == text)
            #expect((row[1] as DatabaseValue).isNull)
            #expect(row[2] == "text")
            let read = try BoundStatement(db, "SELECT value, other FROM t WHERE value = ?").first {
                $0.add(text)
            } reading: { row in
                [row.text(0), row.optionalText(0), row.optionalText(1)]
            }
            #expect(read == [text, text, nil])
        }
    }

    @Test(arguments: [0, 1, -1, Int64.max, Int64.min])
    func keepsNumbers(number: Int64) throws {
        try queue.write { db in
            try BoundStatement(db, Self.insertion).run {
                $0.add(number)
                $0.add(nil as Int64?)
            }
            #expect(try Int64.fetchOne(db, sql: "SELECT value FROM t") == number)
            let read = try BoundStatement(db, "SELECT value, other FROM t WHERE value = ?").first {
                $0.add(number as Int64?)
            } reading: { row in
                [row.integer(0), row.optionalInteger(0), row.optionalInteger(1)]
            }
            #expect(read == [number, number, nil])
        }
    }

    @Test(arguments: [Data(), Data([0]), Data([0xFF, 0, 1]), Data(repeating: 7, count: 70_000)])
    func keepsBytes(bytes: Data) throws {
        try queue.write { db in
            try BoundStatement(db, Self.insertion).run {
                $0.add(bytes.databaseValue)
                $0.add(bytes: Array(bytes))
            }
            let row = try #require(try Row.fetchOne(db, sql: "SELECT value, other, typeof(value) FROM t"))
            #expect(row[0] as Data? == bytes)
            #expect(row[1] as Data? == bytes)
            #expect(row[2] == "blob")
            let read = try BoundStatement(db, "SELECT value, id FROM t").first { _ in
            } reading: { row in
                [row.value(0), row.value(1)]
            }
            #expect(read == [bytes.databaseValue, .null])
        }
    }

    /// A statement that was run before would otherwise use what it was given then.
    @Test func wantsEveryParameter() throws {
        try queue.write { db in
            let statement = try BoundStatement(db, Self.insertion)
            try statement.run {
                $0.add("a")
                $0.add("b")
            }
            let error = #expect(throws: DatabaseError.self) { try statement.run { $0.add("c") } }
            #expect(error?.message == "Not every parameter was bound")
            let tooMany = #expect(throws: DatabaseError.self) {
                try statement.run { for text in ["c", "d", "e"] { $0.add(text) } }
            }
            #expect(tooMany?.resultCode == .SQLITE_RANGE)
            #expect(try Int.fetchOne(db, sql: "SELECT count(*) FROM t") == 1)
        }
    }

    @Test func tellsWhatTheDatabaseRefuses() throws {
        try queue.write { db in
            let statement = try BoundStatement(db, Self.insertion)
            let error = #expect(throws: DatabaseError.self) {
                try statement.run {
                    $0.addNull()
                    $0.addNull()
                }
            }
            #expect(error?.resultCode == .SQLITE_CONSTRAINT)
            #expect(error?.message == "NOT NULL constraint failed: t.value")
            try statement.run {
                $0.add(1)
                $0.addNull()
            }
            #expect(try Int.fetchOne(db, sql: "SELECT count(*) FROM t") == 1)
            #expect(
                try BoundStatement(db, "SELECT id FROM t WHERE id = ?").first {
                    $0.add(7)
                } reading: { _ in
                    1
                } == nil)
        }
    }
}
