// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
package import Logging
package import Metrics
internal import Synchronization

/// Sessions in a store that replicas share, and in this process while that store is away.
///
/// What this replica writes and reads is kept in the process as well, so that users it has seen stay logged in. What it writes while the store is
/// away, logouts included, is written when the store is back; `restore` does that. A logout at another replica is heard of through `forget`, or
/// when the store is asked next.
package final class SharedSessionBackend: SessionBackend {
    private struct State {
        var isAway = false
        /// Written here only.
        var unsaved: LRUCache<String, Void>
        /// Taken out here only, with the user's index.
        var removed: LRUCache<String, String?>
    }

    private let shared: any SessionBackend
    private let local: MemorySessionBackend
    private let state: Mutex<State>
    private let restoring = SerialLock()
    private let logger: Logger
    private let degraded: Gauge

    package init(
        shared: any SessionBackend, local: MemorySessionBackend = MemorySessionBackend(),
        capacity: Int = MemorySessionBackend.capacity, logger: Logger, metricsFactory: any MetricsFactory
    ) {
        self.shared = shared
        self.local = local
        self.logger = logger
        state = Mutex(State(unsaved: LRUCache(capacity: capacity), removed: LRUCache(capacity: capacity)))
        degraded = Gauge(label: "tollgate_session_store_degraded", factory: metricsFactory)
        degraded.record(0)
    }

    /// Whether sessions of this process are not in the shared store, or cannot be looked up there.
    package var isDegraded: Bool { state.withLock(\.isAway) }

    package func put(_ entry: SessionEntry, at now: Timestamp) async throws(SessionBackendError) {
        try await restoring.withLock { () async throws(SessionBackendError) in
            try await local.put(entry, at: now)
            do throws(SessionBackendError) {
                try await shared.put(entry, at: now)
                state.withLock { state in
                    _ = state.unsaved.remove(entry.key)
                    _ = state.removed.remove(entry.key)
                }
            } catch {
                state.withLock { state in
                    _ = state.removed.remove(entry.key)
                    _ = state.unsaved.insert((), for: entry.key)
                }
                went(error)
            }
        }
    }

    package func replace(_ entry: SessionEntry, at now: Timestamp) async throws(SessionBackendError) {
        try await restoring.withLock { () async throws(SessionBackendError) in
            try await local.replace(entry, at: now)
            guard state.withLock({ $0.removed.peek(entry.key) == nil }) else { return }
            do throws(SessionBackendError) {
                try await shared.replace(entry, at: now)
            } catch {
                // The time of the last use is all that is lost.
                went(error)
            }
        }
    }

    package func entry(_ key: String, at now: Timestamp) async throws(SessionBackendError) -> SessionEntry? {
        let (isUnsaved, isRemoved) = state.withLock { ($0.unsaved.peek(key) != nil, $0.removed.peek(key) != nil) }
        if isRemoved { return nil }
        if isUnsaved, let own = try await local.entry(key, at: now) { return own }
        do throws(SessionBackendError) {
            guard var entry = try await shared.entry(key, at: now) else {
                try await local.remove(key, user: nil)
                return nil
            }
            if entry.user == nil { entry.user = try await local.entry(key, at: now)?.user }
            try await local.put(entry, at: now)
            return entry
        } catch {
            went(error)
            return try await local.entry(key, at: now)
        }
    }

    package func remove(_ key: String, user: String?) async throws(SessionBackendError) {
        try await restoring.withLock { () async throws(SessionBackendError) in
            try await local.remove(key, user: user)
            state.withLock { _ = $0.unsaved.remove(key) }
            do throws(SessionBackendError) {
                try await shared.remove(key, user: user)
            } catch {
                state.withLock { _ = $0.removed.insert(user, for: key) }
                went(error)
            }
        }
    }

    package func keys(ofUser user: String, at now: Timestamp) async throws(SessionBackendError) -> [String] {
        let own = try await local.keys(ofUser: user, at: now)
        do throws(SessionBackendError) {
            let unsaved = state.withLock { state in own.filter { state.unsaved.peek($0) != nil } }
            let shared = try await shared.keys(ofUser: user, at: now)
            return ASCII.sortedByBytes(Set(shared + unsaved))
        } catch {
            went(error)
            return own
        }
    }

    package func key(ofHandle handle: String, at now: Timestamp) async throws(SessionBackendError) -> String? {
        if let own = try await local.key(ofHandle: handle, at: now) { return own }
        do throws(SessionBackendError) {
            return try await shared.key(ofHandle: handle, at: now)
        } catch {
            went(error)
            return nil
        }
    }

    package func lock(
        _ name: String, owner: String, for duration: Duration, at now: Timestamp
    ) async throws(SessionBackendError) -> Bool {
        do throws(SessionBackendError) {
            return try await shared.lock(name, owner: owner, for: duration, at: now)
        } catch {
            went(error)
            return try await local.lock(name, owner: owner, for: duration, at: now)
        }
    }

    package func unlock(_ name: String, owner: String) async throws(SessionBackendError) {
        try await local.unlock(name, owner: owner)
        do throws(SessionBackendError) {
            try await shared.unlock(name, owner: owner)
        } catch {
            // It is free by itself soon.
            went(error)
        }
    }

    /// Another replica has ended a session.
    package func forget(_ key: String) async {
        guard state.withLock({ $0.unsaved.peek(key) == nil }) else { return }
        // The memory never fails.
        try? await local.remove(key, user: nil)
    }

    /// Writes to the shared store what it has missed; called when it is back.
    ///
    /// - Returns: whether nothing is missing any more.
    package func restore(at now: Timestamp) async -> Bool {
        for (key, user) in state.withLock({ $0.removed.entries.map { ($0.key, $0.value) } }) {
            guard
                await restoreOne({ () async throws(SessionBackendError) in
                    guard self.state.withLock({ $0.removed.peek(key) != nil }) else { return }
                    try await self.shared.remove(key, user: user)
                    self.state.withLock { _ = $0.removed.remove(key) }
                })
            else { return false }
        }
        for key in state.withLock({ $0.unsaved.entries.map(\.key) }) {
            guard
                await restoreOne({ () async throws(SessionBackendError) in
                    guard self.state.withLock({ $0.unsaved.peek(key) != nil }) else { return }
                    if let entry = try await self.local.entry(key, at: now) {
                        try await self.shared.put(entry, at: now)
                    }
                    self.state.withLock { _ = $0.unsaved.remove(key) }
                })
            else { return false }
        }
        let wasAway = state.withLock { state in
            defer { state.isAway = false }
            return state.isAway
        }
        degraded.record(0)
        if wasAway { logger.notice("sessions are shared among replicas again") }
        return true
    }

    private func restoreOne(_ body: () async throws(SessionBackendError) -> Void) async -> Bool {
        do throws(SessionBackendError) {
            try await restoring.withLock(body)
            return true
        } catch {
            went(error)
            return false
        }
    }

    private func went(_ error: SessionBackendError) {
        let wasAway = state.withLock { state in
            defer { state.isAway = true }
            return state.isAway
        }
        guard !wasAway else { return }
        degraded.record(1)
        logger.warning(
            "sessions are kept in memory: their shared store is away", metadata: [LogKeys.reason: "\(error)"])
    }
}
