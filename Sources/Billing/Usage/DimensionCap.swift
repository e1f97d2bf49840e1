// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Keeps the number of different values of a dimension within bounds, for one account and day: what comes later is counted as `other`.
package struct DimensionCap: Sendable {
    /// Most values of a dimension, account and day.
    package static let maximumValues = 10_000
    /// Under what the rest is counted.
    package static let other = "other"

    private var known: Set<String>
    private let maximum: Int

    /// - Parameters:
    ///   - known: the values that the day has so far.
    ///   - maximum: most values; another number than the usual one is for tests.
    package init(known: Set<String>, maximum: Int = DimensionCap.maximumValues) {
        self.known = known
        self.maximum = maximum
    }

    /// Under what a value is counted: itself, or `other` where there is no room for one more. Nothing said stays nothing said.
    package mutating func admit(_ value: String) -> String {
        if value.isEmpty || value == Self.other || known.contains(value) { return value }
        guard known.count < maximum else { return Self.other }
        known.insert(value)
        return value
    }
}
