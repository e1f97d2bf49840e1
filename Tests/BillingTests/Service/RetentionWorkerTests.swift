// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import TestSupport
internal import Testing

@Suite struct RetentionWorkerTests {
    private static let day: Int64 = 86_400
    private let clock = ManualClock(Timestamp(seconds: 1_900_000_000))
    private let ledger = MemoryBillingLedger()

    private var worker: RetentionWorker {
        RetentionWorker(ledger: ledger, dedupWindow: .seconds(768 * 3600), clock: clock)
    }

    @Test func keepsEachKindOfWindowForItsTime() {
        let now = clock.now()
        let limits = BillingRetention(at: now, dedupWindow: .seconds(1000 * 3600))
        #expect(limits.hours == now.adding(seconds: -90 * Self.day))
        #expect(limits.days == now.adding(seconds: -400 * Self.day))
        #expect(limits.weeks == now.adding(seconds: -104 * 7 * Self.day))
        let window = now.adding(seconds: -1000 * 3600)
        #expect(limits.dedup == window && limits.reservations == window && limits.events == window)
        #expect(limits.deliveries == now.adding(seconds: -30 * Self.day))
    }

    /// Windows of an account that many days ago, of every granularity.
    private func fill(_ days: [Int64]) async throws {
        let now = clock.now()
        try await ledger.transact("acme") { transaction in
            for granularity in UsageWindowDelta.Granularity.allCases {
                try transaction.add(
                    days.map {
                        UsageWindowDelta(
                            granularity: granularity, start: now.adding(seconds: -$0 * Self.day),
                            dimensions: UsageDimensions(), amounts: UsageAmounts())
                    })
            }
        }
    }

    private func left(_ granularity: UsageWindowDelta.Granularity) async throws -> [Int64] {
        let now = clock.now()
        return try await ledger.read("acme") { reader in
            try reader.windows(granularity, from: Timestamp(seconds: 0), to: now.adding(seconds: 1), by: [])
                .map { (now.seconds - $0.start.seconds) / Self.day }
        }
    }

    @Test func forgetsOnceADay() async throws {
        let worker = worker
        try await fill([0, 90, 91, 400, 401, 728, 729, 5000])
        while try await worker.step() {}
        #expect(try await left(.hour) == [90, 0])
        #expect(try await left(.day) == [400, 91, 90, 0])
        #expect(try await left(.week) == [728, 401, 400, 91, 90, 0])
        #expect(try await left(.month) == [5000, 729, 728, 401, 400, 91, 90, 0])
        clock.advance(seconds: Self.day - 1)
        #expect(try await !worker.step())
        #expect(try await left(.hour).count == 2)
        clock.advance(seconds: 1)
        while try await worker.step() {}
        #expect(try await left(.hour) == [1])
    }

    @Test func aRoundGoesInBatches() async throws {
        let now = clock.now()
        let old = now.adding(seconds: -100 * Self.day)
        try await ledger.transact("acme") { transaction in
            try transaction.add(
                (0..<2500).map { number in
                    UsageWindowDelta(
                        granularity: .hour, start: old.adding(seconds: Int64(number)),
                        dimensions: UsageDimensions(), amounts: UsageAmounts())
                })
        }
        let worker = worker
        var left: [Int] = []
        repeat {
            left.append(
                try await ledger.read("acme") { try $0.windows(.hour, from: old, to: now, by: []).count })
        } while try await worker.step()
        #expect(left == [2500, 1500, 500])
    }
}
