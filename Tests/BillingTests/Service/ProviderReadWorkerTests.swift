// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import TestSupport
internal import Testing

@Suite struct ProviderReadWorkerTests {
    private static let stale: Int64 = 72 * 3600
    private let world: ProviderDesk

    init() throws { world = try ProviderDesk() }

    private var worker: ProviderReadWorker {
        ProviderReadWorker(
            billing: world.desk.service, events: world.events, provider: world.provider,
            random: SeededRandom(seed: 5), logger: ProviderDesk.logger)
    }

    private func read(_ account: String = "acme") async throws -> Int {
        try await worker.read(try await world.desk.service.view(account).book)
    }

    private func isSynced(_ account: String = "acme") async throws -> Bool {
        try await world.desk.service.view(account).isProviderSynced(terms: world.desk.service.terms)
    }

    @Test func asksAfterTheSilenceAndFoldsTheAnswer() async throws {
        try await world.subscribe("acme", days: 30)
        world.clock.advance(seconds: 30 * 86_400 + Self.stale - 1)
        #expect(try await isSynced())
        #expect(try await read() == 0)
        world.clock.advance(seconds: 1)
        #expect(try await !isSynced())
        let now = world.clock.now()
        let (start, end) = (now.adding(seconds: -Self.stale), now.adding(seconds: 27 * 86_400))
        world.provider.set { $0.subscriptions["sub_1"] = ("active", start, end) }
        #expect(try await read() == 1)
        let view = try await world.desk.service.view("acme")
        #expect(view.standing.plan.name == "pro" && view.standing.period == BillingPeriod(start: start, end: end))
        #expect(view.book.provider?.lastEventType == "customer.subscription.updated")
        #expect(view.availableMicroCredits == 1_000_000_000)
        #expect(try await isSynced())
        #expect(try await read() == 0)
    }

    @Test func whatTheProviderHasEndedEnds() async throws {
        try await world.subscribe("acme", days: 1)
        world.clock.advance(seconds: 86_400 + Self.stale)
        let now = world.clock.now()
        world.provider.set { $0.subscriptions["sub_1"] = ("canceled", now, now.adding(seconds: 1)) }
        #expect(try await read() == 1)
        #expect(try await world.desk.service.view("acme").standing.state == .canceled)
        world.clock.advance(seconds: 30 * 86_400)
        #expect(try await read() == 0)
    }

    @Test func anAnswerThatSaysNothingNewIsAskedForMoreAndMoreRarely() async throws {
        try await world.subscribe("acme", days: 1)
        let start = world.clock.now()
        let end = start.adding(seconds: 86_400)
        world.provider.set { $0.subscriptions["sub_1"] = ("active", start, end) }
        world.clock.advance(seconds: 86_400 + Self.stale)
        for _ in 0..<(90 * 24) {
            _ = try await read()
            world.clock.advance(seconds: 3600)
        }
        let reads = world.provider.known.reads.count
        #expect((20...40).contains(reads), "\(reads) in 90 days")
        #expect(try await world.desk.service.view("acme").standing.state == .unpaid)
    }

    @Test func whileTheProviderIsAwayItLapses() async throws {
        try await world.subscribe("acme", days: 1)
        world.provider.set { $0.isAway = true }
        world.clock.advance(seconds: 86_400 + Self.stale)
        #expect(try await read() == 1)
        // Not again at once, nor by another worker.
        #expect(try await read() == 0)
        world.clock.advance(seconds: 336 * 3600 - Self.stale)
        #expect(try await world.desk.service.view("acme").standing.state == .unpaid)
        #expect(try await read() == 1)
        #expect(world.provider.known.reads == ["sub_1", "sub_1"])
    }

    @Test func everySubscriptionThatIsKnownIsRead() async throws {
        try await world.subscribe("acme", "sub_1", days: 1)
        try await world.subscribe("acme", "sub_2", days: 2)
        world.clock.advance(seconds: 2 * 86_400 + Self.stale)
        let now = world.clock.now()
        world.provider.set { state in
            state.subscriptions["sub_1"] = ("active", now, now.adding(seconds: 86_400))
            state.subscriptions["sub_2"] = ("canceled", now, now)
        }
        #expect(try await read() == 2)
        #expect(Set(world.provider.known.reads) == ["sub_1", "sub_2"])
        let view = try await world.desk.service.view("acme")
        #expect(view.standing.origin == "sub_1" && view.standing.state == .active)
        #expect(try await isSynced())
    }

    @Test func aWalkReadsReportsAndCounts() async throws {
        let metrics = TestMetricsOfAccounts()
        try await world.subscribe("paying", days: 30)
        try await world.subscribe("silent", days: 1)
        try await world.use("free", microUSD: 3, id: "1")
        try await world.desk.ledger.transact("broken") { transaction in
            try transaction.put(AccountRow(account: "broken", version: 0, document: "none", dueAt: nil))
        }
        world.clock.advance(seconds: 86_400 + 336 * 3600)
        try await world.use("paying", microUSD: 30_000, id: "2")
        world.provider.set { $0.isAway = true }
        let walk = world.walk(
            meter: MeterReportWorker(
                billing: world.desk.service, provider: world.provider, event: "m", logger: ProviderDesk.logger,
                metricsFactory: metrics.factory), reader: worker, metrics: metrics.factory)
        #expect(try await walk.round() == 3)
        #expect(world.provider.known.reads == ["silent"].map { _ in "sub_1" })
        for (state, count) in [("active", 2), ("unpaid", 1), ("canceled", 0)] {
            #expect(try metrics.count(state) == count)
        }
        world.provider.set { $0.isAway = false }
        #expect(try await walk.round() == 3)
        #expect(world.provider.known.reports.map(\.value) == [3])
    }
}
