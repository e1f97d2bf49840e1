// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// A table for people: a head in capitals, columns two blanks apart, `-` for what is empty.
struct TextTable {
    private let head: [String]
    private var rows: [[String]] = []

    init(_ head: [String]) { self.head = head }

    /// Adds a row; line breaks and other control characters become blanks, so that a value cannot draw rows of its own.
    mutating func add(_ row: [String]) {
        rows.append(
            row.map { cell in
                let clean = String(
                    String.UnicodeScalarView(
                        cell.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }))
                return clean.isEmpty ? "-" : clean
            })
    }

    /// The lines, without blanks at their ends.
    var text: String {
        let all = [head] + rows
        let widths = head.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        return all.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                line += cell
                if column < row.count - 1 { line += String(repeating: " ", count: widths[column] - cell.count + 2) }
            }
            return line
        }.joined(separator: "\n")
    }
}
