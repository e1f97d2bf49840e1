// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Which thresholds of a limit were crossed in a window: 50, 80 and 100 percent, each once. A plain value.
package struct ThresholdLevels: Sendable, Hashable {
    /// In percent of the limit.
    package static let percents: [Int64] = [50, 80, 100]

    /// The highest that was crossed, in percent; 0 = none.
    package private(set) var highest: Int64

    /// - Parameter highest: as it was stored; 0 at the start of a window.
    package init(highest: Int64 = 0) { self.highest = highest }

    /// The thresholds that are crossed now and were not before, the lowest first.
    ///
    /// - Parameters:
    ///   - used: in any unit.
    ///   - limit: in the same unit; nil = no limit, of which nothing is crossed, as of 0.
    package mutating func crossed(used: Int64, limit: Int64?) -> [Int64] {
        guard let limit, limit > 0 else { return [] }
        let fired = Self.percents.filter { $0 > highest && Int128(used) * 100 >= Int128($0) * Int128(limit) }
        if let last = fired.last { highest = last }
        return fired
    }

    /// A new window has begun.
    package mutating func rearm() { highest = 0 }
}
