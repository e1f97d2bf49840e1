// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// A span of time: from its start to before its end.
package struct BillingPeriod: Sendable, Hashable {
    package var start: Timestamp
    package var end: Timestamp

    package init(start: Timestamp, end: Timestamp) {
        self.start = start
        self.end = end
    }

    /// Whether an instant lies in it.
    package func contains(_ instant: Timestamp) -> Bool { start <= instant && instant < end }

    /// The period of a subscription that an instant lies in.
    ///
    /// - Parameter anchor: where periods are counted from, backwards too; each begins at its time of day. Months are added to the anchor
    ///   itself: after 31 January come 28 February and 31 March.
    package static func of(
        _ interval: Plan.Interval, anchor: Timestamp, containing instant: Timestamp
    ) -> BillingPeriod {
        switch interval {
        case .month: month(anchor: PeriodDate(anchor), containing: instant)
        case .thirtyDays: days(30, from: anchor, containing: instant)
        }
    }

    /// The day, UTC.
    package static func day(containing instant: Timestamp) -> BillingPeriod {
        days(1, from: Timestamp(microseconds: 0), containing: instant)
    }

    /// The ISO week: from Monday, 00:00 UTC.
    package static func week(containing instant: Timestamp) -> BillingPeriod {
        // 1970-01-05 was a Monday.
        days(7, from: Timestamp(seconds: 4 * 86_400), containing: instant)
    }

    /// The calendar month, UTC.
    package static func calendarMonth(containing instant: Timestamp) -> BillingPeriod {
        month(anchor: PeriodDate(Timestamp(microseconds: 0)), containing: instant)
    }

    private static func month(anchor: PeriodDate, containing instant: Timestamp) -> BillingPeriod {
        var count = anchor.months(to: PeriodDate(instant))
        // The clipped day of this month may still be ahead.
        if anchor.adding(months: count) > instant { count -= 1 }
        return BillingPeriod(start: anchor.adding(months: count), end: anchor.adding(months: count + 1))
    }

    private static func days(_ count: Int64, from anchor: Timestamp, containing instant: Timestamp) -> BillingPeriod {
        let length = count * PeriodDate.microsecondsPerDay
        let (number, rest) = (instant.microseconds - anchor.microseconds).quotientAndRemainder(dividingBy: length)
        let start = anchor.microseconds + (rest < 0 ? number - 1 : number) * length
        return BillingPeriod(
            start: Timestamp(microseconds: start), end: Timestamp(microseconds: start.addingSaturated(length)))
    }
}
