// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// The time that a caller gives a call, as the header `grpc-timeout` says it.
enum CallDeadline {
    /// Reads at most eight digits and a unit: hours, minutes, seconds, and the parts of a second `m`, `u`, `n`.
    ///
    /// - Returns: nil for anything else, which is no deadline.
    static func parse(_ text: String) -> Duration? {
        let digits = text.utf8.dropLast()
        guard let unit = text.utf8.last, (1...8).contains(digits.count),
            digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let number = Int64(Substring(digits))
        else { return nil }
        switch unit {
        case UInt8(ascii: "H"): return .seconds(number * 3600)
        case UInt8(ascii: "M"): return .seconds(number * 60)
        case UInt8(ascii: "S"): return .seconds(number)
        case UInt8(ascii: "m"): return .milliseconds(number)
        case UInt8(ascii: "u"): return .microseconds(number)
        case UInt8(ascii: "n"): return .nanoseconds(number)
        default: return nil
        }
    }
}
