// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import TestSupport
internal import Testing

/// `docs/reference/error-codes.md` and `ErrorCode` say the same, row by row.
@Suite struct ErrorCodeTableTests {
    private struct Row: Hashable, CustomStringConvertible {
        let code: String
        let status: Int
        let message: String

        var description: String { "\(code) \(status) \(message)" }
    }

    /// The rows of every table whose first cell is a code, in file order.
    private static func documented() throws -> [(row: Row, meaning: String)] {
        let file = Repository.root.appending(path: "docs/reference/error-codes.md")
        return try String(contentsOf: file, encoding: .utf8).split(separator: "\n").compactMap { line in
            let cells = line.split(separator: "|", omittingEmptySubsequences: false)
                .map { $0.trimmingCharacters(in: .whitespaces) }
            guard cells.count == 6, cells[1].hasPrefix("`"), cells[1].hasSuffix("`"), let status = Int(cells[2])
            else { return nil }
            let code = String(cells[1].dropFirst().dropLast())
            return (Row(code: code, status: status, message: cells[3]), cells[4])
        }
    }

    @Test func documentsEveryCode() throws {
        let documented = Set(try Self.documented().map(\.row))
        for code in ErrorCode.allCases {
            let row = Row(code: code.rawValue, status: code.status, message: code.message)
            #expect(documented.contains(row), "docs/reference/error-codes.md lacks: \(row)")
        }
    }

    @Test func documentsNothingElse() throws {
        let known = Set(ErrorCode.allCases.map { Row(code: $0.rawValue, status: $0.status, message: $0.message) })
        for (row, _) in try Self.documented() {
            #expect(known.contains(row), "no such code, status or message: \(row)")
        }
    }

    @Test func documentsEachOnceWithAMeaning() throws {
        let rows = try Self.documented()
        #expect(Set(rows.map(\.row.code)).count == rows.count)
        for (row, meaning) in rows { #expect(!meaning.isEmpty, "\(row.code) has no meaning") }
    }
}
