// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Keeps the number of different values of a dimension within bounds, for one account and day: what comes later is counted as `other`.
package struct DimensionCap: Sendable {
    /// Most values of a dimension, account and day.
    package static let maximumValues = 10_000
    /// Under what the rest is counted.
    package static let other = "other"

    private var count: Int
    private var fresh: Set<String> = []
    private let maximum: Int

    /// - Parameters:
    ///   - count: how many values the day has so far.
    ///   - maximum: most values; another number than the usual one is for tests.
    package init(count: Int, maximum: Int = DimensionCap.maximumValues) {
        self.count = count
        self.maximum = maximum
    }

    /// Under what a value is counted: itself, or `other` where there is no room for one more. Nothing said stays nothing said.
    ///
    /// - Parameter isKnown: whether the day has it already.
    package mutating func admit(_ value: String, isKnown: Bool) -> String {
        if value.isEmpty || value == Self.other || isKnown || fresh.contains(value) { return value }
        guard count < maximum else { return Self.other }
        count += 1
        fresh.insert(value)
        return value
    }
}
