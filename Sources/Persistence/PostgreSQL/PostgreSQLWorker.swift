// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Dispatch
internal import Essentials
internal import Metrics
internal import Synchronization

/// What the threads of one database share.
final class PostgreSQLPoolState: Sendable {
    private struct State: Sendable {
        var backoff = PostgreSQLBackoff()
        var open = 0
        /// Threads that try to connect.
        var connecting = 0
        var inUse = 0
    }

    private let state = Mutex(State())
    private let observer = ChangeHook()
    let metrics: PostgreSQLMetrics
    private let random: any RandomSource

    init(metrics: PostgreSQLMetrics, random: any RandomSource) {
        self.metrics = metrics
        self.random = random
    }

    /// Has the body called after each transaction that told of changes.
    func observeAnnouncements(_ body: @escaping @Sendable () -> Void) { observer.listen(body) }

    /// A transaction that told of changes was committed.
    func announced() { observer.call() }

    func refusal(at now: Duration) -> PostgreSQLError? { state.withLock { $0.backoff.refusal(at: now) } }

    /// Notes a failure to connect; true when it is the first in a row.
    func failed(_ error: PostgreSQLError, at now: Duration) -> Bool {
        let draw = random.bytes(1).first.map { Double($0) / 256 } ?? 0
        return state.withLock { state in
            state.connecting -= 1
            return state.backoff.failed(error, at: now, draw: draw)
        }
    }

    /// Notes a new connection; true when there were failures before.
    func connected() -> Bool {
        state.withLock { state in
            state.connecting -= 1
            state.open += 1
            metrics.shows(open: state.open)
            return state.backoff.succeeded()
        }
    }

    /// Whether any connection is there, or about to be.
    var hasOthers: Bool { state.withLock { $0.open + $0.connecting > 0 } }

    func connects() { state.withLock { $0.connecting += 1 } }

    func disconnected() {
        state.withLock { state in
            state.open -= 1
            metrics.shows(open: state.open)
        }
    }

    func uses(_ change: Int) {
        state.withLock { state in
            state.inUse += change
            metrics.shows(inUse: state.inUse)
        }
    }
}

/// One thread of a database with its connection, which is made when it is first needed and again after it was lost.
final class PostgreSQLWorker {
    private let settings: PostgreSQLSettings
    private let shared: PostgreSQLPoolState
    private let clock: any MonotonicClock
    private let log: PostgreSQLLog
    private var connection: PostgreSQLConnection?
    /// How long a thread that cannot connect stays away from the work of the others.
    private static let restMilliseconds = 100
    /// How often a transaction is done again that nothing was kept of.
    private static let maximumRepetitions = 2

    init(
        _ settings: PostgreSQLSettings, shared: PostgreSQLPoolState, clock: any MonotonicClock, log: PostgreSQLLog
    ) {
        self.settings = settings
        self.shared = shared
        self.clock = clock
        self.log = log
    }

    /// Runs the body in one transaction, and once more where nothing of it was kept and its reason has gone.
    func transaction<Value>(
        _ scope: TenantScope, isReadOnly: Bool, _ body: (PostgreSQLTransaction) throws -> Value
    ) -> Result<Value, any Error> {
        shared.uses(1)
        let stopwatch = Stopwatch()
        defer {
            shared.uses(-1)
            shared.metrics.took(nanoseconds: stopwatch.nanoseconds)
        }
        var repetitions = 0
        while true {
            let (result, mayRunAgain) = attempt(scope, isReadOnly: isReadOnly, body)
            guard mayRunAgain, repetitions < Self.maximumRepetitions else {
                if case .failure(let error as PostgreSQLError) = result { shared.metrics.failed(error.code) }
                return result
            }
            repetitions += 1
        }
    }

    private func attempt<Value>(
        _ scope: TenantScope, isReadOnly: Bool, _ body: (PostgreSQLTransaction) throws -> Value
    ) -> (Result<Value, any Error>, mayRunAgain: Bool) {
        let transaction: PostgreSQLTransaction
        do {
            transaction = try PostgreSQLTransaction(
                try usableConnection(), scope: scope, isReadOnly: isReadOnly, setsContext: settings.isRowSecurityEnabled
            )
        } catch {
            return (.failure(error), false)
        }
        do {
            let value = try body(transaction)
            try transaction.commit(isReadOnly: isReadOnly)
            if transaction.hasAnnounced { shared.announced() }
            if connection?.isIdle != true { drop() }
            return (.success(value), false)
        } catch {
            if !transaction.rollBack() { drop() }
            return (.failure(error), transaction.mayRunAgain)
        }
    }

    private func usableConnection() throws(PostgreSQLError) -> PostgreSQLConnection {
        if let connection {
            if connection.isUsable() { return connection }
            drop()
        }
        if let refusal = shared.refusal(at: clock.now()) { throw refusal }
        shared.connects()
        do {
            let made = try PostgreSQLConnection(settings, clock: clock)
            connection = made
            if shared.connected() { log.reachable(settings.address) }
            return made
        } catch {
            if shared.failed(error, at: clock.now()) { log.unreachable(error) }
            throw error
        }
    }

    /// Whether there is a connection, or one could be made.
    func canConnect() -> Bool { (try? usableConnection()) != nil }

    /// Blocks the thread for a moment.
    func rest() {
        _ = DispatchSemaphore(value: 0).wait(timeout: .now() + .milliseconds(Self.restMilliseconds))
    }

    /// Lets the connection go.
    func drop() {
        guard connection != nil else { return }
        connection = nil
        shared.disconnected()
    }
}
