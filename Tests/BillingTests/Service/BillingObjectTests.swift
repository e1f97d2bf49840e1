// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import TestSupport
internal import Testing

/// What the controller hands over, and what another catalogue does to accounts that nobody touches.
@Suite struct BillingObjectTests {
    private static func spec(_ uid: String = "uid", plan: String? = "pro", credits: JSONValue? = nil)
        -> StatedSubscription
    {
        StatedSubscription(
            uid: uid, plan: plan, anchor: Timestamp(seconds: 1_772_323_200),
            overrides: credits.map { ["credits": $0] })
    }

    private static func catalogue(_ old: String, _ new: String) throws -> PlanCatalogue {
        let text = BuiltInPlans.plansYAML
        let catalogue = try PlanCatalogue.read(YAMLText.json(text.replacing(old, with: new)))
        #expect(text.contains(old))
        return catalogue
    }

    @Test func theSameAgainWritesNothing() async throws {
        let desk = try AccountDesk()
        let budget = Budget(name: "cap", scope: .tenant, period: .monthly, hardLimitMicroUSD: 5)
        let grant = GrantOrder(key: "gift", microCredits: 5, source: .admin, reason: "test")
        let order = SubscriptionOrder(spec: Self.spec(), grants: [grant], budgets: [budget])
        let first = try await desk.service.keep(order, account: "acme")
        #expect(first.faults.isEmpty && first.customers.isEmpty)
        let version = try await desk.ledger.read("acme") { try $0.accountVersion() }
        _ = try await desk.service.keep(order, account: "acme")
        #expect(try await desk.ledger.read("acme") { try $0.accountVersion() } == version)
    }

    @Test func whatCannotBeInForceIsNamedAndTheRestIs() async throws {
        let desk = try AccountDesk()
        let good = GrantOrder(key: "good", microCredits: 5, source: .admin, reason: "test")
        let bad = GrantOrder(key: "bad", microCredits: 0, source: .admin, reason: "test")
        let order = SubscriptionOrder(spec: Self.spec(credits: 0), grants: [bad, good])
        let facts = try await desk.service.keep(order, account: "acme")
        #expect(facts.faults.count == 1)
        #expect(facts.faults.first?.hasPrefix("spec.grants[bad]: ") == true)
        #expect(facts.view.availableMicroCredits == 5)
    }

    @Test func onlyTheObjectInForceCanBeWithdrawn() async throws {
        let desk = try AccountDesk()
        _ = try await desk.service.keep(SubscriptionOrder(spec: Self.spec("one")), account: "acme")
        _ = try await desk.service.keep(SubscriptionOrder(spec: Self.spec("two")), account: "acme")
        try await desk.service.withdraw("one", account: "acme")
        #expect(try await desk.service.view("acme").standing.plan.name == "pro")
        try await desk.service.withdraw("two", account: "acme")
        #expect(try await desk.service.view("acme").standing.source == .fallback)
        try await desk.service.withdraw("two", account: "unheard")
        #expect(try await desk.ledger.read("unheard") { try $0.accountVersion() } == 0)
    }

    @Test func anObjectWithoutAUIDKeepsTheOneThatItsPlaceWasGiven() async throws {
        let desk = try AccountDesk()
        func order(anchor: Int64) -> SubscriptionOrder {
            var spec = Self.spec("manifest:default/acme")
            spec.anchor = Timestamp(seconds: anchor)
            return SubscriptionOrder(spec: spec, isNamedByPlace: true, statesAnchor: false)
        }
        _ = try await desk.service.keep(order(anchor: 1_772_323_200), account: "acme")
        let first = try #require(try await desk.service.view("acme").book.spec)
        #expect(first.uid.hasPrefix("manifest:default/acme@"))
        desk.clock.advance(seconds: 86_400)
        _ = try await desk.service.keep(order(anchor: 1_772_409_600), account: "acme")
        #expect(try await desk.service.view("acme").book.spec == first)
        #expect(!SubscriptionOrder.isUID("manifest:default/acme2@x", at: "manifest:default/acme"))
        // Withdrawn and there again, it is another object.
        try await desk.service.withdraw("manifest:default/acme", account: "acme")
        _ = try await desk.service.keep(order(anchor: 1_772_409_600), account: "acme")
        #expect(try await desk.service.view("acme").book.spec?.uid != first.uid)
        #expect(try await desk.service.view("acme").availableMicroCredits == 1_000_000_000)
    }

    @Test func aDearerCatalogueRaisesThePoolOnceAndACheaperOneTakesNothing() async throws {
        let desk = try AccountDesk()
        _ = try await desk.service.apply(SubscriptionOrder(spec: Self.spec()), account: "acme")
        desk.service.plans.replace(try Self.catalogue("perPeriod: 1000,", "perPeriod: 1500,"))
        #expect(try await desk.service.view("acme").availableMicroCredits == 1_500_000_000)
        let order = GrantOrder(key: "any", microCredits: 1, source: .admin, reason: "test")
        _ = try await desk.service.grant(order, account: "acme", actor: "test")
        _ = try await desk.service.grant(order, account: "acme", actor: "test")
        #expect(try await desk.entries("acme").count { $0.kind == .grant } == 3)
        desk.service.plans.replace(try Self.catalogue("perPeriod: 1000,", "perPeriod: 10,"))
        #expect(try await desk.service.view("acme").availableMicroCredits == 1_500_000_001)
        #expect(try await desk.service.view("acme").standing.limits.creditsPerPeriod == 10_000_000)
    }

    /// Its thirty days have begun on 31 January, the month in which it is bought on 1 February.
    @Test func aDearerPlanOfAnotherIntervalRaisesThePoolToo() async throws {
        let desk = try AccountDesk()
        let enterprise = try #require(BuiltInPlans.plansYAML.firstRange(of: "name: enterprise")).lowerBound
        let head = String(BuiltInPlans.plansYAML[..<enterprise])
        let tail = String(BuiltInPlans.plansYAML[enterprise...]).replacing("interval: month", with: "interval: P30D")
        desk.service.plans.replace(try PlanCatalogue.read(YAMLText.json(head + tail)))
        var spec = Self.spec()
        spec.anchor = Timestamp(seconds: 1_767_225_600)  // 1 January
        desk.clock.set(Timestamp(seconds: 1_770_681_600))  // 10 February
        _ = try await desk.service.apply(SubscriptionOrder(spec: spec), account: "acme")
        #expect(try await desk.service.view("acme").availableMicroCredits == 1_000_000_000)
        spec.plan = "enterprise"
        for _ in 0..<2 {
            _ = try await desk.service.apply(SubscriptionOrder(spec: spec), account: "acme")
            #expect(try await desk.service.view("acme").availableMicroCredits == 10_000_000_000)
        }
        desk.clock.set(Timestamp(seconds: 1_772_409_600))  // 2 March
        #expect(try await desk.service.view("acme").availableMicroCredits == 10_000_000_000)
        #expect(try await desk.service.view("acme").standing.period.start == Timestamp(seconds: 1_772_409_600))
    }

    @Test func aPlanThatTheCatalogueHasNoMoreIsToldToTheOwner() async throws {
        let desk = try AccountDesk()
        _ = try await desk.service.apply(SubscriptionOrder(spec: Self.spec()), account: "acme")
        let before = desk.told.count(.subscriptionChanged)
        desk.service.plans.replace(try Self.catalogue("name: pro\n", "name: gold\n"))
        let order = GrantOrder(key: "any", microCredits: 1, source: .admin, reason: "test")
        _ = try await desk.service.grant(order, account: "acme", actor: "test")
        #expect(try await desk.service.view("acme").standing.plan.name == "free")
        #expect(desk.told.count(.subscriptionChanged) == before + 1)
        _ = try await desk.service.grant(order, account: "acme", actor: "test")
        #expect(desk.told.count(.subscriptionChanged) == before + 1)
    }

    @Test func theDirectoryTellsOfMoreThanCredits() async throws {
        let desk = try AccountDesk()
        let told = Counter()
        desk.service.directory.changes.listen { told.add() }
        let order = GrantOrder(key: "any", microCredits: 1, source: .admin, reason: "test")
        _ = try await desk.service.grant(order, account: "acme", actor: "test")
        #expect(told.count == 0 && desk.service.directory["acme"] == nil)
        _ = try await desk.service.apply(SubscriptionOrder(spec: Self.spec()), account: "acme")
        #expect(told.count == 1 && desk.service.directory["acme"]?.spec?.uid == "uid")
        try await desk.service.readAccounts()
        #expect(told.count == 1)
        #expect(desk.service.directory.version(of: "acme") == 2)
    }
}
