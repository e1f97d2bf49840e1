// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// `Retry-After`: seconds, or the date that all dates of HTTP are written as (RFC 9110, sections 5.6.7 and 10.2.3).
enum RetryAfter {
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// How long to wait, in seconds, never below 0; nil for what is neither. The two forms of dates that are obsolete are not read.
    static func seconds(_ text: String, at now: Timestamp) -> Int64? {
        let text = ASCII.trimmed(text)
        if (1...9).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            return Int64(text)
        }
        // `Wed, 21 Oct 2026 07:28:00 GMT`
        let words = text.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 6, words[0].utf8.count == 4, words[0].last == ",", words[5] == "GMT",
            words[1].utf8.count == 2, let month = months.firstIndex(of: String(words[2])),
            let instant = Timestamp(
                rfc3339: "\(words[3])-\(month < 9 ? "0" : "")\(month + 1)-\(words[1])T\(words[4])Z")
        else { return nil }
        return max(0, instant.seconds - now.seconds)
    }
}
