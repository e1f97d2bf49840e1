// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Failures by key, each counting for one interval. The least recently used key goes when there are too many.
struct FailureWindows<Key: Hashable & Sendable>: Sendable {
    /// How far over the limit a key is.
    struct Standing: Sendable, Hashable {
        let count: Int
        /// Whole seconds, rounded up, until the count falls below the limit; at least 1.
        let retryAfterSeconds: Int64
    }

    /// Failures that block; 0 = never.
    let limit: Int
    let interval: Int64
    private var windows: LRUCache<Key, [Timestamp]>

    init(limit: Int, intervalSeconds: Int64, maximumKeys: Int) {
        self.limit = limit
        interval = intervalSeconds
        windows = LRUCache(capacity: maximumKeys)
    }

    /// Whether the key is blocked. A key that is not there costs one look-up.
    mutating func standing(_ key: Key, now: Timestamp) -> Standing? {
        guard limit > 0, windows.peek(key) != nil, let times = windows.value(for: key) else { return nil }
        return standing(of: times, now: now)
    }

    /// Counts a failure of this moment, or an earlier one that is heard of now.
    ///
    /// - Returns: where the key stands, if this failure blocked it.
    mutating func record(_ key: Key, at instant: Timestamp? = nil, now: Timestamp) -> Standing? {
        guard limit > 0 else { return nil }
        let (limit, interval) = (limit, interval)
        let instant = min(instant ?? now, now)
        guard now < instant.adding(seconds: interval) else { return nil }
        let times = windows.update(key, initial: []) { times in
            times.removeAll { $0.adding(seconds: interval) <= now }
            times.insert(instant, at: (times.lastIndex { $0 <= instant } ?? -1) + 1)
            // More than the limit never changes when the key is free again.
            if times.count > limit { times.removeFirst(times.count - limit) }
            return times
        }
        return standing(of: times, now: now)
    }

    /// How many failures of a key count, and for how long they block. Does not count as a use of the key.
    func failures(_ key: Key, now: Timestamp) -> (count: Int, retryAfterSeconds: Int64?) {
        let live = (windows.peek(key) ?? []).filter { now < $0.adding(seconds: interval) }
        return (live.count, standing(of: live, now: now)?.retryAfterSeconds)
    }

    /// Forgets every key that fits.
    mutating func clear(where fits: (Key) -> Bool) {
        for entry in windows.entries where fits(entry.key) { _ = windows.remove(entry.key) }
    }

    /// Forgets a key.
    mutating func clear(_ key: Key) -> Bool { windows.remove(key) != nil }

    /// Every key that is blocked.
    func blocked(now: Timestamp) -> [(key: Key, standing: Standing)] {
        guard limit > 0 else { return [] }
        return windows.entries.compactMap { entry in standing(of: entry.value, now: now).map { (entry.key, $0) } }
    }

    private func standing(of times: [Timestamp], now: Timestamp) -> Standing? {
        let live = times.filter { now < $0.adding(seconds: interval) }
        guard live.count >= limit else { return nil }
        let free = live[live.count - limit].adding(seconds: interval)
        let micros = free.microseconds - now.microseconds
        return Standing(count: live.count, retryAfterSeconds: max(1, (micros + 999_999) / 1_000_000))
    }
}
