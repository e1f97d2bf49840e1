// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import Logging
internal import Metrics
internal import Synchronization
internal import TestSupport
internal import Testing

/// The queue of usage events in memory, and the worker over it.
struct UsageQueueTests {
    private static let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    @Test func keepsTheContract() async throws {
        try await UsageQueueContract { MemoryUsageQueue(clock: SystemMonotonicClock()) }.check()
    }

    @Test func takesNoMoreThanItHolds() async throws {
        let queue = MemoryUsageQueue(capacity: 2, clock: ManualMonotonicClock())
        for _ in 0..<2 { _ = try await queue.add([1]) }
        await #expect(throws: QueueError.self) { try await queue.add([1]) }
        let taken = try await queue.take(most: 2, by: "w", waiting: .zero)
        try await queue.done([taken[0].id])
        _ = try await queue.add([2])
    }

    @Test func comesBackAfterSixtySecondsAndDiesAfterTenFailures() async throws {
        let clock = ManualMonotonicClock()
        let queue = MemoryUsageQueue(clock: clock)
        let worker = QueueWorker(
            queue: queue, name: "w", clock: clock, logger: Self.logger, metricsFactory: NOOPMetricsHandler.instance)
        _ = try await queue.add([7])
        let tries = Mutex(0)
        for round in 1...10 {
            try await worker.round(waiting: .zero) { entries in
                tries.withLock { $0 += entries.count }
                return entries.map { _ in .failed(reason: "no") }
            }
            #expect(tries.withLock { $0 } == round)
            clock.advance(by: .seconds(59))
            try await worker.round(waiting: .zero) { $0.map { _ in .applied } }
            #expect(tries.withLock { $0 } == round, "nobody takes it before its time")
            clock.advance(by: .seconds(1))
        }
        #expect(queue.dead.map(\.payload) == [[7]])
        #expect(try await queue.depth() == QueueDepth(entries: 0, inWork: 0, dead: 1))
    }

    @Test func whatKilledItsWorkersIsSetAsideWithoutATry() async throws {
        let clock = ManualMonotonicClock()
        let queue = MemoryUsageQueue(clock: clock)
        let worker = QueueWorker(
            queue: queue, name: "w", clock: clock, logger: Self.logger, metricsFactory: NOOPMetricsHandler.instance)
        _ = try await queue.add([7])
        _ = try await queue.take(most: 1, by: "died", waiting: .zero)
        for _ in 0..<9 { _ = try await queue.reclaim(most: 1, by: "died", idle: .zero) }
        clock.advance(by: .seconds(60))
        try await worker.round(waiting: .zero) { entries in
            Issue.record("it was tried once more")
            return entries.map { _ in .applied }
        }
        #expect(queue.dead.count == 1)
    }
}
