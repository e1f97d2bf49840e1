// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
internal import Synchronization

/// A queue of usage events in this process, bounded. What it holds is gone with the process.
package final class MemoryUsageQueue: UsageQueue {
    private struct Held {
        var payload: [UInt8]
        var deliveries = 0
        /// When it was handed out last; nil = never.
        var since: Duration?
    }

    private struct State {
        var next = 1
        var entries: [Int: Held] = [:]
        /// Ids that were never handed out, in order; those done meanwhile are passed over.
        var fresh: [Int] = []
        var dead: [QueueEntry] = []
    }

    private let state = Mutex(State())
    private let capacity: Int
    private let clock: any MonotonicClock
    private let arrived = Signal()

    /// - Parameter capacity: how many entries it holds.
    package init(capacity: Int = 100_000, clock: any MonotonicClock) {
        self.capacity = capacity
        self.clock = clock
    }

    /// Entries that failed too often.
    package var dead: [QueueEntry] { state.withLock(\.dead) }

    package func add(_ payload: [UInt8]) async throws(QueueError) -> String {
        guard payload.count <= UsageQueueRules.maximumPayloadBytes else {
            throw QueueError(
                .tooLarge, "an entry has at most \(UsageQueueRules.maximumPayloadBytes) bytes, not \(payload.count)")
        }
        let id = state.withLock { state -> Int? in
            guard state.entries.count < capacity else { return nil }
            let id = state.next
            state.next += 1
            state.entries[id] = Held(payload: payload)
            state.fresh.append(id)
            return id
        }
        guard let id else { throw QueueError(.full, "the queue holds \(capacity) entries already") }
        arrived.call()
        return String(id)
    }

    package func take(most: Int, by worker: String, waiting limit: Duration) async throws(QueueError) -> [QueueEntry] {
        let end = clock.now() + limit
        while true {
            let taken = takeFresh(most)
            let rest = end - clock.now()
            guard taken.isEmpty, rest > .zero, !Task.isCancelled else { return taken }
            _ = await clock.limited(to: rest) { [arrived] in await arrived.wait() }
        }
    }

    private func takeFresh(_ most: Int) -> [QueueEntry] {
        let now = clock.now()
        return state.withLock { state in
            var taken: [QueueEntry] = []
            var used = 0
            while used < state.fresh.count, taken.count < most {
                let id = state.fresh[used]
                used += 1
                if let entry = Self.hand(out: id, now: now, &state) { taken.append(entry) }
            }
            state.fresh.removeFirst(used)
            return taken
        }
    }

    package func reclaim(most: Int, by worker: String, idle: Duration) async throws(QueueError) -> [QueueEntry] {
        let now = clock.now()
        return state.withLock { state in
            let stale = state.entries.filter { entry in entry.value.since.map { now - $0 >= idle } ?? false }
            return stale.keys.sorted().prefix(most).compactMap { Self.hand(out: $0, now: now, &state) }
        }
    }

    private static func hand(out id: Int, now: Duration, _ state: inout State) -> QueueEntry? {
        guard var held = state.entries[id] else { return nil }
        held.deliveries += 1
        held.since = now
        state.entries[id] = held
        return QueueEntry(id: String(id), payload: held.payload, deliveries: held.deliveries)
    }

    package func done(_ ids: [String]) async throws(QueueError) {
        state.withLock { state in
            for id in ids { if let number = Int(id) { state.entries[number] = nil } }
        }
    }

    package func bury(_ entry: QueueEntry, reason: String) async throws(QueueError) {
        state.withLock { state in
            guard let number = Int(entry.id), state.entries.removeValue(forKey: number) != nil else { return }
            state.dead.append(entry)
            if state.dead.count > UsageQueueRules.maximumDead { state.dead.removeFirst() }
        }
    }

    package func depth() async throws(QueueError) -> QueueDepth {
        state.withLock { state in
            QueueDepth(
                entries: state.entries.count, inWork: state.entries.values.count { $0.since != nil },
                dead: state.dead.count)
        }
    }
}
