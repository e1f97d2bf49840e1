// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// An instant of wall-clock time, in whole microseconds since 1970-01-01T00:00:00Z.
package struct Timestamp: Sendable, Hashable, Comparable {
    /// Microseconds since 1970-01-01T00:00:00Z.
    package let microseconds: Int64

    /// Takes microseconds since 1970-01-01T00:00:00Z.
    package init(microseconds: Int64) { self.microseconds = microseconds }

    /// Takes whole seconds since 1970-01-01T00:00:00Z; saturates instead of overflowing.
    package init(seconds: Int64) {
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
        microseconds = overflow ? (seconds < 0 ? .min : .max) : product
    }

    /// Whole seconds since 1970-01-01T00:00:00Z, rounded down.
    package var seconds: Int64 {
        let (seconds, rest) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        return rest < 0 ? seconds - 1 : seconds
    }

    /// Whole milliseconds since 1970-01-01T00:00:00Z, cut.
    package var milliseconds: Int64 { microseconds / 1000 }

    package static func < (left: Timestamp, right: Timestamp) -> Bool { left.microseconds < right.microseconds }

    /// This instant plus whole seconds; saturates instead of overflowing.
    package func adding(seconds: Int64) -> Timestamp {
        Timestamp(microseconds: microseconds.addingSaturated(Timestamp(seconds: seconds).microseconds))
    }

    /// This instant cut to the second.
    package var cutToSecond: Timestamp { Timestamp(seconds: seconds) }

    /// The first instant of the year 0, the oldest that can be written.
    static let yearZero = Timestamp(seconds: -62_167_219_200)

    /// The largest instant that any setting, token or object may name: 9999-12-31T23:59:59Z.
    package static let latest = Timestamp(seconds: 253_402_300_799)
}
