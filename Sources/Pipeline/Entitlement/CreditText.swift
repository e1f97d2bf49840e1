// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Amounts of credits for people and headers.
package enum CreditText {
    private static let microCreditsPerCredit: UInt64 = 1_000_000

    /// Credits as a decimal text without trailing zeros: 4 250 000 micro-credits are `4.25`. Exact for every amount.
    package static func credits(_ microCredits: Int64) -> String {
        let (whole, fraction) = microCredits.magnitude.quotientAndRemainder(dividingBy: microCreditsPerCredit)
        let sign = microCredits < 0 ? "-" : ""
        guard fraction > 0 else { return "\(sign)\(whole)" }
        // The leading 1 keeps the zeros behind the point.
        var digits = Array(String(microCreditsPerCredit + fraction).utf8.dropFirst())
        while digits.last == UInt8(ascii: "0") { digits.removeLast() }
        return "\(sign)\(whole).\(String(decoding: digits, as: UTF8.self))"
    }
}
