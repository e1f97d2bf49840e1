// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// How many questions may go to the cluster: 20 a second, 30 at once. A bucket that fills by itself.
struct ReviewBudget: Sendable {
    static let perSecond: Int64 = 20
    static let burst: Int64 = 30
    private static let unit: Int64 = 1_000_000

    /// In millionths of a question.
    private var level = Self.burst * Self.unit
    private var filledAt: Duration

    init(now: Duration) { filledAt = now }

    /// Takes one question.
    ///
    /// - Returns: false when there is none.
    mutating func take(now: Duration) -> Bool {
        let passed = max(0, (now - filledAt).wholeMicroseconds)
        filledAt = max(filledAt, now)
        let (gained, overflows) = passed.multipliedReportingOverflow(by: Self.perSecond)
        level =
            overflows
            ? Self.burst * Self.unit : min(Self.burst * Self.unit, level + min(gained, Self.burst * Self.unit))
        guard level >= Self.unit else { return false }
        level -= Self.unit
        return true
    }
}
