// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import TestSupport
internal import Testing

@Suite struct BillingSweepTests {
    @Test func aSweepWritesWhatTimeHasBrought() async throws {
        let desk = try AccountDesk()
        try await desk.open("acme", microCredits: 1000)
        let id = try await desk.reserve("acme", 600, key: "r").reservation.id
        desk.clock.advance(seconds: 300)
        // Seen before anybody wrote it.
        #expect(try await desk.service.reservation(id, account: "acme").reservation.state == .expired)
        #expect(try await desk.service.sweep(at: desk.clock.now()) == 1)
        let stored = try await desk.ledger.read("acme") { reader in
            try reader.reservation(id: id).map { try Reservation($0).state }
        }
        #expect(stored == .expired)
        #expect(try await desk.service.view("acme").availableMicroCredits == 1000)
        #expect(try await desk.service.sweep(at: desk.clock.now()) == 0)
    }

    @Test func anAccountThatCannotBeReadHoldsUpNoOther() async throws {
        let desk = try AccountDesk()
        try await desk.open("acme", microCredits: 1000)
        let id = try await desk.reserve("acme", 600, key: "r").reservation.id
        let now = desk.clock.now()
        try await desk.ledger.transact("abroad") { transaction in
            try transaction.put(AccountRow(account: "abroad", version: 0, document: "no account", dueAt: now))
        }
        desk.clock.advance(seconds: 300)
        let refusal = await #expect(throws: Refusal.self) { try await desk.service.sweep(at: desk.clock.now()) }
        #expect(refusal?.code == .billingUnavailable && refusal?.status == 503)
        let stored = try await desk.ledger.read("acme") { reader in
            try reader.reservation(id: id).map { try Reservation($0).state }
        }
        #expect(stored == .expired)
    }

    @Test func periodsThatPassedUnseenAreResetOneByOne() async throws {
        let desk = try AccountDesk()
        let spec = StatedSubscription(
            uid: "uid", plan: "pro", anchor: desk.clock.now(), overrides: ["rollover": ["min": 0, "max": 200]])
        _ = try await desk.service.apply(SubscriptionOrder(spec: spec), account: "acme")
        desk.clock.advance(seconds: 100 * 86_400)
        #expect(try await desk.service.sweep(at: desk.clock.now()) == 1)
        let kinds = try await desk.entries("acme").map(\.kind)
        #expect(kinds.count { $0 == .rollover } == 3)
        let view = try await desk.service.view("acme")
        #expect(view.availableMicroCredits == 1_200_000_000)
        #expect(view.standing.period.contains(desk.clock.now()))
        #expect(view.book.totals.issued == 4_000_000_000)
    }

    @Test func aSubscriptionThatEndsTakesItsPoolAlong() async throws {
        let desk = try AccountDesk()
        let end = desk.clock.now().adding(seconds: 3600)
        let spec = StatedSubscription(uid: "uid", plan: "pro", anchor: desk.clock.now(), validUntil: end)
        let grant = GrantOrder(key: "gift", microCredits: 5, source: .admin, reason: "test")
        _ = try await desk.service.apply(SubscriptionOrder(spec: spec, grants: [grant]), account: "acme")
        #expect(try await desk.service.view("acme").availableMicroCredits == 1_000_000_005)
        desk.clock.set(end)
        let view = try await desk.service.view("acme")
        #expect(view.standing.state == .canceled)
        #expect(view.standing.plan.name == "free")
        #expect(view.standing.boughtPlan?.name == "pro")
        #expect(view.availableMicroCredits == 5)
    }

    /// A grace that ends and a payment that comes after all are one period: what it costs is paid once.
    @Test func agentsArePaidOnceAPeriodWhateverIsInForceMeanwhile() async throws {
        let desk = try ProviderDesk()
        let service = desk.desk.service
        let spec = StatedSubscription(
            uid: "uid", source: .stripe, plan: nil, anchor: desk.clock.now(),
            overrides: ["agentSlots": ["included": 1, "max": 3, "extraPriceCredits": 100]])
        _ = try await service.apply(SubscriptionOrder(spec: spec), account: "acme")
        let now = desk.clock.now()
        func send(_ id: String, _ status: String, after seconds: Int64) async throws {
            var event = ProviderDesk.event(
                id, "acme", "sub_1", status: status, at: now.adding(seconds: seconds),
                end: now.adding(seconds: 30 * 86_400))
            event.periodStart = now
            desk.clock.set(now.adding(seconds: seconds))
            _ = try await desk.events.take(event)
        }
        try await send("e1", "active", after: 1)
        for id in ["a", "b", "c"] {
            _ = try await service.take(SlotRequest(kind: .agent, id: id), account: "acme", actor: "gw")
        }
        let paid = try await service.view("acme").book.totals.consumed
        #expect(paid == 200_000_000)
        #expect(try await desk.desk.entries("acme").last?.actor == "gw")
        try await send("e2", "unpaid", after: 86_400)
        #expect(try await service.view("acme").standing.state == .unpaid)
        try await send("e3", "active", after: 2 * 86_400)
        let back = try await service.view("acme")
        #expect(back.standing.origin == "sub_1" && back.book.totals.consumed == paid)
        let slots = try await desk.desk.ledger.read("acme") { reader in
            try reader.slots(.agent, after: 0, limit: 9).map { try Slot($0) }
        }
        #expect(slots.map(\.state) == [.active, .active, .active])
        #expect(slots.map(\.chargedMicroCredits) == [0, 100_000_000, 100_000_000])
        // The next period is paid again.
        desk.clock.set(now.adding(seconds: 30 * 86_400 + 1))
        try await desk.subscribe("acme", "sub_1", days: 30)
        #expect(try await service.view("acme").book.totals.consumed == 2 * paid)
    }

    /// What was counted and paid in a period is that period's, whatever is in force meanwhile.
    @Test func aSubscriptionThatIsBackGoesOnWhereItWas() async throws {
        let desk = try ProviderDesk()
        let service = desk.desk.service
        let spec = StatedSubscription(
            uid: "uid", source: .stripe, plan: nil, anchor: desk.clock.now(),
            overrides: ["agentSlots": ["included": 0, "max": 3, "extraPriceCredits": 100]])
        _ = try await service.apply(SubscriptionOrder(spec: spec), account: "acme")
        let now = desk.clock.now()
        func send(_ status: String, after seconds: Int64) async throws -> AccountView {
            var event = ProviderDesk.event(
                "e\(seconds)", "acme", "sub_1", status: status, at: now.adding(seconds: seconds),
                end: now.adding(seconds: 30 * 86_400))
            event.periodStart = now
            desk.clock.set(now.adding(seconds: seconds))
            _ = try await desk.events.take(event)
            return try await service.view("acme")
        }
        func hire(_ id: String) async throws {
            _ = try await service.take(SlotRequest(kind: .agent, id: id), account: "acme", actor: "gw")
        }
        _ = try await send("active", after: 1)
        try await hire("a")
        try await service.takeTasks(3, account: "acme")
        let away = try await send("unpaid", after: 86_400)
        #expect(away.book.counters.period == PeriodCounters() && away.book.totals.consumed == 100_000_000)
        try await service.release(.agent, id: "a", account: "acme")
        try await hire("b")
        try await service.takeTasks(1, account: "acme")
        // The one that was hired on the fallback plan was never paid for here.
        let back = try await send("active", after: 2 * 86_400)
        #expect(back.book.totals.consumed == 200_000_000)
        #expect(back.book.counters.period.tasks == 3 && back.book.counters.period.usedMicroCredits == 200_000_000)
        let again = try await send("unpaid", after: 3 * 86_400)
        #expect(again.book.counters.period.tasks == 1)
        let last = try await send("active", after: 4 * 86_400)
        #expect(last.book.totals.consumed == 200_000_000 && last.book.counters.period.tasks == 3)
        let stored = try await desk.desk.ledger.read("acme") { try $0.account() }
        #expect(try AccountBook(try #require(stored)) == last.book)
    }

    /// Its renewal is late, and the one in force before it ends meanwhile: what it was granted is not granted again.
    @Test func aPoolIsGrantedOnceUntilItsRenewalIsKnown() async throws {
        let desk = try ProviderDesk()
        let service = desk.desk.service
        try await desk.subscribe("acme", "sub_1", days: 30)
        let now = desk.clock.now()
        func send(_ id: String, _ status: String, after seconds: Int64) async throws -> ProviderOutcome {
            var event = ProviderDesk.event(
                id, "acme", "sub_2", status: status, at: now.adding(seconds: seconds),
                end: now.adding(seconds: 60 * 86_400))
            event.periodStart = now
            desk.clock.set(now.adding(seconds: seconds))
            return try await desk.events.take(event).outcome
        }
        let month: Int64 = 30 * 86_400
        #expect(try await send("e1", "active", after: 5) == .processed)
        #expect(try await service.view("acme").standing.origin == "sub_2")
        #expect(try await send("e2", "active", after: month + 3600) == .processed)
        #expect(try await send("e3", "canceled", after: month + 6 * 3600) == .processed)
        let view = try await service.view("acme")
        #expect(view.standing.origin == "sub_1" && view.standing.state == .active)
        #expect(view.book.totals.issued == 2_000_000_000)
        let keys = try await desk.desk.entries("acme").map(\.key)
        #expect(Set(keys).count == keys.count)
    }

    @Test func aPlanThatNobodyKnowsLeavesWhatTheProviderSays() async throws {
        let desk = try ProviderDesk()
        try await desk.subscribe("acme")
        let service = desk.desk.service
        for _ in 0..<2 {
            let spec = StatedSubscription(uid: "uid", plan: "proo", anchor: desk.clock.now())
            let standing = try await service.apply(SubscriptionOrder(spec: spec), account: "acme").standing
            #expect(standing.source == .stripe && standing.plan.name == "pro")
        }
        let spec = StatedSubscription(uid: "uid", plan: "enterprise", anchor: desk.clock.now())
        let known = try await service.apply(SubscriptionOrder(spec: spec), account: "acme").standing
        #expect(known.source == .manual && known.plan.name == "enterprise")
        let typo = StatedSubscription(uid: "uid", plan: "enterprize", anchor: desk.clock.now())
        let kept = try await service.apply(SubscriptionOrder(spec: typo), account: "acme").standing
        #expect(kept.source == .manual && kept.plan.name == "enterprise")
    }

    @Test func aSubscriptionThatEndsBesideTheOneInForceTakesItsPoolAlong() async throws {
        let desk = try ProviderDesk()
        try await desk.subscribe("acme", "sub_1", days: 30)
        try await desk.subscribe("acme", "sub_2", days: 60)
        let both = try await desk.desk.service.view("acme")
        #expect(both.standing.origin == "sub_2" && both.book.totals.issued == 2_000_000_000)
        let now = desk.clock.now()
        let end = ProviderDesk.event("end", "acme", "sub_1", status: "canceled", at: now.adding(seconds: 1), end: now)
        _ = try await desk.events.take(end)
        let view = try await desk.desk.service.view("acme")
        #expect(view.standing.origin == "sub_2" && view.availableMicroCredits == 1_000_000_000)
        #expect(view.book.totals.voided == 1_000_000_000)
    }

    @Test func theGrantsOfAnObjectFollowItsList() async throws {
        let desk = try AccountDesk()
        let spec = StatedSubscription(uid: "uid", plan: "pro", anchor: desk.clock.now(), overrides: ["credits": 0])
        func order(_ grants: [GrantOrder]) -> SubscriptionOrder { SubscriptionOrder(spec: spec, grants: grants) }
        let one = GrantOrder(key: "one", microCredits: 10, source: .promotion, reason: "test")
        let two = GrantOrder(key: "two", microCredits: 7, source: .promotion, reason: "test")
        _ = try await desk.service.apply(order([one, two]), account: "acme")
        _ = try await desk.service.apply(order([one, two]), account: "acme")
        #expect(try await desk.service.view("acme").availableMicroCredits == 17)
        _ = try await desk.service.apply(order([two]), account: "acme")
        let view = try await desk.service.view("acme")
        #expect(view.availableMicroCredits == 7)
        #expect(view.book.totals.voided == 10)
        var changed = two
        changed.microCredits = 8
        await expectRefusal(.requestIdempotencyMismatch) {
            _ = try await desk.service.apply(order([changed]), account: "acme")
        }
        _ = try await desk.service.apply(nil as SubscriptionOrder?, account: "acme")
        let after = try await desk.service.view("acme")
        #expect(after.standing.source == .fallback)
        #expect(after.book.totals.voided == 17)
    }
}
