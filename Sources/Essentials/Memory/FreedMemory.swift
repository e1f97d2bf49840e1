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
}
