// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// A day of the proleptic Gregorian calendar, UTC.
package struct UTCDay: Sendable, Hashable {
    package let year: Int64
    package let month: Int64
    package let day: Int64
    /// Days since 1970-01-01.
    package let number: Int64

    /// The day in which an instant lies.
    package init(_ instant: Timestamp) {
        self.init(number: UTCDay.floor(instant.seconds, UTCDay.seconds))
    }

    /// Takes days since 1970-01-01.
    ///
    /// Howard Hinnant's `civil_from_days`: exact for every day that this product can name.
    package init(number: Int64) {
        let shifted = number + 719_468
        let era = Self.floor(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        self.number = number
        day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    /// Takes a date that exists: `month` 1 to 12, `day` 1 to the length of the month.
    package init(year: Int64, month: Int64, day: Int64) {
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = Self.floor(shiftedYear, 400)
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        self.year = year
        self.month = month
        self.day = day
        number = era * 146_097 + dayOfEra - 719_468
    }

    /// Seconds of a day.
    static let seconds: Int64 = 86_400

    /// Its first instant.
    package var start: Timestamp { Timestamp(seconds: number * Self.seconds) }

    /// The first day of its month.
    package var startOfMonth: UTCDay { UTCDay(number: number - (day - 1)) }

    /// How many days its month has.
    var lengthOfMonth: Int64 {
        let first = startOfMonth
        // Whatever the length, 31 days on lie in the next month.
        return UTCDay(number: first.number + 31).startOfMonth.number - first.number
    }

    /// The Monday of its week.
    package var monday: UTCDay { UTCDay(number: Self.floor(number + 3, 7) * 7 - 3) }

    /// The ISO week: that of which the Thursday lies in the year.
    package var isoWeek: (year: Int64, week: Int64) {
        let thursday = UTCDay(number: monday.number + 3)
        return (thursday.year, (thursday.number - UTCDay(year: thursday.year, month: 1, day: 1).number) / 7 + 1)
    }

    static func floor(_ value: Int64, _ divisor: Int64) -> Int64 {
        let (quotient, rest) = value.quotientAndRemainder(dividingBy: divisor)
        return rest < 0 ? quotient - 1 : quotient
    }
}
