// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import MetricsTestKit
internal import TestSupport
internal import Testing

@Suite struct ProviderEventServiceTests {
    private static let pro = "price_1SoawKE8yr4fu4JjkHQA2Y2c"
    private static let enterprise = "price_1SoawKE8yr4fu4Jj7iDEjsk6"
    private static let now = Timestamp(seconds: 1_772_366_400)
    private static let secret = "whsec_test"

    private static func body(
        _ id: String, status: String = "active", price: String = Self.pro, subscription: String = "sub_1",
        customer: String = "cus_1", created: Int64 = 1_772_366_400, livemode: Bool = false, account: String? = nil
    ) -> [UInt8] {
        StripeDelivery.event(
            id, "customer.subscription.updated", created: created, livemode: livemode,
            StripeDelivery.subscription(
                subscription, customer: customer, status: status, price: price,
                period: 1_772_359_200..<1_775_037_600, account: account))
    }

    private static func send(_ body: [UInt8], to world: ProviderWorld) async throws(Refusal) -> ProviderEventAnswer {
        try await world.service.receive(
            header: StripeDelivery.header(of: body, at: world.clock.now(), secret: secret), body: body)
    }

    private static func world(apiKey: String? = nil, metrics: TestMetrics = TestMetrics()) throws -> ProviderWorld {
        try ProviderWorld(now: now, webhookSecrets: [secret], apiKey: apiKey, metricsFactory: metrics)
    }

    private static func event(
        _ id: String, subscription: String, status: String, price: String, account: String? = nil,
        customer: String = "cus_1", created: Int64 = 1
    ) -> ProviderEvent {
        var event = ProviderEvent(
            id: id, type: "customer.subscription.updated", created: Timestamp(seconds: now.seconds + created))
        event.subscription = subscription
        event.status = status
        event.prices = [price]
        event.account = account
        event.customer = customer
        return event
    }

    private static func sale(
        _ id: String, session: String, payment: String?, status: String = "paid", pack: String = "credits-1000",
        type: ProviderEvent.Kind = .sessionCompleted
    ) -> ProviderEvent {
        var event = ProviderEvent(id: id, type: type.rawValue, created: now)
        event.account = "acme"
        event.isOwn = true
        event.session = session
        event.mode = "payment"
        event.paymentStatus = status
        event.paymentIntent = payment
        event.pack = pack
        return event
    }

    @Test func anEventHasItsEffectOnce() async throws {
        let metrics = TestMetrics()
        let world = try Self.world(metrics: metrics)
        world.ledger.link("cus_1", to: "acme")
        let body = Self.body("evt_1")
        let first = try await Self.send(body, to: world)
        #expect(first.json == ["status": "ok", "event_type": "customer.subscription.updated", "outcome": "processed"])
        let second = try await Self.send(body, to: world)
        #expect(second.json["message"] == "already processed")
        #expect(second.outcome == .duplicate)
        #expect(world.effects.account("acme").standings.count == 1)
        #expect(world.ledger.kept.events["evt_1"]?.state == .done)
        for (outcome, count) in [("processed", Int64(1)), ("duplicate", 1), ("failed", 0)] {
            let counter = try metrics.expectCounter(
                "tollgate_stripe_events_total",
                [("type", "customer.subscription.updated"), ("outcome", outcome)])
            #expect(counter.values.reduce(0, +) == count, "\(outcome)")
        }
    }

    @Test func nothingIsReadBeforeTheSignatureHolds() async throws {
        let world = try Self.world()
        let error = await #expect(throws: Refusal.self) {
            try await world.service.receive(header: "t=1,v1=ab", body: Array("junk".utf8))
        }
        #expect(error?.code == .billingInvalidSignature)
        #expect(error?.details == ["reason": "no_match"])
        let none = try ProviderWorld(now: Self.now)
        let missing = await #expect(throws: Refusal.self) { try await none.service.receive(header: nil, body: []) }
        #expect(missing?.code == .billingNotConfigured)
        let large = await #expect(throws: Refusal.self) {
            try await world.service.receive(
                header: nil, body: [UInt8](repeating: 0, count: StripeEventReader.maximumBytes + 1))
        }
        #expect(large?.code == .requestTooLarge)
        #expect(world.ledger.kept.events.isEmpty)
    }

    @Test func anEventThatAnotherHasIsRefusedUntilItsLeaseEnds() async throws {
        let world = try Self.world()
        world.ledger.link("cus_1", to: "acme")
        let event = Self.event("e1", subscription: "sub_1", status: "active", price: Self.pro)
        let row = ProviderEventRow(
            id: "e1", type: event.type, created: event.created, state: .claimed, document: event.json.jsonText,
            leaseUntil: Self.now.adding(seconds: 60), receivedAt: Self.now)
        _ = try await world.ledger.claim(row, at: Self.now)
        let error = await #expect(throws: Refusal.self) { try await world.service.take(event) }
        #expect(error?.code == .billingEventClaimed)
        #expect(error?.retryAfterSeconds == 60)
        #expect(try await world.service.retry() == 0)
        world.clock.advance(seconds: 60)
        #expect(try await world.service.retry() == 1)
        #expect(world.effects.account("acme").standing?.state == .active)
    }

    @Test func whatFailsIsTriedAgainAndGivenUpAfterThreeDays() async throws {
        let world = try Self.world()
        world.ledger.link("cus_1", to: "acme")
        world.ledger.failTransactions(.max)
        let event = Self.event("e1", subscription: "sub_1", status: "active", price: Self.pro)
        let error = await #expect(throws: Refusal.self) { try await world.service.take(event) }
        #expect(error?.code == .billingUnavailable)
        var pauses: [Int64] = []
        while let row = world.ledger.kept.events["e1"], let next = row.nextAt {
            #expect(row.state == .failed)
            pauses.append(next.seconds - world.clock.now().seconds)
            world.clock.set(next)
            #expect(try await world.service.retry() == 1)
        }
        #expect(Array(pauses.prefix(10)) == [60, 120, 240, 480, 960, 1920, 3840, 7680, 15360, 21600])
        #expect(pauses.dropFirst(9).allSatisfy { $0 == 21600 })
        #expect(world.ledger.kept.events["e1"]?.state == .dead)
        #expect(world.clock.now() >= Self.now.adding(seconds: 72 * 3600))
        #expect(world.ledger.kept.named["acme"] == nil)
    }

    @Test func aRepeatOfTheProviderSucceedsAfterAFault() async throws {
        let world = try Self.world()
        world.ledger.link("cus_1", to: "acme")
        world.ledger.failTransactions(1)
        let body = Self.body("evt_1")
        await #expect(throws: Refusal.self) { try await Self.send(body, to: world) }
        #expect(try await Self.send(body, to: world).outcome == .processed)
        #expect(try await Self.send(body, to: world).outcome == .duplicate)
    }

    @Test func anEventWithoutWhatItNeedsFailsUntilItComesWhole() async throws {
        let world = try Self.world()
        world.ledger.link("cus_1", to: "acme")
        let bad = StripeDelivery.event("evt_1", "customer.subscription.updated", created: 5, ["id": "sub_1"])
        let error = await #expect(throws: Refusal.self) { try await Self.send(bad, to: world) }
        #expect(error?.code == .billingUnavailable)
        world.clock.advance(seconds: 60)
        #expect(try await world.service.retry() == 1)
        #expect(world.ledger.kept.events["evt_1"]?.attempts == 2)
        #expect(try await Self.send(Self.body("evt_1"), to: world).outcome == .processed)
    }

    @Test(arguments: [
        ("sk_test_1", false, ProviderOutcome.processed), ("sk_test_1", true, .ignored), ("sk_live_1", true, .processed),
        ("rk_live_1", false, .ignored), ("odd", true, .processed),
    ])
    func eventsOfTheOtherModeAreIgnored(_ key: String, _ livemode: Bool, _ outcome: ProviderOutcome) async throws {
        let world = try Self.world(apiKey: key)
        world.ledger.link("cus_1", to: "acme")
        #expect(try await Self.send(Self.body("evt_1", livemode: livemode), to: world).outcome == outcome)
        #expect(world.effects.account("acme").standings.isEmpty == (outcome == .ignored))
    }

    @Test func whatIsNotOursIsIgnored() async throws {
        let world = try Self.world()
        var bill = ProviderEvent(id: "e1", type: "invoice.paid", created: Self.now)
        bill.customer = "cus_9"
        bill.invoice = "in_1"
        let other = ProviderEvent(id: "e2", type: "charge.refunded", created: Self.now)
        #expect(try await world.deliver([bill, other, other]) == [.ignored, .ignored, .duplicate])
    }

    @Test func whatWaitsForItsCustomerIsFoldedWhenItIsLinked() async throws {
        let world = try Self.world()
        let waiting = Self.event("e1", subscription: "sub_1", status: "active", price: Self.pro)
        let later = Self.event("e2", subscription: "sub_1", status: "past_due", price: Self.pro, created: 2)
        #expect(try await world.deliver([later, waiting]) == [.parked, .parked])
        let naming = Self.event(
            "e3", subscription: "sub_1", status: "active", price: Self.enterprise, account: "acme", created: 3)
        #expect(try await world.deliver([naming]) == [.processed])
        #expect(world.ledger.kept.events.values.allSatisfy { $0.state == .done && $0.account == "acme" })
        #expect(world.ledger.kept.links == ["cus_1": "acme"])
        let account = world.effects.account("acme")
        #expect(account.standing?.boughtPlan == "enterprise")
        #expect(account.standing?.state == .active)
        #expect(account.standing?.lastEventID == "e3")
    }

    @Test func theWorkerFindsWhatWasLinkedMeanwhile() async throws {
        let world = try Self.world()
        let waiting = Self.event("e1", subscription: "sub_1", status: "active", price: Self.pro)
        #expect(try await world.deliver([waiting]) == [.parked])
        #expect(try await world.service.retry() == 0)
        world.ledger.link("cus_1", to: "acme")
        #expect(try await world.service.retry() == 1)
        #expect(world.effects.account("acme").standing?.boughtPlan == "pro")
    }

    @Test func aSecondCustomerWaitsForAPerson() async throws {
        let world = try Self.world()
        world.ledger.link("cus_1", to: "acme")
        world.ledger.link("cus_2", to: "other")
        let second = Self.event(
            "e1", subscription: "sub_9", status: "active", price: Self.pro, account: "acme", customer: "cus_9")
        let taken = Self.event(
            "e2", subscription: "sub_8", status: "active", price: Self.pro, account: "acme", customer: "cus_2")
        #expect(try await world.deliver([second, taken, second]) == [.parked, .parked, .parked])
        #expect(try await world.service.retry() == 0)
        #expect(
            world.effects.account("acme").alerts == [
                .customerConflict(event: "e1", customer: "cus_9", reason: "second_customer"),
                .customerConflict(event: "e2", customer: "cus_2", reason: "customer_of_another_account"),
            ])
        #expect(world.effects.account("acme").standings.isEmpty)
        #expect(world.ledger.kept.links == ["cus_1": "acme", "cus_2": "other"])
    }

    @Test func anUnknownPriceIsToldOnceAndKeepsThePlan() async throws {
        let metrics = TestMetrics()
        let world = try Self.world(metrics: metrics)
        world.ledger.link("cus_1", to: "acme")
        let events = [Self.pro, "price_x", "price_x"].enumerated().map { index, price in
            Self.event(
                "e\(index)", subscription: "sub_1", status: "active", price: price, created: Int64(index))
        }
        _ = try await world.deliver(events)
        let account = world.effects.account("acme")
        #expect(account.alerts == [.unknownPrice(subscription: "sub_1", prices: ["price_x"])])
        #expect(account.standing?.boughtPlan == "pro")
        #expect(account.standing?.isPlanKnown == false)
        #expect(try metrics.expectCounter("tollgate_billing_unknown_price_total").values.reduce(0, +) == 1)
    }

    @Test func theOldSubscriptionsEndDoesNotTouchTheNewOne() async throws {
        let world = try Self.world()
        world.ledger.link("cus_1", to: "acme")
        let old = Self.event("e1", subscription: "sub_1", status: "active", price: Self.pro)
        let new = Self.event("e2", subscription: "sub_2", status: "active", price: Self.enterprise, created: 2)
        var end = Self.event("e3", subscription: "sub_1", status: "canceled", price: Self.pro, created: 3)
        end.type = "customer.subscription.deleted"
        _ = try await world.deliver([old, new, end])
        let account = world.effects.account("acme")
        #expect(account.standing?.subscription == "sub_2")
        #expect(account.standing?.state == .active)
        #expect(account.others.map(\.subscription) == ["sub_1"])
        #expect(account.others.first?.state == .canceled)
    }

    @Test func aStaleEventIsRecordedWithoutEffect() async throws {
        let world = try Self.world()
        world.ledger.link("cus_1", to: "acme")
        let base = Self.event("e1", subscription: "sub_1", status: "active", price: Self.pro, created: -40 * 86_400)
        let older = Self.event(
            "e0", subscription: "sub_1", status: "active", price: Self.enterprise, created: -41 * 86_400)
        let next = Self.event("e2", subscription: "sub_1", status: "active", price: "price_x", created: 5)
        #expect(try await world.deliver([base, older, next]) == [.processed, .stale, .processed])
        #expect(world.effects.account("acme").standing?.boughtPlan == "pro")
    }

    /// Five years of a subscription: what is kept does not grow, and what it comes to is what all of it comes to.
    @Test func whatIsOldIsFoldedAway() async throws {
        let world = try Self.world()
        world.ledger.link("cus_1", to: "acme")
        var all: [ProviderEvent] = []
        var most = 0
        for month in 0..<60 {
            let created = Int64(month) * 30 * 86_400
            var invoice = Self.event("in\(month)", subscription: "sub_1", status: "", price: "", created: created)
            invoice.type = (month % 7 == 3 ? ProviderEvent.Kind.paymentFailed : .invoicePaid).rawValue
            (invoice.status, invoice.prices, invoice.invoice) = (nil, [], "in_\(month)")
            let news = Self.event(
                "up\(month)", subscription: "sub_1", status: "active", price: month < 30 ? Self.enterprise : Self.pro,
                created: created + 60)
            world.clock.set(Self.now.adding(seconds: created + 100))
            #expect(try await world.deliver([news, invoice]) == [.processed, .late])
            all += [news, invoice]
            most = max(
                most, world.ledger.kept.events.values.count { $0.outcome == "processed" || $0.outcome == "late" })
            let wanted = ProviderFold(catalogue: world.catalogue).fold(all, subscription: "sub_1").standing
            #expect(world.effects.account("acme").standing == wanted, "month \(month)")
        }
        #expect(most < 20)
        let old = Self.event("old", subscription: "sub_1", status: "canceled", price: Self.pro, created: 86_400)
        #expect(try await world.deliver([old]) == [.stale])
        #expect(try await world.deliver([all[0]]) == [.duplicate])
        #expect(world.effects.account("acme").standing?.state == .active)
    }

    @Test func aPackIsGrantedOnceHoweverItIsTold() async throws {
        let world = try Self.world()
        let unpaid = Self.sale("e1", session: "cs_1", payment: "pi_1", status: "unpaid")
        let paid = Self.sale("e2", session: "cs_1", payment: "pi_1", type: .sessionPaidLater)
        #expect(try await world.deliver([unpaid]) == [.processed])
        #expect(world.ledger.kept.grants["acme"] == nil)
        #expect(try await world.deliver([paid, Self.sale("e3", session: "cs_1", payment: "pi_1")]).count == 2)
        #expect(world.ledger.kept.grants["acme"]?.map(\.key) == ["cs:cs_1"])
        let told = PackSale(key: "pi:pi_1", microCredits: 1, paymentIntent: "pi_1", reason: "told")
        #expect(try await world.service.book(told, account: "acme") == false)
        let other = PackSale(key: "pi:pi_2", microCredits: 5, paymentIntent: "pi_2", reason: "told")
        let isBooked = try await world.service.book(other, account: "acme")
        #expect(isBooked)
        let isBookedStill = try await world.service.book(other, account: "acme")
        #expect(isBookedStill)
        #expect(try await world.deliver([Self.sale("e4", session: "cs_2", payment: "pi_2")]) == [.processed])
        #expect(world.ledger.kept.grants["acme"]?.map(\.key) == ["cs:cs_1", "pi:pi_2"])
    }

    @Test func aPaymentBuysOnceOverAllAccounts() async throws {
        let world = try Self.world()
        let sale = PackSale(key: "pi:pi_1", microCredits: 5, paymentIntent: "pi_1", reason: "told")
        for (account, isBooked) in [("acme", true), ("other", false), ("acme", true)] {
            #expect(try await world.service.book(sale, account: account) == isBooked)
        }
        // A session without a payment of its own is told for one account as well.
        let session = PackSale(key: "cs:cs_1", microCredits: 5, paymentIntent: nil, reason: "told")
        for (account, isBooked) in [("other", true), ("acme", false)] {
            #expect(try await world.service.book(session, account: account) == isBooked)
        }
        // A session that names another's payment stays free for the one whose it is.
        for (account, payment, isBooked) in [("other", "pi_1", false), ("acme", "pi_2", true)] {
            let sale = PackSale(key: "cs:cs_2", microCredits: 5, paymentIntent: payment, reason: "told")
            #expect(try await world.service.book(sale, account: account) == isBooked)
        }
        #expect(
            world.ledger.kept.grants.mapValues { $0.map(\.key) } == [
                "acme": ["pi:pi_1", "cs:cs_2"], "other": ["cs:cs_1"],
            ])
    }

    @Test func whatPaidForAPlanBuysNoCredits() async throws {
        let world = try Self.world()
        var paid = ProviderEvent(id: "e1", type: "invoice.paid", created: Self.now)
        (paid.account, paid.subscription, paid.invoice, paid.paymentIntent) = ("acme", "sub_1", "in_1", "pi_1")
        #expect(try await world.deliver([paid]) == [.processed])
        let sale = PackSale(key: "pi:pi_1", microCredits: 5, paymentIntent: "pi_1", reason: "told")
        #expect(try await world.service.book(sale, account: "acme") == false)
        #expect(world.ledger.kept.grants["acme"] == nil)
    }

    @Test func entriesOfEventsAreCounted() async throws {
        let metrics = TestMetrics()
        let desk = try AccountDesk()
        let service = ProviderEventService(
            ledger: desk.ledger, effects: AccountEffects(terms: { desk.service.terms }), plans: desk.service.plans,
            secrets: { ProviderSecrets(webhookSecrets: Redacted([])) }, clock: desk.clock, logger: ProviderDesk.logger,
            metricsFactory: metrics)
        let now = desk.clock.now()
        let event = ProviderDesk.event(
            "e1", "acme", "sub_1", at: now, end: now.adding(seconds: 30 * 86_400))
        for _ in 0..<2 { _ = try await service.take(event) }
        let sale = PackSale(key: "pi:pi_1", microCredits: 5, paymentIntent: "pi_1", reason: "told")
        for _ in 0..<2 { #expect(try await service.book(sale, account: "acme")) }
        let grants = try await desk.entries("acme").count { $0.kind == .grant }
        let counter = try metrics.expectCounter("tollgate_billing_ledger_entries_total", [("type", "grant")])
        #expect(grants == 2 && counter.totalValue == 2)
    }

    @Test func anUnknownPackGrantsNothingAndAlerts() async throws {
        let world = try Self.world()
        #expect(try await world.deliver([Self.sale("e1", session: "cs_1", payment: nil, pack: "gold")]) == [.processed])
        #expect(world.ledger.kept.grants["acme"] == nil)
        #expect(world.effects.account("acme").alerts == [.unknownPack(session: "cs_1", pack: "gold")])
    }
}
