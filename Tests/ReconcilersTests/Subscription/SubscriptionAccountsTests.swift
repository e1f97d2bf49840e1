// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import ControllerRuntime
internal import Essentials
internal import Reconcilers
internal import ResourceModel
internal import TestSupport
internal import Testing

/// Subscription objects become accounts of a ledger in memory, and accounts become what their status says.
@Suite struct SubscriptionAccountsTests {
    private static let spec =
        "{tenant: acme, plan: pro, overrides: {credits: 7, markupPercent: '12.5'}, "
        + "grants: [{key: gift, credits: '1.5', priority: 3, reason: welcome}], "
        + "budgets: [{name: cap, scope: tenant, period: monthly, hardLimitMicroUSD: 5000, actionOnHard: block}]}"

    @Test func anObjectIsHandedToTheLedgerWhole() async throws {
        let world = try AccountWorld()
        let output = await world.settle([try Manifests.subscription("s", Self.spec)])
        let view = try await world.service.view("acme")
        #expect(view.standing.plan.name == "pro" && view.standing.source == .manual)
        #expect(view.standing.limits.markupPercent?.text == "12.5")
        #expect(view.availableMicroCredits == 8_500_000)
        let gift = try #require(view.book.grants.first { $0.key.hasSuffix(":gift") })
        #expect(gift.key.hasPrefix("object:manifest:default/s@"))
        #expect(gift.priority == 3 && gift.source == .admin && gift.reason == "welcome")
        #expect(view.book.budgets.map(\.budget.name) == ["cap"])
        #expect(view.book.budgets.first?.budget.isOfObject == true)
        let status = try #require(output.statuses[AccountWorld.key("s")])
        #expect(status.shown("Ready") == "True InForce")
        #expect(status.shown("OverLimit") == "False WithinLimits")
        #expect(status.members["state"] == "active" && status.members["boughtPlan"] == "pro")
        #expect(status.members["creditsGranted"] == 7_000_000 && status.members["creditsRemaining"] == 8_500_000)
        #expect(status.members["periodStart"]?.stringValue == "2026-03-01T00:00:00Z")
        #expect(status.members["periodEnd"]?.stringValue == "2026-04-01T00:00:00Z")
        #expect(status.members["slotsUsed"] == ["agents": 0, "workers": 0, "workspaces": 0])
    }

    @Test func theSameAgainIsHandedOverOnce() async throws {
        let world = try AccountWorld()
        let input = try Manifests.subscription("s", Self.spec)
        await world.settle([input])
        let version = try await world.ledger.read("acme") { try $0.accountVersion() }
        await world.settle([input])
        #expect(world.flaky.kept == 1)
        // After a restart it is handed over again, and nothing is written for it.
        world.accounts.forget()
        await world.settle([input])
        #expect(world.flaky.kept == 2)
        #expect(try await world.ledger.read("acme") { try $0.accountVersion() } == version)
    }

    @Test func aGrantThatLeavesTheListIsVoidAndAnotherTimeOfOneIsTakenUp() async throws {
        let world = try AccountWorld()
        func objects(_ grants: String) throws -> [CompilerInput] {
            [try Manifests.subscription("s", "{tenant: acme, plan: pro, overrides: {credits: 0}, grants: [\(grants)]}")]
        }
        let (one, two) = ("{key: one, credits: 10, reason: r}", "{key: two, credits: 7, reason: r}")
        await world.settle(try objects("\(one), \(two)"))
        #expect(try await world.available("acme") == 17_000_000)
        await world.settle(try objects("{key: two, credits: 7, priority: 2, reason: other}"))
        let view = try await world.service.view("acme")
        #expect(view.availableMicroCredits == 7_000_000)
        #expect(view.book.totals.voided == 10_000_000)
        #expect(view.book.grants.first { $0.key.hasSuffix(":two") }?.priority == 2)
        await world.settle(try objects("{key: two, credits: 7, expiresAt: '2026-03-01T11:00:00Z', reason: other}"))
        #expect(try await world.available("acme") == 0)
    }

    @Test func oneBadGrantHoldsUpNothingElse() async throws {
        let world = try AccountWorld()
        let first = "{tenant: acme, plan: pro, overrides: {credits: 0}, grants: [{key: a, credits: 5, reason: r}]}"
        await world.settle([try Manifests.subscription("s", first)])
        let second =
            "{tenant: acme, plan: enterprise, suspended: true, overrides: {credits: 0}, "
            + "grants: [{key: a, credits: 6, reason: r}, {key: b, credits: 1, reason: r}]}"
        let output = await world.settle([try Manifests.subscription("s", second)])
        let view = try await world.service.view("acme")
        #expect(view.standing.plan.name == "enterprise" && view.standing.isSuspended)
        #expect(view.availableMicroCredits == 6_000_000)
        let status = try #require(output.statuses[AccountWorld.key("s")])
        #expect(status.shown("Ready") == "False Refused")
        #expect(status.conditions["Ready"]?.message.contains("spec.grants[a]") == true)
        #expect(status.shown("Entitled") == "False Suspended")
    }

    @Test func onlyTheHolderIsHandedOver() async throws {
        let world = try AccountWorld()
        let old = try Manifests.subscription("old", created: 1, "{tenant: acme, plan: pro}")
        let young = try Manifests.subscription("young", created: 5, "{tenant: acme, plan: enterprise}")
        let output = await world.settle([young, old])
        #expect(try await world.service.view("acme").standing.plan.name == "pro")
        #expect(output.statuses[AccountWorld.key("young")]?.shown("Conflicted") == "True AccountTaken")
        #expect(world.flaky.kept == 1)
        // What the other one leaves behind is nothing.
        try await world.accounts.withdraw("manifest:default/young", account: "acme")
        #expect(try await world.service.view("acme").standing.plan.name == "pro")
        // The holder goes, the other one follows.
        await world.settle([young])
        #expect(try await world.service.view("acme").standing.plan.name == "enterprise")
    }

    @Test func deletionReturnsTheAccountAndLeavesWhatWasBought() async throws {
        let world = try AccountWorld()
        await world.settle([try Manifests.subscription("s", Self.spec)])
        let order = GrantOrder(key: "pi:1", microCredits: 40_000_000, source: .purchase, reason: "bought")
        _ = try await world.service.grant(order, account: "acme", actor: "test")
        let entries = try await world.ledger.read("acme") { try $0.entries(before: nil, limit: 100).count }
        try await world.accounts.withdraw("manifest:default/s", account: "acme")
        let view = try await world.service.view("acme")
        #expect(view.standing.source == .fallback && view.standing.plan.name == "free")
        #expect(view.book.budgets.isEmpty)
        // The fallback plan's own pool, and what was bought.
        #expect(view.availableMicroCredits == 140_000_000)
        #expect(try await world.ledger.read("acme") { try $0.entries(before: nil, limit: 100).count } > entries)
        // Again, and for an account that nobody knows, it is nothing.
        try await world.accounts.withdraw("manifest:default/s", account: "acme")
        try await world.accounts.withdraw("manifest:default/s", account: "nobody")
        #expect(try await world.ledger.read("nobody") { try $0.accountVersion() } == 0)
    }

    @Test func anObjectThatMayNotSpeakAnyMoreIsWithdrawn() async throws {
        let world = try AccountWorld()
        let input = try Manifests.subscription("s", namespace: "acme", "{tenant: acme-corp, plan: pro}")
        await world.settle([input])
        #expect(try await world.service.view("acme-corp").standing.plan.name == "pro")
        let narrower = SubscriptionCompiler(
            plans: world.plans, namespaces: NamespaceRules(platform: ["default"], tenants: [:]),
            accounts: world.accounts)
        let output = narrower.compile([input], earlier: [:], now: world.clock.now())
        narrower.want(output.orders)
        for key in world.accounts.needingLook(isResync: false) { _ = await world.accounts.reconcile(key) }
        #expect(try await world.service.view("acme-corp").standing.plan.name == "free")
        #expect(world.accounts.needingLook(isResync: true).isEmpty)
    }

    @Test func anUnknownPlanLeavesWhatTheAccountHad() async throws {
        let world = try AccountWorld()
        var output = await world.settle([try Manifests.subscription("s", "{tenant: acme, plan: gold}")])
        #expect(try await world.service.view("acme").standing.plan.name == "free")
        #expect(output.statuses[AccountWorld.key("s")]?.shown("PlanKnown") == "False UnknownPlan")
        #expect(output.statuses[AccountWorld.key("s")]?.members["boughtPlan"]?.stringValue == nil)
        await world.settle([try Manifests.subscription("s", "{tenant: acme, plan: enterprise}")])
        output = await world.settle([try Manifests.subscription("s", "{tenant: acme, plan: gold}")])
        #expect(try await world.service.view("acme").standing.plan.name == "enterprise")
        #expect(output.accounts.state(of: "acme").plan == "enterprise")
        #expect(output.statuses[AccountWorld.key("s")]?.shown("PlanKnown") == "False UnknownPlan")
        // So it is for a compiler that has no earlier status.
        let fresh = world.compiler.compile(
            [try Manifests.subscription("s", "{tenant: acme, plan: gold}")], earlier: [:], now: world.clock.now())
        #expect(fresh.accounts.state(of: "acme").plan == "enterprise")
    }

    @Test func aLedgerThatIsAwayHoldsUpNoCompile() async throws {
        let world = try AccountWorld()
        let input = try Manifests.subscription("s", Self.spec)
        world.flaky.goAway(true)
        var output = world.pass([input])
        #expect(output.statuses.isEmpty, "nothing is said before the ledger was asked")
        #expect(output.accounts.state(of: "acme").plan == "pro")
        let result = await world.accounts.reconcile(AccountWorld.key("s"))
        #expect(result.isFailure)
        output = world.pass([input])
        #expect(output.statuses[AccountWorld.key("s")]?.shown("Ready") == "False LedgerUnavailable")
        #expect(output.statuses[AccountWorld.key("s")]?.members["plan"] == "pro")
        #expect(world.accounts.needingLook(isResync: false).isEmpty, "its next try is the queue's")
        #expect(world.accounts.needingLook(isResync: true) == [AccountWorld.key("s")])
        world.flaky.goAway(false)
        output = await world.settle([input])
        #expect(output.statuses[AccountWorld.key("s")]?.shown("Ready") == "True InForce")
        // What is known stays said when it goes away again.
        world.flaky.goAway(true)
        world.clock.advance(seconds: 3600)
        output = await world.settle([input])
        #expect(output.statuses[AccountWorld.key("s")]?.shown("Ready") == "True InForce")
    }

    @Test func numbersAreSaidEveryThirtySecondsAndStatesAtOnce() async throws {
        let world = try AccountWorld()
        let input = try Manifests.subscription("s", "{tenant: acme, plan: pro}")
        let key = AccountWorld.key("s")
        func remaining(_ output: SubscriptionCompiler.Output) -> Int64? {
            output.statuses[key]?.members["creditsRemaining"]?.intValue
        }
        await world.settle([input])
        let order = GrantOrder(key: "more", microCredits: 1, source: .admin, reason: "test")
        world.clock.advance(seconds: 29)
        _ = try await world.service.grant(order, account: "acme", actor: "test")
        #expect(remaining(await world.settle([input])) == 1_000_000_000)
        #expect(world.flaky.read == 0)
        world.clock.advance(seconds: 1)
        #expect(remaining(await world.settle([input])) == 1_000_000_001)
        // A state goes before: of an account of the provider's.
        let stripe = try Manifests.subscription("s", "{tenant: acme, source: stripe, plan: pro}")
        await world.settle([stripe])
        try await world.provider("acme")
        let output = await world.settle([stripe], isResync: false)
        #expect(output.statuses[key]?.members["lastStripeEvent"]?["id"] == "evt_1")
        #expect(output.statuses[key]?.shown("ProviderSynced") == "True Synced")
    }

    @Test func anotherCatalogueReachesTheAccountAtOnce() async throws {
        let world = try AccountWorld()
        let input = try Manifests.subscription("s", "{tenant: acme, plan: pro}")
        await world.settle([input])
        #expect(try await world.available("acme") == 1_000_000_000)
        let text = BuiltInPlans.plansYAML
        let richer = try PlanCatalogue.read(YAMLText.json(text.replacing("perPeriod: 1000,", with: "perPeriod: 1500,")))
        #expect(richer != world.plans.catalogue)
        world.plans.replace(richer)
        #expect(try await world.available("acme") == 1_500_000_000, "whoever looks sees it")
        let output = await world.settle([input])
        #expect(output.statuses[AccountWorld.key("s")]?.members["creditsGranted"] == 1_500_000_000)
        #expect(world.flaky.kept == 2)
        let stored = try await world.ledger.read("acme") { try $0.entries(before: nil, limit: 10).map(\.kind) }
        #expect(stored.count { $0 == .grant } == 2)
    }
}
