// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import CAllocationCounter

/// Counts calls of the allocator.
enum AllocationCounter {
    /// Allocations of this thread so far; what other threads do meanwhile is not counted.
    static var count: UInt64 { tollgate_allocation_count() }
}
