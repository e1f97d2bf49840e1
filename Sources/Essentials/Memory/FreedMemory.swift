// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Memory that the program has freed and the allocator keeps for later.
package enum FreedMemory {
    /// Gives it back to the system, where the C library can (`malloc_trim(3)`, GNU). Takes milliseconds: for work that comes rarely.
    package static func release() {
        typealias Trim = @convention(c) (Int) -> CInt
        // The headers that the compiler knows do not show it.
        guard let symbol = dlsym(nil, "malloc_trim") else { return }
        _ = unsafeBitCast(symbol, to: Trim.self)(0)
    }

    /// Has threads share what they freed (`mallopt(3)`, GNU), and large pieces go back to the system at once. For the start of a process.
    ///
    /// The allocator gives each of the first dozens of threads memory of its own: what one of them has freed, no other one uses.
    package static func share() {
        typealias Option = @convention(c) (CInt, CInt) -> CInt
        guard let symbol = dlsym(nil, "mallopt") else { return }
        let set = unsafeBitCast(symbol, to: Option.self)
        // M_ARENA_MAX; M_MMAP_THRESHOLD, which would grow to the largest piece that was ever freed.
        _ = set(-8, 2)
        _ = set(-3, 256 << 10)
    }
}
