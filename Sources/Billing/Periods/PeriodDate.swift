// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// A day, UTC, and the time of day after it.
struct PeriodDate: Hashable {
    static let microsecondsPerDay: Int64 = 86_400_000_000

    let day: UTCDay
    /// Microseconds since midnight.
    let timeOfDay: Int64

    init(_ instant: Timestamp) {
        day = UTCDay(number: UTCDay.floor(instant.microseconds, Self.microsecondsPerDay))
        timeOfDay = instant.microseconds - day.number * Self.microsecondsPerDay
    }

    /// Months from this one's to another's.
    func months(to other: PeriodDate) -> Int64 { (other.day.year - day.year) * 12 + other.day.month - day.month }

    /// This date so many months on; a day that the month does not have is its last.
    func adding(months: Int64) -> Timestamp {
        let index = day.year * 12 + day.month - 1 + months
        let year = UTCDay.floor(index, 12)
        let first = UTCDay(year: year, month: index - year * 12 + 1, day: 1)
        let number = first.number + min(day.day, first.lengthOfMonth) - 1
        return Timestamp(microseconds: number * Self.microsecondsPerDay + timeOfDay)
    }
}
