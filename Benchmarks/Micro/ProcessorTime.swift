// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// The time that this thread spent on a processor: what else the machine does meanwhile is not counted.
enum ProcessorTime {
    /// Which thread this is.
    static var thread: UInt { UInt(bitPattern: pthread_self().hashValue) }

    /// Nanoseconds since the thread began.
    static var nanoseconds: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
