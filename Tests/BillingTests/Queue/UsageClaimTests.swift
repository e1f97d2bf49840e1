// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import Logging
internal import Metrics
internal import TestSupport
internal import Testing

/// Usage that is acknowledged by one process and applied by another, over a ledger and a queue in memory.
@Suite struct UsageClaimTests {
    private static let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    /// Both sides of the queue.
    private struct World {
        let desk: AccountDesk
        let time = ManualMonotonicClock()
        let queue: MemoryUsageQueue
        let claims: UsageClaims
        let worker: UsageClaimWorker
        let entries: QueueWorker

        init(
            hasQueue: Bool = true, capacity: Int = 1000, settings: BillingSettings = BillingSettings()
        ) throws {
            desk = try AccountDesk(settings: settings)
            queue = MemoryUsageQueue(capacity: capacity, clock: time)
            claims = UsageClaims(billing: desk.service, queue: hasQueue ? queue : nil, logger: logger)
            worker = UsageClaimWorker(
                billing: desk.service, queue: hasQueue ? queue : nil, logger: logger,
                metricsFactory: NOOPMetricsHandler.instance)
            entries = QueueWorker(
                queue: queue, name: "w", clock: time, logger: logger, metricsFactory: NOOPMetricsHandler.instance)
        }

        func take(_ candidates: UsageCandidate..., account: String = "acme") async throws -> [String] {
            try await claims.take(candidates, account: account).map { result in
                if case .duplicate(conflict: true) = result.outcome { return "conflict" }
                if case .rejected(let refusal) = result.outcome { return refusal.code.rawValue }
                return result.status
            }
        }

        /// One look of the worker at the queue.
        func round() async throws { try await entries.round(waiting: .zero) { await worker.apply($0) } }

        /// What is recorded of an account, by ids.
        func recorded(_ account: String = "acme") async throws -> [String] {
            try await desk.ledger.read(account) { try $0.usage(UsageQuery(limit: 1000)).map(\.id).sorted() }
        }

        func dead(_ account: String = "acme") async throws -> [JSONValue] {
            let rows = try await desk.ledger.read(account) { try $0.named(.deadUsage, after: nil, limit: 100) }
            return try rows.map { try JSONParser.parse(text: $0.document) }
        }

        var waiting: Int64 { get async throws { try await desk.ledger.pendingUsage().count } }
    }

    @Test(arguments: [
        UsageEvent.Content.tokens(
            TokenCounts(input: 1, output: 2, cacheRead: 3, cacheWrite: 4, reasoning: 5), model: "m\u{e4} \"x\"",
            provider: "p"), .tokens(TokenCounts(), model: "m", provider: nil),
        .agent("a", calls: 3, seconds: 4), .tasks(1_000_000_000),
    ])
    func comesBackAsItWas(_ content: UsageEvent.Content) throws {
        var event = UsageEvent(
            source: "s", id: "i", digest: "d", account: "acme", at: Timestamp(microseconds: 1_772_366_400_123_456),
            content: content)
        #expect(try UsageEvent(document: event.document) == event)
        (event.agent, event.user, event.project) = ("a", "u", "p")
        (event.session, event.task, event.reservation) = ("s", "t", "r")
        #expect(try UsageEvent(document: event.document) == event)
    }

    @Test(arguments: ["", "{}", "[]", #"{"kind":"tokens","source":"s","id":"i","digest":"d","account":"a","at":1}"#])
    func isNoEventAtAll(_ document: String) {
        let fault = #expect(throws: BillingStoreError.self) { try UsageEvent(document: document) }
        #expect(fault?.code == .unreadable)
    }

    @Test func acknowledgesWhatIsAppliedLater() async throws {
        let world = try World()
        try await world.desk.open("acme", microCredits: 1_000_000_000)
        let desk = world.desk
        #expect(
            try await world.take(desk.event("a", "acme", input: 1000), desk.event("b", "acme", input: 2000))
                == ["accepted", "accepted"])
        #expect(try await world.recorded() == [])
        #expect(try await world.waiting == 2)
        try await world.round()
        #expect(try await world.recorded() == ["a", "b"])
        #expect(try await world.waiting == 0)
        #expect(try await world.queue.depth() == QueueDepth(entries: 0, inWork: 0, dead: 0))
        // What one process did at once comes to the same.
        let direct = try AccountDesk()
        try await direct.open("acme", microCredits: 1_000_000_000)
        _ = try await direct.service.record(
            [direct.event("a", "acme", input: 1000), direct.event("b", "acme", input: 2000)], account: "acme")
        #expect(
            try await desk.service.view("acme").availableMicroCredits
                == direct.service.view("acme").availableMicroCredits)
    }

    @Test func tellsRepeatsWhileTheyWaitAndAfterwards() async throws {
        let world = try World()
        let desk = world.desk
        let event = desk.event("a", "acme", input: 1000)
        let other = desk.event("a", "acme", input: 9)
        #expect(try await world.take(event, event, other) == ["accepted", "duplicate", "conflict"])
        #expect(try await world.take(event) == ["duplicate"])
        #expect(try await world.take(other) == ["conflict"])
        #expect(try await world.queue.depth().entries == 1)
        try await world.round()
        #expect(try await world.take(event) == ["duplicate"])
        #expect(try await world.take(other) == ["conflict"])
        #expect(try await world.waiting == 0)
    }

    @Test func refusesWhatCanBeKnownBefore() async throws {
        let world = try World()
        #expect(
            try await world.take(
                world.desk.event("a", "acme", input: 1, model: "nobody-knows"), world.desk.event("b", "acme", input: 1))
                == ["billing.unknown_model", "accepted"])
        #expect(try await world.waiting == 1)
        let strict = try World(settings: BillingSettings(makesAccounts: false))
        await expectRefusal(.billingAccountNotFound) {
            _ = try await strict.take(strict.desk.event("a", "acme", input: 1))
        }
        #expect(try await strict.waiting == 0)
    }

    @Test func theSameEntryTwiceHasOneEffect() async throws {
        let world = try World()
        _ = try await world.take(world.desk.event("a", "acme", input: 1000))
        let id = UsageClaim.id(account: "acme", source: "gw", id: "a")
        _ = try await world.queue.add(Array(id.utf8))
        _ = try await world.queue.add(Array("of nobody".utf8))
        try await world.round()
        try await world.round()
        #expect(try await world.recorded() == ["a"])
        #expect(try await world.queue.depth() == QueueDepth(entries: 0, inWork: 0, dead: 0))
    }

    @Test func findsWhatTheQueueLost() async throws {
        // It takes one entry, so that the second claim has none.
        let world = try World(capacity: 1)
        _ = try await world.take(world.desk.event("a", "acme", input: 1))
        #expect(try await world.take(world.desk.event("b", "acme", input: 1)) == ["accepted"])
        #expect(try await world.worker.sweep() == false)
        #expect(try await world.recorded() == [], "the queue has them for five seconds")
        world.desk.clock.advance(seconds: UsageClaimWorker.patienceSeconds)
        #expect(try await world.worker.sweep() == false)
        #expect(try await world.recorded() == ["a", "b"])
        try await world.round()
        #expect(try await world.queue.depth().entries == 0)
    }

    @Test func needsNoQueue() async throws {
        let world = try World(hasQueue: false)
        for number in 0..<(UsageClaimWorker.batch + 1) {
            _ = try await world.take(world.desk.event("e\(number)", "acme", input: 1))
        }
        #expect(try await world.worker.sweep())
        #expect(try await world.waiting == 1)
        #expect(try await world.worker.sweep() == false)
        #expect(try await world.recorded().count == UsageClaimWorker.batch + 1)
    }

    @Test func aWorkerThatDiedLeavesNothingBehind() async throws {
        let world = try World()
        _ = try await world.take(world.desk.event("a", "acme", input: 1))
        // It took entry and claim, and died.
        _ = try await world.queue.take(most: 1, by: "died", waiting: .zero)
        let now = world.desk.clock.now()
        _ = try await world.desk.ledger.takePending(at: now, leaseUntil: now.adding(seconds: 60), limit: 1)
        world.desk.clock.advance(seconds: 59)
        world.time.advance(by: .seconds(59))
        _ = try await world.worker.sweep()
        try await world.round()
        #expect(try await world.recorded() == [])
        world.desk.clock.advance(seconds: 1)
        world.time.advance(by: .seconds(1))
        try await world.round()
        #expect(try await world.recorded() == ["a"])
        #expect(try await world.queue.depth().entries == 0)
    }

    @Test(arguments: [true, false]) func setsAsideWhatTheAccountRefuses(throughTheQueue: Bool) async throws {
        let world = try World()
        let desk = world.desk
        let lost = desk.event("lost", "acme", input: 1, reservation: "nowhere")
        #expect(try await world.take(lost, desk.event("b", "acme", input: 1)) == ["accepted", "accepted"])
        if throughTheQueue {
            try await world.round()
        } else {
            desk.clock.advance(seconds: 5)
            _ = try await world.worker.sweep()
        }
        #expect(try await world.recorded() == ["b"])
        #expect(try await world.waiting == 0)
        let dead = try await world.dead()
        #expect(dead.map { $0["reason"] } == ["billing.not_found"])
        #expect(dead.first?["event"]?["id"] == "lost")
        #expect(desk.told.count(.alert) == 1)
        let inQueue = try world.queue.dead.map { try JSONParser.parse($0.payload)["id"] }
        #expect(inQueue == ["lost"])
    }

    @Test func setsAsideAfterTenTries() async throws {
        let world = try World(settings: BillingSettings(makesAccounts: false))
        let desk = world.desk
        try await desk.open("acme", microCredits: 1_000_000_000)
        _ = try await world.take(desk.event("good", "acme", input: 1))
        // One that cannot be read, and one whose account is not there.
        let event = UsageEvent(
            source: "gw", id: "x", digest: "", account: "gone", at: desk.clock.now(), content: .tasks(1))
        let unreadable = PendingUsageRow(id: "p", account: "acme", payload: "{}", receivedAt: desk.clock.now())
        _ = try await desk.ledger.addPending([unreadable, UsageClaim(event: event).row(receivedAt: desk.clock.now())])
        for round in 1...10 {
            #expect(try await world.dead() + world.dead("gone") == [], "before round \(round)")
            desk.clock.advance(seconds: 60)
            _ = try await world.worker.sweep()
            #expect(try await world.recorded() == ["good"])
        }
        #expect(try await world.waiting == 0)
        let dead = try await world.dead()
        #expect(dead.map { $0["reason"] } == ["unreadable"])
        #expect(dead.first?["attempts"] == 10)
        #expect(dead.first?["event"] == [:])
        #expect(try await world.dead("gone").map { $0["reason"] } == ["billing.account_not_found"])
        #expect(desk.told.count(.alert) == 1, "an account that is not there has nobody to tell")
        #expect(world.queue.dead.count == 2)
    }
}
