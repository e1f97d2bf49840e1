// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Synchronization

/// What waits for one client. The hub puts in, the client's own task takes out.
final class LiveSubscriber: Sendable {
    /// How much one turn takes.
    private static let turnEvents = 256
    private static let turnBytes = 256 << 10

    private struct State {
        var filter: LiveFilter
        /// Events with smaller places came before this client began, or began anew.
        var begin: UInt64
        var waiting: [LiveEvent] = []
        var waitingBytes = 0
        /// How many of them, the first ones, were given before or while the client was away: that they wait is not its fault.
        var again = 0
        var againBytes = 0
        var waiter: CheckedContinuation<Void, Never>?
        /// Since when the client's task is at work with what it took; nil while it waits for more.
        var busySince: Duration?
        /// The event that the client has seen last, as it says, until what came after it was looked for.
        var resume: String?
        /// What was given out of the index and may still come by the ordinary way.
        var replayed: Set<String> = []
        var replayedAt: Duration?
        /// When the index was asked last.
        var askedAt: Duration?
        var gap: (after: String, missed: Int?)?
        var end: LiveEnd?
        var endedAt: Duration?
        var isAbandoned = false
        var heartbeatDue = false
        var recheckDue = false
        var isCalled = false
        var heartbeatAt: Duration
        var recheckAt: Duration
        var lastID: String?
    }

    private let settings: LiveSettings
    private let clock: any MonotonicClock
    private let abandon: @Sendable () -> Void
    private let state: Mutex<State>

    /// - Parameters:
    ///   - begin: the place of the first event that is put in.
    ///   - abandon: cuts the client's connection.
    init(
        filter: LiveFilter, begin: UInt64, settings: LiveSettings, clock: any MonotonicClock,
        abandon: @escaping @Sendable () -> Void
    ) {
        self.settings = settings
        self.clock = clock
        self.abandon = abandon
        let now = clock.now()
        state = Mutex(
            State(
                filter: filter, begin: begin, heartbeatAt: now + settings.heartbeat,
                recheckAt: now + settings.recheck))
    }

    // MARK: The hub's side

    /// Begins, or begins anew, with what the ring holds.
    ///
    /// - Parameters:
    ///   - ring: what came after the event that the client has seen last, or everything, where that is to be looked for.
    ///   - resume: that event, when it is not in the ring.
    func begin(_ filter: LiveFilter, at place: UInt64, with ring: [LiveEvent], resume: String?) {
        state.withLock { state in
            state.filter = filter
            state.begin = place
            state.waiting = ring.filter { filter.admits($0) }
            state.waitingBytes = state.waiting.reduce(0) { $0 + $1.size }
            (state.again, state.againBytes) = (state.waiting.count, state.waitingBytes)
            state.resume = resume
            state.replayed = []
            state.gap = nil
            state.lastID = nil
        }
    }

    /// Puts events in.
    ///
    /// - Parameter place: that of the first.
    /// - Returns: whom to wake, and how many events were given up because the client does not take them.
    func offer(_ events: [LiveEvent], at place: UInt64) -> (waiter: CheckedContinuation<Void, Never>?, dropped: Int) {
        state.withLock { state in
            guard state.end == nil else { return (nil, 0) }
            let missed = state.begin > place ? min(events.count, Int(state.begin - place)) : 0
            for event in events[missed...] where state.filter.admits(event) {
                if state.replayed.remove(event.id) != nil { continue }
                state.waiting.append(event)
                state.waitingBytes += event.size
            }
            guard !state.waiting.isEmpty else { return (nil, 0) }
            let dropped = judge(&state)
            return (take(&state.waiter), dropped)
        }
    }

    /// Ends the stream when too much waits for a client that takes nothing.
    private func judge(_ state: inout State) -> Int {
        func isOver() -> Bool {
            state.waiting.count - state.again > settings.waitingEvents
                || state.waitingBytes - state.againBytes > settings.waitingBytes
        }
        guard isOver() else { return 0 }
        let isFull = state.waiting.count > settings.waitingAtMost
        let isStuck = state.busySince.map { clock.now() - $0 >= settings.patience } ?? false
        guard isFull || isStuck else { return 0 }
        if state.filter.query != nil {
            let again = state.waiting[..<state.again].filter { state.filter.matches($0) }
            (state.again, state.againBytes) = (again.count, again.reduce(0) { $0 + $1.size })
            state.waiting.removeAll { !state.filter.matches($0) }
            state.waitingBytes = state.waiting.reduce(0) { $0 + $1.size }
            guard isOver() else { return 0 }
        }
        return overflow(&state, dropped: state.waiting.count)
    }

    private func overflow(_ state: inout State, dropped: Int) -> Int {
        end(&state, .overflow(dropped: dropped, lastID: state.lastID))
        return dropped
    }

    private func end(_ state: inout State, _ end: LiveEnd) {
        guard state.end == nil else { return }
        state.end = end
        state.endedAt = clock.now()
        state.waiting = []
        state.waitingBytes = 0
        (state.again, state.againBytes) = (0, 0)
        state.replayed = []
    }

    /// Ends the stream; what waits is not given any more.
    func end(_ end: LiveEnd) {
        state.withLock { state in
            self.end(&state, end)
            return take(&state.waiter)
        }?.resume()
    }

    /// Ends the stream because events were lost before they came here.
    func lose(_ count: Int) -> Int {
        let (waiter, dropped) = state.withLock { state -> (CheckedContinuation<Void, Never>?, Int) in
            guard state.end == nil else { return (nil, 0) }
            let dropped = overflow(&state, dropped: state.waiting.count + count)
            return (take(&state.waiter), dropped)
        }
        waiter?.resume()
        return dropped
    }

    /// Whether the stream has ended.
    var hasEnded: Bool { state.withLock { $0.end != nil } }

    /// Looks at the time.
    ///
    /// - Returns: how many events were given up.
    func tick() -> Int {
        let now = clock.now()
        var cuts = false
        let (waiter, dropped) = state.withLock { state -> (CheckedContinuation<Void, Never>?, Int) in
            if let endedAt = state.endedAt {
                if !state.isAbandoned, now - endedAt >= settings.lastWords {
                    state.isAbandoned = true
                    cuts = true
                }
                return (nil, 0)
            }
            if let replayedAt = state.replayedAt, now - replayedAt >= settings.recheck {
                state.replayed = []
                state.replayedAt = nil
            }
            var isDue = false
            if now >= state.heartbeatAt {
                state.heartbeatAt = now + settings.heartbeat
                state.heartbeatDue = true
                isDue = true
            }
            if now >= state.recheckAt {
                state.recheckAt = now + settings.recheck
                state.recheckDue = true
                isDue = true
            }
            var dropped = judge(&state)
            if state.end == nil, let busySince = state.busySince, now - busySince >= settings.stall {
                // It takes not even a sign of life: it would not take the last words either.
                dropped = overflow(&state, dropped: state.waiting.count)
                state.isAbandoned = true
                cuts = true
            }
            return (isDue || dropped > 0 ? take(&state.waiter) : nil, dropped)
        }
        waiter?.resume()
        if cuts { abandon() }
        return dropped
    }

    // MARK: The client's side

    /// What is to be done next; waits for it. The one before is done by then.
    func next(replays: LiveReplays) async -> LiveTurn {
        while true {
            let resume = state.withLock { state -> (String, LiveFilter)? in
                state.busySince = nil
                return state.end == nil ? state.resume.map { ($0, state.filter) } : nil
            }
            if let (id, filter) = resume { await look(after: id, filter, replays) }
            let (turn, filter) = state.withLock { state in (choose(&state), state.filter) }
            switch turn {
            case .events(let events):
                // The query is evaluated here, in the client's own task, so that it costs nobody else.
                let matching = filter.query == nil ? events : events.filter { filter.matches($0) }
                guard let last = matching.last else { continue }
                state.withLock { $0.lastID = last.id }
                return .events(matching)
            case .some(let turn): return turn
            case nil: await wait()
            }
        }
    }

    /// Asks the index for what came after the event that the client has seen last; now and then at most, however often it begins anew.
    private func look(after id: String, _ filter: LiveFilter, _ replays: LiveReplays) async {
        let pause = state.withLock { state in
            state.askedAt.map { settings.replayPause - (clock.now() - $0) } ?? .zero
        }
        // Cancelled: the client is gone, and what is found is given to nobody.
        if pause > .zero { try? await clock.pause(for: pause) }
        let replay = await replays.read(after: id, filter: filter) {
            state.withLock { state in
                state.askedAt = clock.now()
                return state.end == nil && state.resume == id
            }
        }
        guard let replay else { return }
        state.withLock { join(&$0, replay, after: id) }
    }

    /// Puts what the index holds before what has come meanwhile; each event once, in order of time.
    private func join(_ state: inout State, _ replay: LiveReplay, after id: String) {
        guard state.resume == id else { return }
        state.resume = nil
        guard state.end == nil else { return }
        if replay.hasGap { state.gap = (id, nil) }
        state.waiting.removeAll { event in !(replay.mark?.isNews(event) ?? false) }
        let waiting = Set(state.waiting.map(\.id))
        let fresh = replay.events.filter { !waiting.contains($0.id) }
        state.waiting = LiveEvent.inOrder(fresh + state.waiting)
        state.waitingBytes = state.waiting.reduce(0) { $0 + $1.size }
        (state.again, state.againBytes) = (state.waiting.count, state.waitingBytes)
        // Entries that are synced and not here yet come once more by the ordinary way.
        state.replayed = Set(fresh.map(\.id)).union([id])
        state.replayedAt = clock.now()
    }

    private func choose(_ state: inout State) -> LiveTurn? {
        if let end = state.end {
            state.busySince = clock.now()
            return .ended(end)
        }
        guard let turn = due(&state) else {
            state.busySince = nil
            return nil
        }
        // What the credential is asked of may take its time; that is not the client's fault.
        if case .recheck = turn { state.busySince = nil } else { state.busySince = clock.now() }
        return turn
    }

    private func due(_ state: inout State) -> LiveTurn? {
        if let gap = state.gap {
            state.gap = nil
            return .gap(after: gap.after, missed: gap.missed)
        }
        if state.recheckDue {
            state.recheckDue = false
            return .recheck
        }
        if state.isCalled {
            state.isCalled = false
            return .called
        }
        if state.heartbeatDue {
            state.heartbeatDue = false
            return .heartbeat
        }
        guard !state.waiting.isEmpty else { return nil }
        var bytes = 0
        var count = 0
        while count < min(state.waiting.count, Self.turnEvents), bytes < Self.turnBytes {
            bytes += state.waiting[count].size
            count += 1
        }
        state.waitingBytes -= bytes
        let again = min(state.again, count)
        state.againBytes -= state.waiting[..<again].reduce(0) { $0 + $1.size }
        state.again -= again
        guard count < state.waiting.count else {
            defer { state.waiting = [] }
            return .events(state.waiting)
        }
        let events = Array(state.waiting[..<count])
        state.waiting.removeFirst(count)
        return .events(events)
    }

    private func wait() async {
        await withCheckedContinuation { continuation in
            let isReady = state.withLock { state in
                let isQuiet =
                    state.end == nil && state.gap == nil && state.resume == nil && !state.recheckDue && !state.isCalled
                    && !state.heartbeatDue && state.waiting.isEmpty
                guard isQuiet else { return true }
                state.waiter = continuation
                return false
            }
            if isReady { continuation.resume() }
        }
    }

    /// Makes the client's task look again.
    func wake() { state.withLock { take(&$0.waiter) }?.resume() }

    /// Makes the client's task see to something besides.
    func call() {
        state.withLock { $0.isCalled = true }
        wake()
    }

    private func take(_ waiter: inout CheckedContinuation<Void, Never>?) -> CheckedContinuation<Void, Never>? {
        defer { waiter = nil }
        return waiter
    }
}
