// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Synchronization

/// Remembers tokens that were found good, by the SHA-256 of their text and the table that they were checked against.
final class VerifiedTokenCache: Sendable {
    struct Key: Sendable, Hashable {
        let text: Fingerprint
        let table: Fingerprint
    }

    /// What was found, and how long it holds.
    final class Entry: Sendable {
        let principal: Principal
        /// `exp` and leeway.
        let end: Timestamp
        /// `x5t#S256` of the token.
        let thumbprint: String?
        /// The fetched set that holds the key, and its version; nil for keys of the entry itself.
        let keySet: (slot: RemoteKeySlot, version: Fingerprint)?

        init(
            principal: Principal, end: Timestamp, thumbprint: String?,
            keySet: (slot: RemoteKeySlot, version: Fingerprint)?
        ) {
            self.principal = principal
            self.end = end
            self.thumbprint = thumbprint
            self.keySet = keySet
        }

        func holds(now: Timestamp, certificateThumbprint: String?) -> Bool {
            guard now < end else { return false }
            if let thumbprint { guard certificateThumbprint?.isExactly(thumbprint) ?? false else { return false } }
            guard let keySet else { return true }
            return keySet.slot.serves(version: keySet.version, now: now)
        }
    }

    private let entries: Mutex<LRUCache<Key, Entry>>

    init(capacity: Int) { entries = Mutex(LRUCache(capacity: capacity)) }

    var count: Int { entries.withLock { $0.count } }

    func entry(_ key: Key, now: Timestamp, certificateThumbprint: String?) -> Entry? {
        guard let entry = entries.withLock({ $0.value(for: key) }) else { return nil }
        if entry.holds(now: now, certificateThumbprint: certificateThumbprint) { return entry }
        // A token that is presented without its certificate stays known to those who have it.
        if now >= entry.end { _ = entries.withLock { $0.remove(key) } }
        return nil
    }

    func insert(_ entry: Entry, for key: Key) {
        _ = entries.withLock { $0.insert(entry, for: key) }
    }
}
