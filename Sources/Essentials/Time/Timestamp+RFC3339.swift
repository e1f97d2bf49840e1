// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

extension Timestamp {
    /// `2026-03-01T12:00:00Z`.
    package var rfc3339: String { String(decoding: formatted(fractionDigits: 0, separators: true), as: UTF8.self) }

    /// `2026-03-01T12:00:00.123456Z`, always six digits, so that text order is time order.
    package var rfc3339Micros: String {
        String(decoding: formatted(fractionDigits: 6, separators: true), as: UTF8.self)
    }

    /// `20260301T120000Z`, for file names.
    package var compact: String { String(decoding: formatted(fractionDigits: 0, separators: false), as: UTF8.self) }

    /// An instant that has no year of four digits is written as the nearest that has.
    private func formatted(fractionDigits: Int, separators: Bool) -> [UInt8] {
        let microseconds = min(max(self.microseconds, Self.yearZero.microseconds), Self.latest.microseconds)
        let seconds = Timestamp(microseconds: microseconds).seconds
        let day = seconds >= 0 ? seconds / 86_400 : -((86_399 - seconds) / 86_400)
        let secondOfDay = Int(seconds - day * 86_400)
        let date = CivilDate(daysSinceEpoch: Int(day))
        var text: [UInt8] = []
        text.reserveCapacity(27)
        func digits(_ number: Int, _ count: Int) {
            var divisor = 1
            for _ in 1..<count { divisor *= 10 }
            for _ in 0..<count {
                text.append(UInt8(ascii: "0") + UInt8(number / divisor % 10))
                divisor /= 10
            }
        }
        digits(date.year, 4)
        if separators { text.append(UInt8(ascii: "-")) }
        digits(date.month, 2)
        if separators { text.append(UInt8(ascii: "-")) }
        digits(date.day, 2)
        text.append(UInt8(ascii: "T"))
        digits(secondOfDay / 3600, 2)
        if separators { text.append(UInt8(ascii: ":")) }
        digits(secondOfDay / 60 % 60, 2)
        if separators { text.append(UInt8(ascii: ":")) }
        digits(secondOfDay % 60, 2)
        if fractionDigits > 0 {
            text.append(UInt8(ascii: "."))
            digits(Int(microseconds - seconds * 1_000_000), fractionDigits)
        }
        text.append(UInt8(ascii: "Z"))
        return text
    }

    /// Reads RFC 3339 with a zone (`Z` or `±hh:mm`), upper-case `T` or a blank between date and time; fractions beyond microseconds are cut.
    ///
    /// - Returns: nil for anything else, for dates that do not exist and for instants before 1970 or after 9999.
    package init?(rfc3339 text: some StringProtocol) {
        var reader = DateTimeReader(text: text)
        guard let instant = reader.dateTime(requiringTime: true, requiringZone: true) else { return nil }
        self = instant
    }

    /// Reads ISO 8601 as settings, tokens and bodies give it: a date alone, or date, `T`, `t` or blank, `hh:mm[:ss[.fraction]]` and
    /// `Z`, `z`, `±hh`, `±hhmm`, `±hh:mm` or nothing, which means UTC. Fractions are cut to the second.
    ///
    /// - Returns: nil for anything else, for dates that do not exist and for instants before 1970 or after 9999.
    package init?(iso8601 text: some StringProtocol) {
        var reader = DateTimeReader(text: text)
        guard let instant = reader.dateTime(requiringTime: false, requiringZone: false) else { return nil }
        self = instant.cutToSecond
    }
}

/// A day of the proleptic Gregorian calendar.
private struct CivilDate {
    let year: Int
    let month: Int
    let day: Int

    /// Howard Hinnant's `civil_from_days`: exact for every day that this product can name.
    init(daysSinceEpoch: Int) {
        let shifted = daysSinceEpoch + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    static func days(year: Int, month: Int, day: Int) -> Int {
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    static func length(ofMonth month: Int, year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

/// Reads the parts of a date and time, byte by byte.
private struct DateTimeReader {
    private let bytes: [UInt8]
    private var position = 0

    init(text: some StringProtocol) { bytes = Array(text.utf8) }

    mutating func dateTime(requiringTime: Bool, requiringZone: Bool) -> Timestamp? {
        guard let year = number(4), take("-"), let month = number(2), take("-"), let day = number(2),
            (1...12).contains(month), day >= 1, day <= CivilDate.length(ofMonth: month, year: year)
        else { return nil }
        var seconds = Int64(CivilDate.days(year: year, month: month, day: day)) * 86_400
        var micros: Int64 = 0
        if position == bytes.count {
            guard !requiringTime else { return nil }
        } else {
            guard take("T") || take("t") || take(" "), let time = clock(requiringSeconds: requiringZone) else {
                return nil
            }
            guard let offset = zone(required: requiringZone), position == bytes.count else { return nil }
            seconds += time.seconds - offset
            micros = time.micros
        }
        guard (0...Timestamp.latest.seconds).contains(seconds) else { return nil }
        return Timestamp(microseconds: seconds * 1_000_000 + micros)
    }

    private mutating func clock(requiringSeconds: Bool) -> (seconds: Int64, micros: Int64)? {
        guard let hour = number(2), take(":"), let minute = number(2), hour <= 23, minute <= 59 else { return nil }
        var second = 0
        var micros: Int64 = 0
        if take(":") {
            guard let value = number(2), value <= 59 else { return nil }
            second = value
            if take(".") {
                guard let fraction = fraction() else { return nil }
                micros = fraction
            }
        } else if requiringSeconds {
            return nil
        }
        return (Int64(hour * 3600 + minute * 60 + second), micros)
    }

    private mutating func zone(required: Bool) -> Int64? {
        if position == bytes.count { return required ? nil : 0 }
        if take("Z") || take("z") { return 0 }
        let sign: Int64
        if take("+") { sign = 1 } else if take("-") { sign = -1 } else { return nil }
        guard let hour = number(2), hour <= 23 else { return nil }
        var minute = 0
        if take(":") {
            guard let value = number(2) else { return nil }
            minute = value
        } else if !required, position < bytes.count {
            guard let value = number(2) else { return nil }
            minute = value
        } else if required {
            return nil
        }
        guard minute <= 59 else { return nil }
        return sign * Int64(hour * 3600 + minute * 60)
    }

    private mutating func fraction() -> Int64? {
        var micros: Int64 = 0
        var digits = 0
        while position < bytes.count, let digit = digit(bytes[position]) {
            if digits < 6 { micros = micros * 10 + Int64(digit) }
            digits += 1
            position += 1
        }
        guard digits > 0 else { return nil }
        for _ in min(digits, 6)..<6 { micros *= 10 }
        return micros
    }

    private mutating func number(_ count: Int) -> Int? {
        guard position + count <= bytes.count else { return nil }
        var result = 0
        for _ in 0..<count {
            guard let digit = digit(bytes[position]) else { return nil }
            result = result * 10 + digit
            position += 1
        }
        return result
    }

    private func digit(_ byte: UInt8) -> Int? {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) ? Int(byte - UInt8(ascii: "0")) : nil
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }
}
