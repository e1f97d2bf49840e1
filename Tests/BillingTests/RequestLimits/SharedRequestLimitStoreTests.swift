// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import Metrics
internal import Synchronization
internal import TestSupport
internal import Testing

/// Counting where the shared store comes and goes.
struct SharedRequestLimitStoreTests {
    /// A memory that can be away, on a clock of its own.
    private final class Remote: RequestLimitStore {
        let memory = MemoryRequestLimitStore(maxKeys: 100, metricsFactory: NOOPMetricsHandler.instance)
        let isAway = Mutex(false)

        private func check() throws(Refusal) {
            if isAway.withLock({ $0 }) { throw Refusal(.decisionInternal) }
        }

        func take(_ limits: [RequestLimit], at now: Timestamp, timeLeft: Duration) async throws(Refusal)
            -> RequestLimitAnswer
        {
            try check()
            return try await memory.take(limits, at: now.adding(seconds: 5), timeLeft: timeLeft)
        }

        func look(_ limits: [RequestLimit], at now: Timestamp, timeLeft: Duration) async throws(Refusal)
            -> RequestLimitAnswer
        {
            try check()
            return try await memory.look(limits, at: now.adding(seconds: 5), timeLeft: timeLeft)
        }

        func giveBack(_ limits: [RequestLimit], _ answer: RequestLimitAnswer) async {
            if !isAway.withLock({ $0 }) { await memory.giveBack(limits, answer) }
        }
    }

    private static let now = Timestamp(seconds: 1_772_366_400)
    private static let limits = [RequestLimit(key: .apiKey("a"), rate: RequestRate(minute: 3))]

    private static func makeStore(_ remote: Remote) -> SharedRequestLimitStore {
        SharedRequestLimitStore(
            shared: remote,
            local: MemoryRequestLimitStore(maxKeys: 100, metricsFactory: NOOPMetricsHandler.instance),
            metricsFactory: NOOPMetricsHandler.instance)
    }

    private func take(_ store: any RequestLimitStore) async throws -> Bool {
        try await store.take(Self.limits, at: Self.now, timeLeft: .seconds(1)).isAdmitted
    }

    @Test func countsForAllReplicas() async throws {
        let remote = Remote()
        let stores = [Self.makeStore(remote), Self.makeStore(remote)]
        for store in [0, 1, 1] { #expect(try await take(stores[store])) }
        for store in stores { #expect(try await take(store) == false) }
    }

    @Test func goesOnFromItsOwnShareAndComesBack() async throws {
        let remote = Remote()
        let stores = [Self.makeStore(remote), Self.makeStore(remote)]
        for store in [0, 0, 1] { #expect(try await take(stores[store])) }
        remote.isAway.withLock { $0 = true }
        #expect(try await take(stores[0]))
        #expect(try await take(stores[0]) == false)
        #expect(stores[0].isDegraded)
        #expect(!stores[1].isDegraded)
        #expect(try await take(stores[1]))
        remote.isAway.withLock { $0 = false }
        #expect(try await take(stores[0]) == false, "what was shared before is known still")
        #expect(!stores[0].isDegraded)
    }

    @Test func givesBackWhereItWasCounted() async throws {
        let remote = Remote()
        let store = Self.makeStore(remote)
        let shared = try await store.take(Self.limits, at: Self.now, timeLeft: .seconds(1))
        remote.isAway.withLock { $0 = true }
        let alone = try await store.take(Self.limits, at: Self.now, timeLeft: .seconds(1))
        #expect(alone.sharedAt == nil)
        remote.isAway.withLock { $0 = false }
        await store.giveBack(Self.limits, alone)
        let look = try await remote.look(Self.limits, at: Self.now, timeLeft: .seconds(1))
        #expect(look.told?.remaining == 2, "nobody's request is taken back in its place")
        await store.giveBack(Self.limits, shared)
        #expect(try await remote.look(Self.limits, at: Self.now, timeLeft: .seconds(1)).told?.remaining == 3)
        remote.isAway.withLock { $0 = true }
        #expect(try await store.look(Self.limits, at: Self.now, timeLeft: .seconds(1)).told?.remaining == 3)
    }
}
