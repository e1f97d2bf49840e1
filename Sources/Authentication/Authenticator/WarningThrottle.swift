// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Synchronization

/// Lets a warning through at most once a minute.
final class WarningThrottle: Sendable {
    private let next = Atomic<Int64>(.min)

    func allows(at now: Timestamp) -> Bool {
        let due = next.load(ordering: .relaxed)
        guard now.microseconds >= due else { return false }
        return next.compareExchange(
            expected: due, desired: now.adding(seconds: 60).microseconds, ordering: .relaxed
        ).exchanged
    }
}
