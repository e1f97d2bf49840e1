// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// For how long an alert is acknowledged: one number and one unit, `^[1-9][0-9]{0,6}[smhd]$`.
package enum AckDuration {
    /// The seconds that a text means.
    ///
    /// - Throws: `healing.bad_duration`, `healing.duration_too_long`.
    package static func seconds(_ text: String, atMost maximum: Int64) throws(Refusal) -> Int64 {
        guard let seconds = parse(text) else {
            throw Refusal(
                .healingBadDuration,
                message: "duration: expected a whole number and one of s, m, h, d, such as 30m, 2h or 1d")
        }
        guard seconds <= maximum else {
            throw Refusal(
                .healingDurationTooLong, message: "duration: \(text) is longer than \(maximum) s, the longest there is",
                details: ["maximum_seconds": .int(maximum)])
        }
        return seconds
    }

    /// Nil when the text is no such duration.
    package static func parse(_ text: String) -> Int64? {
        var bytes = Array(text.utf8)
        guard let unit = bytes.popLast(), (1...7).contains(bytes.count), bytes[0] != 0x30,
            bytes.allSatisfy({ (0x30...0x39).contains($0) })
        else { return nil }
        let number = bytes.reduce(Int64(0)) { $0 * 10 + Int64($1 - 0x30) }
        switch unit {
        case UInt8(ascii: "s"): return number
        case UInt8(ascii: "m"): return number * 60
        case UInt8(ascii: "h"): return number * 3600
        case UInt8(ascii: "d"): return number * 86_400
        default: return nil
        }
    }
}
