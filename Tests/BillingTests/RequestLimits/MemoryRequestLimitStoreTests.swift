// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import Metrics
internal import MetricsTestKit
internal import TestSupport
internal import Testing

@Suite struct MemoryRequestLimitStoreTests {
    private static let start = Timestamp(seconds: 1_772_366_400)

    @Test func keepsTheContract() async throws {
        try await RequestLimitContract {
            MemoryRequestLimitStore(maxKeys: 1000, metricsFactory: NOOPMetricsHandler.instance)
        }.check()
    }

    @Test func keepsTheContractWithOneLock() async throws {
        try await RequestLimitContract {
            MemoryRequestLimitStore(maxKeys: 1000, shardCount: 1, metricsFactory: NOOPMetricsHandler.instance)
        }.check()
    }

    private func take(_ store: MemoryRequestLimitStore, _ id: String, _ rate: RequestRate, at seconds: Int64 = 0)
        async throws -> RequestLimitAnswer
    {
        try await store.take(
            [RequestLimit(key: .apiKey(id), rate: rate)], at: Self.start.adding(seconds: seconds), timeLeft: .seconds(1)
        )
    }

    @Test func aFloodOfKeysStaysInItsBounds() async throws {
        let metrics = TestMetrics()
        let store = MemoryRequestLimitStore(maxKeys: 640, metricsFactory: metrics)
        for number in 0..<20_000 { _ = try await take(store, "key\(number)", RequestRate(minute: 5)) }
        #expect(store.keyCount <= 640)
        store.recordKeys()
        #expect(try metrics.expectGauge("tollgate_rate_limit_keys").lastValue ?? 0 <= 640)
        let live = try metrics.expectCounter("tollgate_rate_limit_evictions_total", [("state", "live")])
        #expect(live.totalValue >= 19_000)
    }

    @Test func keysWithNothingCountedGoFirst() async throws {
        let metrics = TestMetrics()
        let store = MemoryRequestLimitStore(maxKeys: 10, shardCount: 1, metricsFactory: metrics)
        _ = try await take(store, "busy", RequestRate(day: 1))
        for number in 0..<9 { _ = try await take(store, "idle\(number)", RequestRate(minute: 1)) }
        // The busy one is the one used least recently, and stays: what the others counted has left.
        _ = try await take(store, "new", RequestRate(minute: 1), at: 61)
        #expect(try await take(store, "busy", RequestRate(day: 1), at: 62).isAdmitted == false)
        let idle = try metrics.expectCounter("tollgate_rate_limit_evictions_total", [("state", "idle")])
        #expect(idle.totalValue == 9)
    }

    @Test func theSameKeyDoesNotTakeMoreRoom() async throws {
        let store = MemoryRequestLimitStore(maxKeys: 100, metricsFactory: NOOPMetricsHandler.instance)
        for second in 0..<500 {
            _ = try await take(store, "a", RequestRate(minute: 5, hour: 5, day: 5), at: Int64(second))
        }
        #expect(store.keyCount == 1)
    }

    /// What is admitted never exceeds a limit in any sixty parts in a row, whatever bursts come.
    @Test func noSixtyPartsHoldMoreThanTheLimit() async throws {
        let random = SeededRandom(seed: 60)
        for _ in 0..<FuzzCases.count(20) {
            let rate = RequestRate(minute: Int64(1 + random.below(9)), hour: Int64(5 + random.below(40)))
            let store = MemoryRequestLimitStore(maxKeys: 100, metricsFactory: NOOPMetricsHandler.instance)
            var admitted: [Int64] = []
            var second: Int64 = 0
            for _ in 0..<600 {
                second += Int64([0, 0, 0, 1, 3, 20, 61, 300][random.below(8)])
                if try await take(store, "a", rate, at: second).isAdmitted { admitted.append(second) }
            }
            for end in admitted {
                #expect(Int64(admitted.count { $0 <= end && $0 > end - 60 }) <= rate.minute ?? 0)
                let part = end / 60
                #expect(Int64(admitted.count { $0 / 60 <= part && $0 / 60 > part - 60 }) <= rate.hour ?? 0)
            }
        }
    }
}
