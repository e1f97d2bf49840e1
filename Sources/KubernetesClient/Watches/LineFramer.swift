// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Cuts a stream of bytes into lines. At most one line is held.
struct LineFramer {
    /// A line is longer than it may be.
    struct TooLong: Error, Equatable {}

    private let maximumBytes: Int
    private var pending: [UInt8] = []

    init(maximumBytes: Int) { self.maximumBytes = maximumBytes }

    /// Takes bytes in any portions and gives the lines that are whole, without the line feed; empty lines are left out.
    mutating func take(_ bytes: some Collection<UInt8>) throws(TooLong) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        var rest = bytes[...]
        while let feed = rest.firstIndex(of: 0x0A) {
            pending.append(contentsOf: rest[..<feed])
            guard pending.count <= maximumBytes else { throw TooLong() }
            if !pending.isEmpty { lines.append(pending) }
            pending = []
            rest = rest[rest.index(after: feed)...]
        }
        pending.append(contentsOf: rest)
        guard pending.count <= maximumBytes else { throw TooLong() }
        return lines
    }

    /// What came after the last line feed; an event that the end of the stream cut off.
    var hasRest: Bool { !pending.isEmpty }
}
