// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
package import Metrics
internal import Synchronization

/// The keys that wait for work, handed out one at a time each.
package final class WorkQueue<Key: Hashable & Sendable>: Sendable {
    private struct State {
        var queue = QueueState<Key>()
        var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
        var waiterIDs: UInt64 = 0
        var isClosed = false
        /// Until when the timekeeper sleeps; nil when it waits for something to be due.
        var alarm: Duration?

        /// Whether something is due before the timekeeper looks again.
        mutating func isDueBeforeAlarm() -> Bool {
            guard let due = queue.nextDue else { return false }
            return alarm.map { due < $0 } ?? true
        }
    }

    package let name: String
    private let time: any MonotonicClock
    private let state = Mutex(State())
    private let delays = Signal()
    private let metrics: QueueMetrics

    /// - Parameter name: for the metrics.
    package init(
        name: String, time: any MonotonicClock = SystemMonotonicClock(), metricsFactory: any MetricsFactory
    ) {
        self.name = name
        self.time = time
        metrics = QueueMetrics(name: name, factory: metricsFactory)
    }

    /// How many keys wait.
    package var depth: Int { state.withLock(\.queue.depth) }

    /// Has a key wait, from after that pause on; nothing when the queue is closed.
    package func add(_ key: Key, priority: WorkPriority = .change, after pause: Duration = .zero) {
        let now = time.now()
        metrics.added()
        let (waiter, isSooner) = state.withLock { state -> (CheckedContinuation<Void, Never>?, Bool) in
            guard !state.isClosed else { return (nil, false) }
            state.queue.add(key, priority: priority, readyAt: now + pause, now: now)
            metrics.depths(state.queue.depths)
            return (pause <= .zero ? Self.takeWaiter(&state) : nil, state.isDueBeforeAlarm())
        }
        waiter?.resume()
        if isSooner { delays.call() }
    }

    /// The most urgent key, as soon as there is one; nil when the queue is closed or the task is cancelled. Who takes it calls `done`.
    package func next() async -> Key? {
        while !Task.isCancelled {
            let now = time.now()
            let (found, isClosed) = state.withLock { state -> ((key: Key, waited: Duration)?, Bool) in
                guard !state.isClosed else { return (nil, true) }
                let next = state.queue.next(now: now)
                if next != nil { metrics.depths(state.queue.depths) }
                return (next, false)
            }
            if isClosed { return nil }
            if let found {
                metrics.waited(found.waited)
                return found.key
            }
            await sleepUntilAdded()
        }
        return nil
    }

    /// The work on a key has ended.
    ///
    /// - Parameter failed: it waits again, by the pause of its failures; else they are forgotten.
    package func done(_ key: Key, failed: Bool = false) {
        let now = time.now()
        if failed { metrics.retried() }
        let (waiter, isSooner) = state.withLock { state in
            state.queue.done(key, failed: failed, now: now)
            return (Self.takeWaiter(&state), state.isDueBeforeAlarm())
        }
        waiter?.resume()
        if isSooner { delays.call() }
    }

    /// Hands nothing out any more; who waits is told.
    package func close() {
        let waiters = state.withLock { state in
            state.isClosed = true
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        for waiter in waiters { waiter.resume() }
        delays.call()
    }

    var isClosed: Bool { state.withLock(\.isClosed) }

    /// Wakes workers when keys become due, until it is cancelled or the queue is closed. One task runs it.
    func keepTime() async {
        while !Task.isCancelled, !isClosed {
            let now = time.now()
            let (alarm, waiters) = state.withLock { state -> (Duration?, [CheckedContinuation<Void, Never>]) in
                state.alarm = state.queue.nextDue
                guard let due = state.alarm, due <= now else { return (state.alarm, []) }
                // What is due and not taken yet is taken by a worker that is done.
                state.alarm = now + .milliseconds(100)
                defer { state.waiters = [:] }
                return (state.alarm, Array(state.waiters.values))
            }
            for waiter in waiters { waiter.resume() }
            guard let alarm else {
                await delays.wait()
                continue
            }
            _ = await time.limited(to: alarm - now) { [delays] in await delays.wait() }
        }
    }

    private func sleepUntilAdded() async {
        let id = state.withLock { state in
            state.waiterIDs += 1
            return state.waiterIDs
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let now = time.now()
                let goesOn = state.withLock { state -> Bool in
                    guard !state.isClosed, !Task.isCancelled, !state.queue.hasReady(now: now) else { return true }
                    state.waiters[id] = continuation
                    return false
                }
                if goesOn { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: id) }?.resume()
        }
    }

    private static func takeWaiter(_ state: inout State) -> CheckedContinuation<Void, Never>? {
        guard let id = state.waiters.keys.first else { return nil }
        return state.waiters.removeValue(forKey: id)
    }
}
