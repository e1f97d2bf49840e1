// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Logging
package import Metrics
internal import Synchronization

/// Keeps what a replica holds in memory at the state of a store that others write to as well.
///
/// A change of another replica is in force here a moment after it was committed; a lost notice delays it to the next look. Whatever happens
/// to connections and processes, everything that was committed arrives, and nothing goes back to an older state.
package final class ChangeFollower: Sendable {
    /// What it is made of.
    package struct Parts: Sendable {
        package var feed: any ChangeFeed
        package var signals: [any ChangeSignal]
        /// In the order in which they are brought up to date.
        package var books: [any FollowedBook]
        /// Told after each look from when on everything is in force that was committed before.
        package var heard: @Sendable (Timestamp) -> Void

        package init(
            feed: any ChangeFeed, signals: [any ChangeSignal], books: [any FollowedBook],
            heard: @escaping @Sendable (Timestamp) -> Void
        ) {
            self.feed = feed
            self.signals = signals
            self.books = books
            self.heard = heard
        }
    }

    /// How a follower stands.
    package struct Status: Sendable, Hashable {
        /// When everything was in force that was committed before; nil until everything was read once.
        package var heardAt: Timestamp?
        /// Why the last try failed; nil when it did not.
        package var fault: String?
        /// The signals that are connected.
        package var signals: Set<String>
    }

    private struct State {
        var machine: ChangeFollowerStateMachine
        var heardAt: Timestamp?
        var fault: String?
    }

    /// How often old changes are forgotten.
    private static let pruneInterval = Duration.seconds(60)

    private let parts: Parts
    private let wall: any WallClock
    private let clock: any MonotonicClock
    private let logger: Logger
    private let metrics: ChangeMetrics
    private let state: Mutex<State>
    private let wake = Signal()

    package init(
        _ parts: Parts, rhythm: ChangeFollowerStateMachine.Rhythm = ChangeFollowerStateMachine.Rhythm(),
        wall: any WallClock, clock: any MonotonicClock, logger: Logger, metricsFactory: any MetricsFactory
    ) {
        self.parts = parts
        self.wall = wall
        self.clock = clock
        self.logger = logger
        metrics = ChangeMetrics(signals: parts.signals.map(\.name), factory: metricsFactory)
        state = Mutex(State(machine: ChangeFollowerStateMachine(rhythm: rhythm)))
    }

    package var status: Status {
        state.withLock {
            Status(heardAt: $0.heardAt, fault: $0.fault, signals: $0.machine.connectedSignals)
        }
    }

    /// Notes how long ago the store was heard of, for whoever reads the metrics now.
    package func recordSilence() {
        guard let heardAt = state.withLock(\.heardAt) else { return }
        metrics.silent(for: Double(max(0, wall.now().microseconds - heardAt.microseconds)) / 1_000_000)
    }

    /// Reads everything once, trying again for as long as the store does not answer.
    ///
    /// - Throws: `CancellationError`.
    package func start() async throws {
        while !state.withLock(\.machine.hasStarted) {
            try Task.checkCancellation()
            if let until = await turn() { await pause(until: until) }
        }
    }

    /// Follows until it is cancelled.
    package func run() async {
        await withTaskGroup(of: Void.self) { group in
            for signal in parts.signals { group.addTask { await self.listen(to: signal) } }
            group.addTask { await self.prune() }
            while !Task.isCancelled {
                if let until = await turn() { await pause(until: until) }
            }
            group.cancelAll()
        }
    }

    private func listen(to signal: any ChangeSignal) async {
        await signal.run { self.heard($0, from: signal.name) }
    }

    /// Takes what a signal says.
    package func heard(_ event: ChangeSignalEvent, from signal: String) {
        state.withLock { $0.machine.heard(event, from: signal, at: clock.now()) }
        if event != .notice { metrics.signal(signal, isUp: event == .up) }
        wake.call()
    }

    private func prune() async {
        while !Task.isCancelled {
            do {
                try await clock.pause(for: Self.pruneInterval)
                try await parts.feed.prune()
            } catch is CancellationError {
                return
            } catch {
                logger.warning("old changes are not forgotten", metadata: [LogKeys.error: "\(error)"])
            }
        }
    }

    /// Does the one thing that is to do now; `run` calls it again and again, one at a time.
    ///
    /// - Returns: until when there is nothing to do, unless a signal comes; nil when there may be more at once.
    package func turn() async -> Duration? {
        let action = state.withLock { $0.machine.next(at: clock.now()) }
        do {
            switch action {
            case .wait(let until): return until
            case .reload(let loss): try await reload(loss)
            case .look(let position): try await look(since: position)
            }
        } catch {
            failed(error)
        }
        return nil
    }

    private func pause(until: Duration) async {
        let rest = until - clock.now()
        guard rest > .zero else { return }
        _ = await clock.limited(to: rest) { [wake] in await wake.wait() }
    }

    private func reload(_ loss: ChangeLoss) async throws {
        let asked = wall.now()
        let position = try await parts.feed.position()
        for book in parts.books { try await book.reload() }
        state.withLock { $0.machine.reloaded(from: position, at: clock.now()) }
        metrics.reloaded(loss)
        logger.notice("everything was read from the shared store", metadata: [LogKeys.reason: "\(loss.rawValue)"])
        heard(asked)
    }

    private func look(since position: ChangePosition) async throws {
        let asked = wall.now()
        switch try await parts.feed.changes(since: position) {
        case .lost(let loss): state.withLock { $0.machine.lost(loss) }
        case .changed(let changes, let next, let lag):
            try await apply(changes)
            state.withLock { $0.machine.followed(to: next, at: clock.now()) }
            metrics.followed(changes, lag: lag)
            heard(asked)
        }
    }

    private func apply(_ changes: [StoreChange]) async throws {
        guard !changes.isEmpty else { return }
        var keys: [StoreChange.Kind: [String]] = [:]
        for change in changes { keys[change.kind, default: []].append(change.key) }
        for book in parts.books {
            for kind in StoreChange.Kind.allCases where book.kinds.contains(kind) {
                if let keys = keys[kind] { try await refresh(book, kind, keys[...]) }
            }
        }
    }

    /// What cannot be read takes only itself out of force: it is found by halves.
    private func refresh(
        _ book: any FollowedBook, _ kind: StoreChange.Kind, _ keys: ArraySlice<String>
    ) async throws(FollowError) {
        do throws(FollowError) {
            try await book.refresh(kind, Array(keys))
        } catch {
            guard error.code == .corrupt else { throw error }
            guard keys.count > 1 else {
                for key in keys { withdraw(book, kind, key, error) }
                return
            }
            let middle = keys.startIndex + keys.count / 2
            try await refresh(book, kind, keys[..<middle])
            try await refresh(book, kind, keys[middle...])
        }
    }

    private func withdraw(_ book: any FollowedBook, _ kind: StoreChange.Kind, _ key: String, _ error: FollowError) {
        book.withdraw(kind, key)
        metrics.unreadable()
        logger.error(
            "what the store has cannot be read: it is out of force",
            metadata: ["kind": "\(kind.rawValue)", "key": "\(key.prefix(128))", LogKeys.error: "\(error)"])
    }

    private func heard(_ asked: Timestamp) {
        let was = state.withLock { state in
            defer {
                state.heardAt = asked
                state.fault = nil
            }
            return state.fault
        }
        if was != nil { logger.notice("the shared store answers again") }
        parts.heard(asked)
    }

    private func failed(_ error: any Error) {
        guard !Task.isCancelled else { return }
        let isNew = state.withLock { state in
            state.machine.failed(at: clock.now())
            defer { state.fault = "\(error)" }
            return state.fault == nil
        }
        metrics.failed()
        // Once when it begins: the metric and the readiness details say that it goes on.
        guard isNew else { return }
        logger.error("the shared store does not answer", metadata: [LogKeys.error: "\(error)"])
    }
}
