// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// A day of the proleptic Gregorian calendar, UTC, and the time of day after it.
struct PeriodDate: Hashable {
    static let microsecondsPerDay: Int64 = 86_400_000_000

    var year: Int64
    var month: Int64
    var day: Int64
    /// Microseconds since midnight.
    var timeOfDay: Int64

    init(_ instant: Timestamp) {
        let days = Self.days(instant)
        timeOfDay = instant.microseconds - days * Self.microsecondsPerDay
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    /// Whole days since 1970-01-01, rounded down.
    static func days(_ instant: Timestamp) -> Int64 {
        let (days, rest) = instant.microseconds.quotientAndRemainder(dividingBy: microsecondsPerDay)
        return rest < 0 ? days - 1 : days
    }

    /// This date so many months on; a day that the month does not have is its last.
    func adding(months: Int64) -> Timestamp {
        let index = year * 12 + month - 1 + months
        let newYear = index >= 0 ? index / 12 : -((11 - index) / 12)
        let newMonth = index - newYear * 12 + 1
        let newDay = min(day, Self.length(ofMonth: newMonth, year: newYear))
        let days = Self.days(year: newYear, month: newMonth, day: newDay)
        return Timestamp(microseconds: days * Self.microsecondsPerDay + timeOfDay)
    }

    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func length(ofMonth month: Int64, year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}
