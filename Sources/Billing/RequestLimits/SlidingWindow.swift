// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// How many were counted in the present part of a window and in the 59 before it. A plain value; parts are numbers.
///
/// Only parts in which something was counted take room. Time may stand still or run back a little: then the newest part goes on. If it runs
/// back by a whole window or more the clock was wrong, and what was counted under it is forgotten.
package struct SlidingWindow: Sendable, Hashable {
    /// Parts of a window, the present one included.
    package static let partCount: Int64 = 60

    private struct Part: Sendable, Hashable {
        /// The low half of the part's number: all parts that are kept lie close together.
        var low: UInt32
        var count: UInt32
    }

    /// In the order of time.
    private var parts: [Part] = []
    /// The number of the last of `parts`.
    private var newest: Int64 = 0
    /// What is counted in all of `parts`.
    package private(set) var total: Int64 = 0

    package init() {}

    /// Whether nothing is counted.
    package var isEmpty: Bool { parts.isEmpty }

    /// Forgets what left the window.
    ///
    /// - Returns: the part in which something would be counted now.
    package mutating func advance(to part: Int64) -> Int64 {
        guard !parts.isEmpty else { return part }
        if part < newest {
            guard newest - part >= Self.partCount else { return newest }
            self = SlidingWindow()
            return part
        }
        guard part - newest < Self.partCount else {
            parts.removeAll(keepingCapacity: true)
            total = 0
            return part
        }
        var gone = 0
        while gone < parts.count, number(parts[gone]) <= part - Self.partCount {
            total -= Int64(parts[gone].count)
            gone += 1
        }
        if gone > 0 { parts.removeFirst(gone) }
        return part
    }

    /// Counts one. Nothing is counted in a part before the newest one: `advance` says which part that is.
    package mutating func add(in part: Int64) {
        total += 1
        if !parts.isEmpty, part <= newest {
            parts[parts.count - 1].count &+= 1
        } else {
            newest = part
            parts.append(Part(low: UInt32(truncatingIfNeeded: part), count: 1))
        }
    }

    /// Takes one back that was counted in that part; nothing happens when the part has left.
    package mutating func remove(from part: Int64) {
        guard let index = parts.lastIndex(where: { number($0) == part }) else { return }
        total -= 1
        parts[index].count -= 1
        guard parts[index].count == 0 else { return }
        parts.remove(at: index)
        if let last = parts.last { newest = number(last) }
    }

    /// The oldest part in which something is counted; nil when nothing is.
    package var oldest: Int64? { parts.first.map(number) }

    /// The part at which the window has room again when nothing more is counted; nil when it has room.
    ///
    /// - Parameter part: the present one; a limit of 0 has no room as far as anybody can see.
    package func opens(limit: Int64, at part: Int64) -> Int64? {
        guard total >= limit else { return nil }
        var rest = total
        for counted in parts {
            rest -= Int64(counted.count)
            if rest < limit { return number(counted) + Self.partCount }
        }
        return part + Self.partCount
    }

    private func number(_ part: Part) -> Int64 {
        newest - Int64(UInt32(truncatingIfNeeded: newest) &- part.low)
    }
}
