// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
package import Logging
package import Metrics

/// Takes entries out of the queue and has them applied: again after a failure, until they have failed too often.
package struct QueueWorker: Sendable {
    /// How an entry ended.
    package enum Outcome: Sendable, Hashable {
        /// It is applied, durably, or was before.
        case applied
        /// It is to be tried again.
        case failed(reason: String)
        /// It is not to be tried again, and this is what is set aside of it.
        case dead(reason: String, payload: [UInt8])
    }

    private static let batch = 100
    /// How long one look for new entries waits: so often those left behind by others are looked for.
    private static let patience = Duration.seconds(5)

    private let queue: any UsageQueue
    private let name: String
    private let clock: any MonotonicClock
    private let logger: Logger
    private let dead: Counter

    /// - Parameter name: of this worker, different from all others'.
    package init(
        queue: any UsageQueue, name: String, clock: any MonotonicClock, logger: Logger,
        metricsFactory: any MetricsFactory
    ) {
        self.queue = queue
        self.name = name
        self.clock = clock
        self.logger = logger
        dead = Counter(label: "tollgate_usage_queue_dead_total", factory: metricsFactory)
        dead.increment(by: 0)
    }

    /// Works until it is cancelled.
    ///
    /// - Parameter apply: gives one outcome for each entry, in their order.
    package func run(apply: @Sendable ([QueueEntry]) async -> [Outcome]) async {
        while !Task.isCancelled {
            do throws(QueueError) {
                try await round(waiting: Self.patience, apply: apply)
            } catch {
                logger.debug("the queue cannot be asked", metadata: [LogKeys.error: "\(error)"])
                // Cancelled: the loop ends by itself.
                try? await clock.pause(for: .seconds(1))
            }
        }
    }

    /// One look: first at what others have left behind, then at what is new.
    package func round(
        waiting: Duration, apply: @Sendable ([QueueEntry]) async -> [Outcome]
    ) async throws(QueueError) {
        var entries = try await queue.reclaim(most: Self.batch, by: name, idle: UsageQueueRules.idle)
        entries += try await queue.take(
            most: Self.batch, by: name, waiting: entries.isEmpty ? waiting : .zero)
        var tries: [QueueEntry] = []
        for entry in entries {
            if entry.deliveries <= UsageQueueRules.maximumDeliveries {
                tries.append(entry)
            } else {
                // A worker that died with it every time has failed as well.
                try await bury(entry, reason: "handed out \(entry.deliveries - 1) times without an end")
            }
        }
        guard !tries.isEmpty else { return }
        var applied: [String] = []
        for (entry, outcome) in zip(tries, await apply(tries)) {
            switch outcome {
            case .applied: applied.append(entry.id)
            case .failed(let reason):
                if entry.deliveries >= UsageQueueRules.maximumDeliveries { try await bury(entry, reason: reason) }
            case .dead(let reason, let payload):
                try await bury(
                    QueueEntry(id: entry.id, payload: payload, deliveries: entry.deliveries), reason: reason)
            }
        }
        try await queue.done(applied)
    }

    private func bury(_ entry: QueueEntry, reason: String) async throws(QueueError) {
        try await queue.bury(entry, reason: reason)
        dead.increment()
        logger.error(
            "a usage event failed too often and is set aside",
            metadata: ["entry": "\(entry.id)", LogKeys.reason: "\(reason)"])
    }
}
