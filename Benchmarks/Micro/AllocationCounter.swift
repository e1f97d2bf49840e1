// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import CAllocationCounter

/// Counts calls of the allocator in this process.
enum AllocationCounter {
    /// Allocations so far, on all threads.
    static var count: UInt64 { tollgate_allocation_count() }
}
