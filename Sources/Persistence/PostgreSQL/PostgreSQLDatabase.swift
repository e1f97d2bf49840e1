// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
internal import Foundation
package import Logging
package import Metrics
internal import Synchronization

/// A PostgreSQL database behind a bounded number of connections. Each blocks a thread of its own, so no thread that serves requests ever waits
/// for the network; a connection is made when it is needed and again, with pauses that grow, after it was lost.
package final class PostgreSQLDatabase: Sendable {
    /// How it is used.
    package let settings: PostgreSQLSettings
    private let queue: PostgreSQLQueue
    private let ending: ThreadEnd
    private let shared: PostgreSQLPoolState
    private let clock: any MonotonicClock

    /// Starts the threads; nothing is connected yet.
    package init(
        _ settings: PostgreSQLSettings, logger: Logger, metrics: any MetricsFactory,
        clock: any MonotonicClock = SystemMonotonicClock(), random: any RandomSource = SystemRandomSource()
    ) {
        var settings = settings
        settings.poolSize = max(1, settings.poolSize)
        self.settings = settings
        self.clock = clock
        let metrics = PostgreSQLMetrics(factory: metrics, poolSize: settings.poolSize)
        let queue = PostgreSQLQueue(
            limit: settings.maximumWaiting, waitTimeout: settings.waitTimeout, clock: clock, metrics: metrics)
        let shared = PostgreSQLPoolState(metrics: metrics, random: random)
        let log = PostgreSQLLog(logger: logger)
        let ending = ThreadEnd(count: settings.poolSize)
        for number in 1...settings.poolSize {
            let thread = Thread { [settings] in
                let worker = PostgreSQLWorker(settings, shared: shared, clock: clock, log: log)
                while let job = queue.next() {
                    // Who cannot connect leaves the work to those who have a connection.
                    if !worker.canConnect(), shared.hasOthers, queue.giveBack(job) {
                        worker.rest()
                    } else {
                        job.run(worker)
                    }
                }
                worker.drop()
                ending.ended()
            }
            thread.name = "postgresql-\(number)"
            thread.stackSize = 1 << 20
            thread.start()
        }
        self.queue = queue
        self.ending = ending
        self.shared = shared
    }

    deinit { queue.close(threads: settings.poolSize) }

    /// Runs the body on a connection's own thread in one transaction, in which the scope is set first, and commits it. What the body throws
    /// takes everything back and comes out of here.
    ///
    /// The body may run again from its beginning, when its connection was lost before it was committed or another transaction was in its
    /// way: it must do nothing but talk to the transaction. It must be short, since it keeps a connection from others. Cancelling the
    /// caller changes nothing, because a write that may have happened must be answered.
    ///
    /// - Throws: `PostgreSQLError`, or what the body throws.
    @discardableResult
    package func transaction<Value: Sendable>(
        _ scope: TenantScope, isReadOnly: Bool = false,
        _ body: @escaping @Sendable (PostgreSQLTransaction) throws -> Value
    ) async throws -> Value {
        // A tenant that is none is an error before the database is asked.
        _ = try scope.tenantID()
        return try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Value, any Error>) in
            queue.add(
                PostgreSQLQueue.Job(
                    since: clock.now(),
                    run: { worker in
                        continuation.resume(with: worker.transaction(scope, isReadOnly: isReadOnly, body))
                    },
                    fail: { continuation.resume(throwing: $0) }))
        }
    }

    /// Runs one query in a transaction of its own that only reads.
    ///
    /// - Throws: `PostgreSQLError`.
    package func query(
        _ scope: TenantScope, _ sql: String, _ parameters: [PostgreSQLValue] = []
    ) async throws -> [PostgreSQLRow] {
        try await transaction(scope, isReadOnly: true) { try $0.query(sql, parameters) }
    }

    /// Has the body called, on a connection's thread, after each transaction from here that told other replicas of changes. There is one body.
    package func observeAnnouncements(_ body: @escaping @Sendable () -> Void) { shared.observeAnnouncements(body) }

    /// Asks the database for a sign of life.
    ///
    /// - Throws: `PostgreSQLError`.
    package func ping() async throws {
        _ = try await query(.none, "SELECT 1")
    }

    /// Fails all who wait, ends what runs and closes the connections. Nothing may be asked of it afterwards.
    package func shutdown() async {
        queue.close(threads: settings.poolSize)
        await ending.wait()
    }
}

/// Waits for a number of threads.
final class ThreadEnd: Sendable {
    private struct State: Sendable {
        var running: Int
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state: Mutex<State>

    init(count: Int) { state = Mutex(State(running: count)) }

    /// Notes that one has ended.
    func ended() {
        let waiting = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            state.running -= 1
            guard state.running == 0 else { return [] }
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Returns when all have.
    func wait() async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                guard state.running > 0 else { return true }
                state.waiting.append(continuation)
                return false
            }
            if isOver { continuation.resume() }
        }
    }
}
