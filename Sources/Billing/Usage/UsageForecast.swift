// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// How a period will end if it goes on like its mean day.
package struct UsageForecast: Sendable, Hashable {
    /// Where daily use is going.
    package enum Trend: String, Sendable, CaseIterable {
        case rising, falling, flat
        /// Too few complete days.
        case unknown
    }

    /// How much of the period it rests on.
    package enum Confidence: String, Sendable, CaseIterable {
        case low, medium, high
    }

    package let elapsedDays: Int64
    package let periodDays: Int64
    package let usedMicroCredits: Int64
    package let projectedMicroCredits: Int64
    /// When nothing is left, if that is within the period.
    package let exhaustedAt: Timestamp?
    package let trend: Trend
    package let confidence: Confidence

    /// - Parameters:
    ///   - now: within the period.
    ///   - used: micro-credits since its start.
    ///   - available: micro-credits that can still be spent.
    ///   - completeDays: use of each complete day of the period, the oldest first.
    /// - Throws: `billing.overflow`.
    package init(
        now: Timestamp, periodStart: Timestamp, periodEnd: Timestamp, used: Int64, available: Int64,
        completeDays: [Int64]
    ) throws(Refusal) {
        let day = UTCDay.seconds
        elapsedDays = max(1, (max(now, periodStart).seconds - periodStart.seconds) / day + 1)
        periodDays = max(1, (periodEnd.seconds - periodStart.seconds + day - 1) / day)
        usedMicroCredits = used
        projectedMicroCredits = try HalfUp.quotient(Int128(max(0, used)) * Int128(periodDays), Int128(elapsedDays))
        exhaustedAt = Self.exhausted(
            now: now, periodEnd: periodEnd, used: used, available: available, elapsedDays: elapsedDays)
        trend = Self.trend(completeDays)
        confidence = elapsedDays >= 14 ? .high : elapsedDays >= 7 ? .medium : .low
    }

    /// `{method, elapsed_days, period_days, used_micro_credits, projected_micro_credits, exhausted_at, trend, confidence}`
    package var json: JSONValue {
        [
            "method": "mean_daily", "elapsed_days": .int(elapsedDays), "period_days": .int(periodDays),
            "used_micro_credits": .int(usedMicroCredits), "projected_micro_credits": .int(projectedMicroCredits),
            "exhausted_at": .optional(exhaustedAt?.rfc3339), "trend": .string(trend.rawValue),
            "confidence": .string(confidence.rawValue),
        ]
    }

    private static func exhausted(
        now: Timestamp, periodEnd: Timestamp, used: Int64, available: Int64, elapsedDays: Int64
    ) -> Timestamp? {
        guard used > 0 else { return nil }
        let left = Int128(max(0, available)) * Int128(elapsedDays) * Int128(UTCDay.seconds) / Int128(used)
        guard let seconds = Int64(exactly: left) else { return nil }
        let end = now.adding(seconds: seconds)
        return end < periodEnd ? end : nil
    }

    /// The last half of the days against the first half; a day in the middle counts for neither.
    private static func trend(_ days: [Int64]) -> Trend {
        guard days.count >= 3 else { return .unknown }
        let half = days.count / 2
        let first = days.prefix(half).reduce(Int128(0)) { $0 + Int128($1) }
        let last = days.suffix(half).reduce(Int128(0)) { $0 + Int128($1) }
        if last * 100 > first * 115 { return .rising }
        return last * 100 < first * 85 ? .falling : .flat
    }
}
