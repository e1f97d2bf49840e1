// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Measures how long something takes, on the monotonic clock. For metrics and explanations only: nothing is decided by it.
package struct Stopwatch: Sendable {
    private var start: Int64

    /// Starts now.
    package init() { start = Self.monotonicNanoseconds() }

    /// Nanoseconds since the start or the last lap.
    package var nanoseconds: Int64 { Self.monotonicNanoseconds() - start }

    /// Nanoseconds since the start or the last lap, and a new lap from now.
    package mutating func lap() -> Int64 {
        let now = Self.monotonicNanoseconds()
        defer { start = now }
        return now - start
    }

    private static func monotonicNanoseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
