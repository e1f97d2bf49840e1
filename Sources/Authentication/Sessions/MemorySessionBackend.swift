// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
internal import Synchronization

/// Sessions in this process: so many at most, the least recently used go first.
package final class MemorySessionBackend: SessionBackend {
    private struct State {
        var entries: LRUCache<String, SessionEntry>
        var keys: [String: Set<String>] = [:]
        var locks: LRUCache<String, (owner: String, until: Timestamp)>
    }

    /// The most sessions that are kept.
    package static let capacity = 10_000

    private let state: Mutex<State>

    package init(capacity: Int = MemorySessionBackend.capacity) {
        state = Mutex(State(entries: LRUCache(capacity: capacity), locks: LRUCache(capacity: capacity)))
    }

    /// How many sessions are kept.
    package var count: Int { state.withLock(\.entries.count) }

    package func put(_ entry: SessionEntry, at now: Timestamp) async throws(SessionBackendError) {
        state.withLock { state in
            Self.forget(entry.key, &state)
            guard now < entry.expiresAt else { return }
            if state.entries.count >= state.entries.capacity, let oldest = state.entries.oldestKey {
                Self.forget(oldest, &state)
            }
            _ = state.entries.insert(entry, for: entry.key)
            if let user = entry.user { state.keys[user, default: []].insert(entry.key) }
        }
    }

    package func replace(_ entry: SessionEntry, at now: Timestamp) async throws(SessionBackendError) {
        guard try await self.entry(entry.key, at: now) != nil else { return }
        state.withLock { state in
            guard state.entries.peek(entry.key) != nil else { return }
            _ = state.entries.insert(entry, for: entry.key)
        }
    }

    package func entry(_ key: String, at now: Timestamp) async throws(SessionBackendError) -> SessionEntry? {
        state.withLock { state in
            guard let entry = state.entries.value(for: key) else { return nil }
            guard now < entry.expiresAt else {
                Self.forget(key, &state)
                return nil
            }
            return entry
        }
    }

    package func remove(_ key: String, user: String?) async throws(SessionBackendError) {
        state.withLock { Self.forget(key, &$0) }
    }

    package func keys(ofUser user: String, at now: Timestamp) async throws(SessionBackendError) -> [String] {
        state.withLock { ASCII.sortedByBytes($0.keys[user] ?? []) }
    }

    package func key(ofHandle handle: String, at now: Timestamp) async throws(SessionBackendError) -> String? {
        // Seldom asked, and by administrators only.
        state.withLock { state in state.entries.entries.first { SessionNames.handle(ofKey: $0.key) == handle }?.key }
    }

    package func lock(
        _ name: String, owner: String, for duration: Duration, at now: Timestamp
    ) async throws(SessionBackendError) -> Bool {
        let until = Timestamp(microseconds: now.microseconds + duration.wholeMicroseconds)
        return state.withLock { state in
            if let held = state.locks.peek(name), held.owner != owner, now < held.until { return false }
            _ = state.locks.insert((owner, until), for: name)
            return true
        }
    }

    package func unlock(_ name: String, owner: String) async throws(SessionBackendError) {
        state.withLock { state in if state.locks.peek(name)?.owner == owner { _ = state.locks.remove(name) } }
    }

    private static func forget(_ key: String, _ state: inout State) {
        guard let entry = state.entries.remove(key), let user = entry.user else { return }
        state.keys[user]?.remove(key)
        if state.keys[user]?.isEmpty == true { state.keys[user] = nil }
    }
}
