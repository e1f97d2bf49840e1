// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Bars of a small chart: as long as a value is to the largest of all.
struct TextBar {
    /// The longest one, in characters.
    static let width = 24

    private let largest: Int64
    private let mark: String

    /// - Parameters:
    ///   - values: all that the chart shows.
    ///   - isPlain: whether marks are plain ASCII, for what is no terminal.
    init(_ values: [Int64], isPlain: Bool) {
        largest = values.max() ?? 0
        mark = isPlain ? "#" : "█"
    }

    /// Empty for 0 and below; at least one mark for everything above.
    func text(_ value: Int64) -> String {
        guard value > 0, largest > 0 else { return "" }
        let length = Int128(value) * Int128(Self.width) / Int128(largest)
        return String(repeating: mark, count: max(1, Int(length)))
    }
}
