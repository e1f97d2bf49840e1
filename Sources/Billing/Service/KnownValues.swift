// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Synchronization

/// Values of dimensions that are stored for certain for an account and day, so that the store need not be asked for each event. Bounded.
final class KnownValues: Sendable {
    /// A value of a dimension on a day.
    struct Entry: Sendable, Hashable {
        var account: String
        var day: Timestamp
        var dimension: UsageDimension
        var value: String
    }

    private let entries: Mutex<LRUCache<Entry, Bool>>

    init(capacity: Int = 65_536) { entries = Mutex(LRUCache(capacity: capacity)) }

    func contains(_ entry: Entry) -> Bool { entries.withLock { $0.value(for: entry) ?? false } }

    /// Keeps values whose transaction has been stored.
    func keep(_ stored: [Entry]) {
        guard !stored.isEmpty else { return }
        entries.withLock { entries in for entry in stored { _ = entries.insert(true, for: entry) } }
    }
}
