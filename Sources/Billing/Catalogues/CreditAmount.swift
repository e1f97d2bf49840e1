// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Credits as catalogue and objects write them: a number, or a decimal text, with up to six decimals.
package enum CreditAmount {
    static let microCreditsPerCredit: Int64 = 1_000_000
    /// Largest amount: 10¹² credits less one.
    private static let maximumDigits = 12

    /// Micro-credits; nil where the value is no amount. −1 stays −1: no limit.
    package static func microCredits(_ value: JSONValue) -> Int64? {
        switch value {
        case .int(let number): number == -1 ? -1 : parse("\(number)")
        // The shortest text that gives the number again is what its author wrote.
        case .double(let number): parse("\(number)")
        case .string(let text): text == "-1" ? -1 : parse(text)
        default: nil
        }
    }

    private static func parse(_ text: String) -> Int64? {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = digits(parts[0]), (1...maximumDigits).contains(parts[0].count) else { return nil }
        guard parts.count == 2 else { return whole * microCreditsPerCredit }
        guard (1...6).contains(parts[1].count), var fraction = digits(parts[1]) else { return nil }
        for _ in parts[1].count..<6 { fraction *= 10 }
        return whole * microCreditsPerCredit + fraction
    }

    private static func digits(_ text: Substring.UTF8View) -> Int64? {
        guard text.count <= maximumDigits else { return nil }
        var value: Int64 = 0
        for byte in text {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            value = value * 10 + Int64(byte - UInt8(ascii: "0"))
        }
        return value
    }
}
