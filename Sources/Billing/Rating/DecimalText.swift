// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Numbers with a fixed number of decimals, held as whole numbers of the smallest step.
enum DecimalText {
    /// `12.5` with two decimals is 1250.
    ///
    /// - Parameters:
    ///   - decimals: how many there may be, 0 to 9.
    ///   - wholeDigits: how many may stand before the point, 1 to 9.
    /// - Returns: nil for signs, blanks, exponents, more digits than allowed and anything else.
    static func parse(_ text: String, decimals: Int, wholeDigits: Int) -> Int64? {
        var value: Int64 = 0
        var whole = 0
        var fraction = -1
        for byte in text.utf8 {
            if byte == UInt8(ascii: "."), fraction < 0, whole > 0 {
                fraction = 0
                continue
            }
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            if fraction >= 0 { fraction += 1 } else { whole += 1 }
            guard whole <= wholeDigits, fraction <= decimals else { return nil }
            value = value * 10 + Int64(byte - UInt8(ascii: "0"))
        }
        guard whole > 0, fraction != 0 else { return nil }
        for _ in max(0, fraction)..<decimals { value *= 10 }
        return value
    }

    /// The same for a number or a text of a document.
    static func parse(_ value: JSONValue, decimals: Int, wholeDigits: Int) -> Int64? {
        switch value {
        case .string(let text): parse(text, decimals: decimals, wholeDigits: wholeDigits)
        case .int(let number): parse("\(number)", decimals: decimals, wholeDigits: wholeDigits)
        // The shortest text that gives the number again is what its author wrote.
        case .double(let number):
            number == number.rounded() && abs(number) < 1e9
                ? parse("\(Int64(number))", decimals: decimals, wholeDigits: wholeDigits)
                : parse("\(number)", decimals: decimals, wholeDigits: wholeDigits)
        default: nil
        }
    }

    /// The shortest text of a value.
    static func text(_ value: Int64, decimals: Int) -> String {
        var scale: Int64 = 1
        for _ in 0..<decimals { scale *= 10 }
        let (whole, rest) = value.quotientAndRemainder(dividingBy: scale)
        guard rest > 0 else { return "\(whole)" }
        var digits = "\(rest)"
        while digits.utf8.count < decimals { digits = "0" + digits }
        while digits.utf8.last == UInt8(ascii: "0") { digits.removeLast() }
        return "\(whole).\(digits)"
    }
}
