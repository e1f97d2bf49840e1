// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// The names of the windows that an instant lies in, UTC.
package struct UsageWindowNames: Sendable, Hashable {
    /// `2027-01-01T00`
    package let hour: String
    /// `2027-01-01`
    package let day: String
    /// `2026-W53`: of the ISO year.
    package let week: String
    /// `2027-01`
    package let month: String

    /// The windows of an instant.
    package init(at instant: Timestamp) {
        let text = instant.rfc3339
        hour = String(text.prefix(13))
        day = String(text.prefix(10))
        month = String(text.prefix(7))
        let iso = UTCDay(instant).isoWeek
        let year = String(iso.year)
        let zeros = String(repeating: "0", count: max(0, 4 - year.utf8.count))
        week = "\(zeros)\(year)-W\(iso.week < 10 ? "0" : "")\(iso.week)"
    }

    /// The name of one of them.
    package subscript(granularity: UsageWindowDelta.Granularity) -> String {
        switch granularity {
        case .hour: hour
        case .day: day
        case .week: week
        case .month: month
        }
    }
}

extension UsageWindowDelta.Granularity {
    /// The start of the window in which an instant lies, UTC; weeks begin on Monday.
    package func start(of instant: Timestamp) -> Timestamp {
        switch self {
        case .hour: Timestamp(seconds: UTCDay.floor(instant.seconds, 3600) * 3600)
        case .day: UTCDay(instant).start
        case .week: UTCDay(instant).monday.start
        case .month: UTCDay(instant).startOfMonth.start
        }
    }

    /// The end of the window in which an instant lies: the start of the next one.
    package func end(of instant: Timestamp) -> Timestamp {
        let start = start(of: instant)
        return switch self {
        case .hour: start.adding(seconds: 3600)
        case .day: start.adding(seconds: UTCDay.seconds)
        case .week: start.adding(seconds: 7 * UTCDay.seconds)
        case .month: UTCDay(number: UTCDay(start).number + 31).startOfMonth.start
        }
    }

    /// What every window of an instant gains, one of each length.
    package static func windows(
        at instant: Timestamp, _ dimensions: UsageDimensions, _ amounts: UsageAmounts
    ) -> [UsageWindowDelta] {
        allCases.map {
            UsageWindowDelta(
                granularity: $0, start: $0.start(of: instant), dimensions: dimensions, amounts: amounts)
        }
    }
}
