// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Synchronization

/// Something that waits to be written.
struct AuditItem: Sendable {
    let draft: AuditDraft
    let at: Timestamp
    /// Woken with whether the entry is synced; nil for the queued class.
    let waiter: CheckedContinuation<Bool, Never>?
}

/// The bounded queue before the writer. Putting something in costs a lock and no wake-up but the first.
final class AuditMailbox: Sendable {
    /// What the caller has to do after it put something in.
    enum Signal: Sendable {
        /// There was no room, or nothing can be written.
        case refused
        case none
        /// Make the writer come within the flush interval.
        case wakeSoon
        case wakeNow
    }

    private struct State {
        var items: [AuditItem] = []
        var isAccepting = false
        var isClosed = false
        var soon = false
        var now = false
        var latest = Timestamp(microseconds: 0)
    }

    private let capacity: Int
    private let state = Mutex(State())

    init(capacity: Int) { self.capacity = max(1, capacity) }

    /// Entries that wait.
    var depth: Int { state.withLock { $0.items.count } }

    /// Whether something would be accepted now.
    var hasRoom: Bool { state.withLock { $0.isAccepting && $0.items.count < capacity } }

    /// Whether the trail can be written.
    var isAccepting: Bool { state.withLock { $0.isAccepting } }

    /// Whether it was closed.
    var isClosed: Bool { state.withLock { $0.isClosed } }

    func setAccepting(_ accepting: Bool) { state.withLock { $0.isAccepting = accepting && !$0.isClosed } }

    /// Nothing is accepted any more.
    func close() {
        state.withLock {
            $0.isClosed = true
            $0.isAccepting = false
        }
    }

    /// Puts an entry in. Its time is `now`, moved so that times in a series only grow; a clock that was set back by more than a second is
    /// followed.
    ///
    /// - Parameter beyondCapacity: for what is bounded elsewhere and must not be lost.
    func put(
        _ draft: AuditDraft, now: Timestamp, waiter: CheckedContinuation<Bool, Never>? = nil,
        beyondCapacity: Bool = false
    ) -> Signal {
        state.withLock { state in
            guard state.isAccepting, beyondCapacity || state.items.count < capacity else { return .refused }
            var at = now
            if at <= state.latest, state.latest.microseconds - at.microseconds < 1_000_000 {
                at = Timestamp(microseconds: state.latest.microseconds + 1)
            }
            state.latest = at
            state.items.append(AuditItem(draft: draft, at: at, waiter: waiter))
            if waiter != nil || state.items.count == capacity / 2 {
                guard !state.now else { return .none }
                state.now = true
                return .wakeNow
            }
            guard !state.soon, !state.now else { return .none }
            state.soon = true
            return .wakeSoon
        }
    }

    /// Takes what waits, oldest first.
    func take(atMost limit: Int) -> [AuditItem] {
        state.withLock { state in
            guard state.items.count > limit else {
                let items = state.items
                state.items = []
                state.items.reserveCapacity(min(items.count, limit))
                state.soon = false
                state.now = false
                return items
            }
            let items = Array(state.items[..<limit])
            state.items.removeFirst(limit)
            return items
        }
    }

    /// Puts back what could not be written, before everything else.
    func putBack(_ items: [AuditItem]) {
        guard !items.isEmpty else { return }
        state.withLock { $0.items.insert(contentsOf: items, at: 0) }
    }
}
