// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Counts from zero.
final class Counter: Sendable {
    private let value = Atomic<Int>(0)

    /// The number before this call.
    func next() -> Int { value.add(1, ordering: .relaxed).oldValue }

    var count: Int { value.load(ordering: .relaxed) }
}
