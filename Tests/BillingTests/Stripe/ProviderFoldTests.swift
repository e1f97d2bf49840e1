// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import TestSupport
internal import Testing

@Suite struct ProviderFoldTests {
    private static let pro = "price_1SoawKE8yr4fu4JjkHQA2Y2c"
    private static let enterprise = "price_1SoawKE8yr4fu4Jj7iDEjsk6"

    private let fold: ProviderFold

    init() throws {
        fold = ProviderFold(catalogue: try PlanCatalogue.read(YAMLText.json(BuiltInPlans.plansYAML)))
    }

    private static func event(
        _ id: String, _ kind: ProviderEvent.Kind, at created: Int64, status: String? = nil, price: String? = nil,
        invoice: String? = nil
    ) -> ProviderEvent {
        var event = ProviderEvent(id: id, type: kind.rawValue, created: Timestamp(seconds: created))
        event.subscription = "sub_1"
        event.status = status
        event.prices = [price].compactMap(\.self)
        event.invoice = invoice
        return event
    }

    private func standing(_ events: ProviderEvent...) -> ProviderStanding? {
        fold.fold(events, subscription: "sub_1").standing
    }

    @Test(arguments: [
        ("active", SubscriptionState.active), ("trialing", .trialing), ("past_due", .pastDue), ("unpaid", .unpaid),
        ("paused", .unpaid), ("incomplete", .incomplete), ("canceled", .canceled),
        ("incomplete_expired", .canceled),
    ])
    func everyStatusHasAState(_ status: String, _ state: SubscriptionState) {
        let found = standing(Self.event("e1", .subscriptionCreated, at: 1, status: status, price: Self.pro))
        #expect(found?.state == state)
        #expect(found?.boughtPlan == "pro")
        #expect(found?.isStatusKnown == true)
    }

    @Test func anUnlistedStatusChangesNothing() {
        let found = standing(
            Self.event("e1", .subscriptionCreated, at: 1, status: "active", price: Self.pro),
            Self.event("e2", .subscriptionUpdated, at: 2, status: "frozen", price: Self.enterprise))
        #expect(found?.state == .active)
        #expect(found?.boughtPlan == "pro")
        #expect(found?.isStatusKnown == false)
    }

    @Test func invoicesAloneDecideNothing() {
        #expect(
            standing(
                Self.event("e1", .paymentFailed, at: 1, invoice: "in_1"),
                Self.event("e2", .invoicePaid, at: 2, invoice: "in_1")) == nil)
    }

    @Test func unpaidAndCanceledWaitForTheSubscription() {
        for status in ["unpaid", "canceled"] {
            let found = standing(
                Self.event("e1", .subscriptionCreated, at: 1, status: status, price: Self.pro),
                Self.event("e2", .invoicePaid, at: 2, invoice: "in_1"))
            #expect(found?.state.rawValue == status)
        }
    }

    @Test func bothWordsForOnePaymentHaveOneEffect() {
        let found = standing(
            Self.event("e1", .subscriptionCreated, at: 1, status: "active", price: Self.pro),
            Self.event("e2", .invoicePaid, at: 2, invoice: "in_1"),
            Self.event("e3", .subscriptionUpdated, at: 3, status: "past_due", price: Self.pro),
            Self.event("e4", .paymentSucceeded, at: 4, invoice: "in_1"))
        #expect(found?.state == .pastDue)
        #expect(found?.pastDueSince == Timestamp(seconds: 3))
    }

    @Test func theEarliestFailureBeginsTheGrace() {
        let found = standing(
            Self.event("e1", .subscriptionCreated, at: 1, status: "trialing", price: Self.pro),
            Self.event("e2", .paymentFailed, at: 2, invoice: "in_1"),
            Self.event("e3", .subscriptionUpdated, at: 3, status: "past_due", price: Self.pro),
            Self.event("e4", .paymentFailed, at: 4, invoice: "in_1"))
        #expect(found?.pastDueSince == Timestamp(seconds: 2))
    }

    @Test func theHighestKnownPriceIsThePlan() {
        var event = Self.event("e1", .subscriptionCreated, at: 1, status: "active")
        event.prices = [Self.enterprise, "price_seats", Self.pro]
        #expect(standing(event)?.boughtPlan == "enterprise")
        #expect(standing(event)?.isPlanKnown == true)
    }

    @Test func anUnknownPriceFromTheStartIsTheFallbackPlan() {
        let found = standing(Self.event("e1", .subscriptionCreated, at: 1, status: "active", price: "price_x"))
        #expect(found?.state == .active)
        #expect(found?.boughtPlan == nil)
        #expect(found?.isPlanKnown == false)
    }

    @Test(
        arguments: [
            ("paid", "pro", SubscriptionState.active, "pro"), ("no_payment_required", "pro", .active, "pro"),
            ("unpaid", "pro", .incomplete, "pro"), ("paid", "nothing", .incomplete, nil),
        ] as [(String, String, SubscriptionState, String?)])
    func aSessionAloneDecidesAsLongAsNothingElseIsKnown(
        _ payment: String, _ plan: String, _ state: SubscriptionState, _ bought: String?
    ) {
        var session = Self.event("e1", .sessionCompleted, at: 5)
        session.mode = "subscription"
        session.paymentStatus = payment
        session.metadataPlan = plan
        #expect(standing(session)?.state == state)
        #expect(standing(session)?.boughtPlan == bought)
        let known = standing(
            session, Self.event("e2", .subscriptionCreated, at: 1, status: "unpaid", price: Self.enterprise))
        #expect(known?.state == .unpaid)
        #expect(known?.boughtPlan == "enterprise")
    }

    @Test func whatIsOlderThanTheBaseIsStale() {
        let now = Timestamp(seconds: 100 * 86_400)
        let window = ProviderFold.minimumWindow
        func outcome(_ day: Int64, among days: [Int64]) -> ProviderOutcome {
            let known = days.map { Self.event("d\($0)", .subscriptionUpdated, at: $0 * 86_400, status: "active") }
            let event = Self.event("new", .subscriptionUpdated, at: day * 86_400, status: "active")
            return fold.outcome(of: event, among: known, at: now, window: window)
        }
        #expect(outcome(10, among: []) == .processed)
        #expect(outcome(10, among: [20]) == .stale)
        #expect(outcome(25, among: [20]) == .processed)
        #expect(outcome(25, among: [20, 90]) == .late)
        #expect(outcome(10, among: [90]) == .late)
        #expect(outcome(95, among: [90]) == .processed)
        #expect(outcome(80, among: [90]) == .late)
        let same = Self.event("d90", .subscriptionUpdated, at: 90 * 86_400, status: "active")
        #expect(fold.outcome(of: same, among: [same], at: now, window: window) == .duplicate)
    }

    /// Any order and repeats of the same events end in the same fold, and so does folding on from a base.
    @Test(arguments: 0..<60)
    func theSetDecidesAndNotTheArrival(_ seed: UInt64) throws {
        let random = SeededRandom(seed: seed)
        let events = (0..<(2 + random.below(14))).map { Self.anyEvent($0, random) }
        let wanted = fold.fold(events, subscription: "sub_1")
        for _ in 0..<10 {
            var order = events + (0..<random.below(6)).map { _ in events[random.below(events.count)] }
            for index in order.indices.reversed() { order.swapAt(index, random.below(index + 1)) }
            #expect(fold.fold(order, subscription: "sub_1") == wanted)
            let sorted = events.sorted { $0.position < $1.position }
            let base = fold.fold(sorted.prefix(random.below(sorted.count + 1)), subscription: "sub_1")
            #expect(fold.fold(order, subscription: "sub_1", base: base) == wanted)
            let stored = try SubscriptionFold("sub_1", document: base.document)
            #expect(stored == (base.last == nil ? nil : base))
            #expect(fold.fold(order, subscription: "sub_1", base: stored) == wanted)
        }
    }

    @Test func whatSaysWhatTheSubscriptionIsStaysOutOfTheBase() {
        let now = Timestamp(seconds: 100 * 86_400)
        func foldable(_ days: [(Int64, ProviderEvent.Kind)]) -> [Int64] {
            let known = days.map { Self.event("d\($0)", $1, at: $0 * 86_400, status: "active") }
            return fold.foldable(known.reversed(), at: now, window: ProviderFold.minimumWindow)
                .map { $0.created.seconds / 86_400 }
        }
        #expect(foldable([]) == [])
        #expect(foldable([(10, .invoicePaid), (20, .invoicePaid)]) == [])
        #expect(foldable([(1, .subscriptionCreated), (2, .invoicePaid), (90, .subscriptionUpdated)]) == [])
        #expect(
            foldable([(1, .subscriptionCreated), (2, .invoicePaid), (3, .subscriptionUpdated), (4, .invoicePaid)]) == [
                1, 2,
            ])
    }

    @Test(arguments: ["", "[]", "{\"last\":{}}", "{\"last\":{\"created\":1,\"id\":\"e\"},\"state\":\"frozen\"}"])
    func aBaseThatCannotBeReadIsNotTakenForNone(_ document: String) {
        let error = #expect(throws: BillingStoreError.self) { try SubscriptionFold("sub_1", document: document) }
        #expect(error?.code == .unreadable)
    }

    private static func anyEvent(_ number: Int, _ random: SeededRandom) -> ProviderEvent {
        let kinds = ProviderEvent.Kind.allCases
        let statuses = ["active", "trialing", "past_due", "unpaid", "incomplete", "frozen", "canceled"]
        var event = event(
            "e\(number)", kinds[random.below(kinds.count)], at: Int64(random.below(6)),
            status: statuses[random.below(random.below(3) == 0 ? 7 : 6)],
            price: [pro, enterprise, "price_x"][random.below(3)], invoice: "in_\(random.below(3))")
        event.mode = "subscription"
        event.paymentStatus = ["paid", "unpaid"][random.below(2)]
        event.metadataPlan = ["pro", "enterprise", "none"][random.below(3)]
        if random.below(4) == 0 { event.subscribedAt = Timestamp(seconds: 1) }
        return event
    }

    @Test func theDearestEntitlingSubscriptionIsInForce() {
        func standing(
            _ id: String, _ state: SubscriptionState, _ plan: String?, end: Int64 = 100, made: Int64 = 0
        ) -> ProviderStanding {
            ProviderStanding(
                subscription: id, state: state, boughtPlan: plan, periodEnd: Timestamp(seconds: end),
                pastDueSince: state == .pastDue ? Timestamp(seconds: 0) : nil,
                subscribedAt: Timestamp(seconds: made), lastEventID: "e", lastEventType: "t",
                lastEventCreated: Timestamp(seconds: 0))
        }
        func inForce(_ all: ProviderStanding..., at now: Int64 = 0) -> String? {
            let found = fold.inForce(all, at: Timestamp(seconds: now), timers: ProviderTimers())?.subscription
            let turned = fold.inForce(all.reversed(), at: Timestamp(seconds: now), timers: ProviderTimers())
            #expect(turned?.subscription == found)
            return found
        }
        #expect(inForce() == nil)
        #expect(inForce(standing("a", .active, "pro"), standing("b", .trialing, "enterprise")) == "b")
        #expect(inForce(standing("a", .active, "pro"), standing("b", .canceled, "enterprise", made: 9)) == "a")
        #expect(inForce(standing("a", .active, "pro", end: 200), standing("b", .active, "pro", made: 9)) == "a")
        #expect(inForce(standing("a", .unpaid, "pro", made: 1), standing("b", .canceled, nil, made: 2)) == "b")
        #expect(inForce(standing("a", .active, nil), standing("b", .active, "pro")) == "b")
        // The failed one falls behind in the instant in which its grace ends.
        let failed = standing("a", .pastDue, "enterprise", end: 9_000_000)
        let other = standing("b", .active, "pro", end: 9_000_000)
        #expect(inForce(failed, other, at: 168 * 3600 - 1) == "a")
        #expect(inForce(failed, other, at: 168 * 3600) == "b")
    }

    @Test func timeAloneEndsGraceAndPeriods() {
        let timers = ProviderTimers()
        var standing = ProviderStanding(
            subscription: "a", state: .active, boughtPlan: "pro", periodEnd: Timestamp(seconds: 1000),
            lastEventID: "e", lastEventType: "t", lastEventCreated: Timestamp(seconds: 0))
        let stale = Timestamp(seconds: 1000 + 72 * 3600)
        let lapse = Timestamp(seconds: 1000 + 336 * 3600)
        #expect(!timers.isStale(standing, at: stale.adding(seconds: -1)))
        #expect(timers.isStale(standing, at: stale))
        #expect(timers.state(of: standing, at: lapse.adding(seconds: -1)) == .active)
        #expect(timers.state(of: standing, at: lapse) == .unpaid)
        #expect(timers.graceEnd(of: standing) == nil)
        standing.state = .canceled
        #expect(!timers.isStale(standing, at: lapse))
        #expect(timers.state(of: standing, at: lapse) == .canceled)
    }
}
