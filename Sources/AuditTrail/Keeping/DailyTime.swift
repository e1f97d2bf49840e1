// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// A time of day in UTC, to the minute.
package struct DailyTime: Sendable, Hashable, CustomStringConvertible {
    private static let secondsOfDay: Int64 = 86_400

    /// Seconds since midnight.
    private let seconds: Int64

    /// - Parameter hour: 0–23.
    /// - Parameter minute: 0–59.
    package init(hour: Int, minute: Int) { seconds = Int64(hour * 3600 + minute * 60) }

    /// Reads `hh:mm`; nil for anything else.
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        let digits = [0, 1, 3, 4].allSatisfy { bytes.count == 5 && (0x30...0x39).contains(bytes[$0]) }
        guard digits, bytes[2] == UInt8(ascii: ":"), let hour = Int(text.prefix(2)), let minute = Int(text.suffix(2)),
            hour <= 23, minute <= 59
        else { return nil }
        self.init(hour: hour, minute: minute)
    }

    /// The first such time behind an instant.
    package func next(after instant: Timestamp) -> Timestamp {
        let midnight = instant.seconds / Self.secondsOfDay * Self.secondsOfDay
        let today = Timestamp(seconds: midnight + seconds)
        return today > instant ? today : today.adding(seconds: Self.secondsOfDay)
    }

    package var description: String {
        let (hour, minute) = (seconds / 3600, seconds / 60 % 60)
        return "\(hour < 10 ? "0" : "")\(hour):\(minute < 10 ? "0" : "")\(minute)"
    }
}
