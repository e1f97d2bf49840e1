// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
internal import Synchronization

/// Brings every written entry to everybody who watches.
///
/// Entries come in behind the audit writer and from other replicas; `run` takes them round. Nobody who is slow keeps anybody else waiting: each
/// client has its own bounded place.
package final class LiveHub: Sendable {
    private struct Client {
        var subscriber: LiveSubscriber
        var transport: LiveTransport
        /// Nil when the place was given back.
        var identity: String?
    }

    private struct State {
        var ring: LiveRing
        var clients: [UInt64: Client] = [:]
        var counts: [LiveTransport: Int] = [:]
        var identities: [String: Int] = [:]
        var ids: UInt64 = 0
        var isDraining = false
    }

    private struct Inbox {
        var rows: [AuditRow] = []
        var lost = 0
    }

    let replays: LiveReplays
    private let settings: LiveSettings
    private let clock: any MonotonicClock
    private let metrics: LiveMetrics
    private let inbox = Mutex(Inbox())
    private let state: Mutex<State>
    /// One round at a time.
    private let round = Mutex(())
    private let wake = Signal()

    /// - Parameter history: what was written before.
    package init(
        settings: LiveSettings, history: any LiveHistory, clock: any MonotonicClock, metrics: LiveMetrics
    ) {
        self.settings = settings
        replays = LiveReplays(history: history, settings: settings)
        self.clock = clock
        self.metrics = metrics
        state = Mutex(State(ring: LiveRing(capacity: settings.ring)))
    }

    // MARK: Entries

    /// Takes entries that are synced; returns at once.
    package func add(_ rows: [AuditRow]) {
        inbox.withLock { inbox in
            guard inbox.rows.count + rows.count <= settings.waitingAtMost else {
                inbox.lost += inbox.rows.count + rows.count
                inbox.rows = []
                return
            }
            inbox.rows += rows
        }
        wake.call()
    }

    /// Takes what has come to everybody.
    package func flush() {
        round.withLock { _ in
            let inbox = self.inbox.withLock { inbox in
                defer { inbox = Inbox() }
                return inbox
            }
            if inbox.lost > 0 { lose(inbox.lost) }
            guard !inbox.rows.isEmpty else { return }
            let events = inbox.rows.map(LiveEvent.init)
            let (taken, place, subscribers) = state.withLock { state in
                let taken = state.ring.append(events)
                return (taken, state.ring.end - UInt64(taken.count), state.clients.values.map(\.subscriber))
            }
            guard !taken.isEmpty else { return }
            var waiters: [CheckedContinuation<Void, Never>] = []
            var dropped = 0
            for subscriber in subscribers {
                let offered = subscriber.offer(taken, at: place)
                if let waiter = offered.waiter { waiters.append(waiter) }
                dropped += offered.dropped
            }
            for waiter in waiters { waiter.resume() }
            giveUp(dropped)
        }
    }

    /// More came than could be taken round: everybody is told to come back, and what is missing is in the index.
    private func lose(_ count: Int) {
        let subscribers = state.withLock { state in
            state.ring.clear()
            return state.clients.values.map(\.subscriber)
        }
        giveUp(subscribers.reduce(0) { $0 + $1.lose(count) })
    }

    private func giveUp(_ dropped: Int) {
        guard dropped > 0 else { return }
        metrics.dropped(dropped)
        for id in endedClients() { release(id) }
    }

    private func endedClients() -> [UInt64] {
        let clients = state.withLock { state in
            state.clients.filter { $0.value.identity != nil }.map { ($0.key, $0.value.subscriber) }
        }
        return clients.filter { $0.1.hasEnded }.map(\.0)
    }

    // MARK: Clients

    /// Gives a client a place.
    ///
    /// - Parameters:
    ///   - identity: names whoever is behind the client, among all identities.
    ///   - lastID: the event that it has seen last; what came after it is given first.
    ///   - abandon: cuts the client's connection, where even the last words to it do not get through.
    /// - Throws: `events.too_many_streams`.
    package func open(
        _ filter: LiveFilter, over transport: LiveTransport, identity: String, after lastID: String? = nil,
        abandon: @escaping @Sendable () -> Void = {}
    ) throws(Refusal) -> LiveSubscription {
        let subscriber = LiveSubscriber(
            filter: filter, begin: 0, settings: settings, clock: clock, abandon: abandon)
        let id: UInt64? = state.withLock { state in
            let mine = state.identities[identity, default: 0]
            let all = state.counts.values.reduce(0, +)
            guard all < settings.clients, mine < settings.clientsOfOneIdentity else { return nil }
            state.ids += 1
            state.identities[identity] = mine + 1
            state.counts[transport, default: 0] += 1
            metrics.clients(state.counts[transport, default: 0], over: transport)
            begin(subscriber, filter, after: lastID, in: state.ring)
            if state.isDraining { subscriber.end(.draining) }
            state.clients[state.ids] = Client(subscriber: subscriber, transport: transport, identity: identity)
            return state.ids
        }
        guard let id else { throw Refusal(.eventsTooManyStreams, retryAfterSeconds: 30) }
        return LiveSubscription(hub: self, id: id, subscriber: subscriber)
    }

    func begin(_ subscriber: LiveSubscriber, _ filter: LiveFilter, after lastID: String?) {
        state.withLock { begin(subscriber, filter, after: lastID, in: $0.ring) }
    }

    private func begin(_ subscriber: LiveSubscriber, _ filter: LiveFilter, after lastID: String?, in ring: LiveRing) {
        guard let lastID else { return subscriber.begin(filter, at: ring.end, with: [], resume: nil) }
        if let events = ring.events(after: lastID, overlap: settings.overlap) {
            subscriber.begin(filter, at: ring.end, with: events, resume: nil)
        } else {
            subscriber.begin(filter, at: ring.end, with: Array(ring.all), resume: lastID)
        }
    }

    /// Gives a place back; the client may still be told why.
    func release(_ id: UInt64) {
        state.withLock { state in
            guard let identity = state.clients[id]?.identity, let transport = state.clients[id]?.transport else {
                return
            }
            state.clients[id]?.identity = nil
            state.counts[transport, default: 1] -= 1
            metrics.clients(state.counts[transport, default: 0], over: transport)
            let left = state.identities[identity, default: 1] - 1
            state.identities[identity] = left > 0 ? left : nil
        }
    }

    func remove(_ id: UInt64) {
        release(id)
        state.withLock { $0.clients[id] = nil }
    }

    /// How many clients have a place.
    package var clients: Int { state.withLock { $0.counts.values.reduce(0, +) } }

    /// How many events are kept for clients that come back.
    package var kept: Int { state.withLock { $0.ring.count } }

    /// Ends every stream, now and from now on: the process is on its way out.
    package func drain() {
        let subscribers = state.withLock { state in
            state.isDraining = true
            return state.clients.values.map(\.subscriber)
        }
        for subscriber in subscribers { subscriber.end(.draining) }
    }

    // MARK: Time

    /// Takes entries round and looks at the time, until it is cancelled.
    package func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.keepTime() }
            while !Task.isCancelled {
                await wake.wait()
                flush()
                // Cancelled: the loop ends by itself.
                try? await clock.pause(for: pauseAfterRound)
            }
        }
    }

    /// Many clients make for longer pauses: each of them is written to less often, and more at a time.
    private var pauseAfterRound: Duration {
        min(settings.longestPause, .milliseconds(1) + settings.pauseOfOneClient * clients)
    }

    private func keepTime() async {
        while !Task.isCancelled {
            // Cancelled: the loop ends by itself.
            try? await clock.pause(for: .seconds(1))
            tick()
        }
    }

    /// What is due from time to time.
    package func tick() {
        let subscribers = state.withLock { $0.clients.values.map(\.subscriber) }
        giveUp(subscribers.reduce(0) { $0 + $1.tick() })
    }
}
