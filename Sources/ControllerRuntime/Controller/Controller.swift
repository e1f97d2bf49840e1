// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
package import Logging
package import Metrics

/// How the work on a key ended.
package enum ReconcileResult: Sendable, Equatable {
    case done
    /// All is well; it is looked at again after that time.
    case requeue(after: Duration)
    /// It is tried again, after longer and longer pauses.
    case failed(String)
    /// Trying again would not help: it waits for a change.
    case terminal(String)

    /// Whether the work did not succeed.
    package var isFailure: Bool {
        switch self {
        case .done, .requeue: false
        case .failed, .terminal: true
        }
    }
}

/// Works on the keys of a queue with several workers, on each key at most once at a time.
package struct Controller<Key: Hashable & Sendable>: Sendable {
    package let name: String
    private let queue: WorkQueue<Key>
    private let workers: Int
    private let limit: Duration
    private let time: any MonotonicClock
    private let logger: Logger
    private let metrics: ControllerMetrics
    private let reconcile: @Sendable (Key) async -> ReconcileResult

    /// - Parameters:
    ///   - limit: how long one piece of work may take; then it is cancelled and counts as failed.
    package init(
        name: String, queue: WorkQueue<Key>, workers: Int = 4, limit: Duration = .seconds(60),
        time: any MonotonicClock = SystemMonotonicClock(), logger: Logger, metricsFactory: any MetricsFactory,
        reconcile: @escaping @Sendable (Key) async -> ReconcileResult
    ) {
        self.name = name
        self.queue = queue
        self.workers = workers
        self.limit = limit
        self.time = time
        self.logger = logger
        metrics = ControllerMetrics(name: name, factory: metricsFactory)
        self.reconcile = reconcile
    }

    /// Works until the queue is closed, which lets the keys in work be finished, or the task is cancelled, which does not.
    package func run() async {
        await withTaskGroup(of: Void.self) { group in
            let timekeeper = queue
            group.addTask { await timekeeper.keepTime() }
            for _ in 0..<workers { group.addTask { await work() } }
            await group.waitForAll()
        }
    }

    /// Takes no further key.
    package func stop() { queue.close() }

    private func work() async {
        while let key = await queue.next() {
            metrics.began()
            let watch = Stopwatch()
            let result = await time.limited(to: limit) { await reconcile(key) } ?? .failed("not done after \(limit)")
            metrics.ended(result, nanoseconds: watch.nanoseconds)
            switch result {
            case .done: queue.done(key)
            case .requeue(let pause):
                queue.done(key)
                queue.add(key, priority: .resync, after: pause)
            case .failed(let reason):
                report(key, reason, willRetry: true)
                queue.done(key, failed: true)
            case .terminal(let reason):
                report(key, reason, willRetry: false)
                queue.done(key)
            }
        }
    }

    private func report(_ key: Key, _ reason: String, willRetry: Bool) {
        logger.warning(
            "reconcile failed",
            metadata: [
                "controller": "\(name)", LogKeys.object: "\(key)", LogKeys.reason: "\(reason)",
                "retries": "\(willRetry)",
            ])
    }
}
