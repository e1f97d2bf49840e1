// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Where the time comes from. Everything that compares instants takes one, so that tests can move it.
package protocol WallClock: Sendable {
    /// The present instant.
    func now() -> Timestamp
}

/// The machine's own clock.
package struct SystemWallClock: WallClock {
    /// The machine's own clock.
    package init() {}

    package func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
    }
}
