// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Amounts in millionths as people read them, exactly: nothing is rounded.
enum MicroText {
    /// Micro-US-dollars as `$1.50`, `-$0.000001`: two decimals, or as many as the amount has.
    static func dollars(_ micro: Int64) -> String {
        let (sign, whole, fraction) = parts(micro)
        var decimals = fraction
        while decimals.count > 2, decimals.hasSuffix("0") { decimals.removeLast() }
        return "\(sign)$\(whole).\(decimals)"
    }

    /// Micro-credits as `1.75`, without zeros at the end.
    static func credits(_ micro: Int64) -> String {
        let (sign, whole, fraction) = parts(micro)
        var decimals = fraction
        while decimals.hasSuffix("0") { decimals.removeLast() }
        return decimals.isEmpty ? "\(sign)\(whole)" : "\(sign)\(whole).\(decimals)"
    }

    private static func parts(_ micro: Int64) -> (sign: String, whole: UInt64, fraction: String) {
        let (whole, rest) = micro.magnitude.quotientAndRemainder(dividingBy: 1_000_000)
        let digits = String(rest)
        return (micro < 0 ? "-" : "", whole, String(repeating: "0", count: 6 - digits.count) + digits)
    }
}
