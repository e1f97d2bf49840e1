// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import Metrics
internal import Reconcilers
internal import ResourceModel
internal import TestSupport
internal import Testing

/// What the payment provider says of accounts reaches the table of the pipeline and the status of objects.
@Suite struct ProviderAccountTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var name: String
        var spec = "{tenant: acme, source: stripe, plan: pro}"
        var state: SubscriptionState? = .active
        var plan: String? = "pro"
        var isPlanKnown = true
        var isStatusKnown = true
        /// Seconds since the payment failed.
        var pastDue: Int64?
        var isParked = false
        var conditions: [String: String]
        /// state, plan, boughtPlan
        var status: [String?] = ["active", "pro", "pro"]
        /// Plan in force in the table, and what was bought and is not.
        var table = ["pro", "-"]
        var testDescription: String { name }
    }

    static let rows: [Row] = [
        Row(
            name: "bought",
            conditions: [
                "Ready": "True InForce", "PlanKnown": "True Known", "PlanMatches": "True Matches",
                "ProviderSynced": "True Synced", "Entitled": "True Active", "OverLimit": "False WithinLimits",
            ]),
        Row(
            name: "nothing heard", state: nil,
            conditions: [
                "Ready": "False NothingKnown", "ProviderSynced": "False NothingKnown", "PlanMatches": "False OtherPlan",
                "Entitled": "True Active",
            ], status: ["active", "free", nil], table: ["free", "-"]),
        Row(
            name: "no plan expected", spec: "{tenant: acme, source: stripe}",
            conditions: ["Ready": "True InForce", "PlanMatches": "-", "PlanKnown": "-"]),
        Row(
            name: "another plan", plan: "enterprise",
            conditions: ["Ready": "False OtherPlan", "PlanMatches": "False OtherPlan"],
            status: ["active", "enterprise", "enterprise"], table: ["enterprise", "-"]),
        Row(
            name: "a plan that nobody knows", spec: "{tenant: acme, plan: proo}",
            conditions: ["PlanKnown": "False UnknownPlan"]),
        Row(
            name: "trialing", state: .trialing, conditions: ["Ready": "True InForce", "Entitled": "True Trialing"],
            status: ["trialing", "pro", "pro"]),
        Row(
            name: "past due", state: .pastDue, pastDue: 3600,
            conditions: ["Ready": "True InForce", "Entitled": "True PastDue"], status: ["past_due", "pro", "pro"]),
        Row(
            name: "grace over", state: .pastDue, pastDue: 168 * 3600,
            conditions: ["Ready": "False Unpaid", "Entitled": "False Unpaid", "PlanMatches": "True Matches"],
            status: ["unpaid", "free", "pro"], table: ["free", "pro"]),
        Row(
            name: "unpaid", state: .unpaid, conditions: ["Entitled": "False Unpaid"],
            status: ["unpaid", "free", "pro"],
            table: ["free", "pro"]),
        Row(
            name: "incomplete", state: .incomplete, conditions: ["Entitled": "False Incomplete"],
            status: ["incomplete", "free", "pro"], table: ["free", "pro"]),
        Row(
            name: "canceled", state: .canceled, conditions: ["Ready": "False Ended", "Entitled": "False Ended"],
            status: ["canceled", "free", "pro"], table: ["free", "pro"]),
        Row(
            name: "unknown price", isPlanKnown: false,
            conditions: ["Ready": "False UnknownPrice", "PlanKnown": "False UnknownPrice"]),
        Row(
            name: "unknown status", isStatusKnown: false,
            conditions: ["Ready": "False UnknownStatus", "ProviderSynced": "False UnknownStatus"]),
        Row(name: "another customer", isParked: true, conditions: ["ProviderSynced": "False CustomerConflict"]),
        Row(
            name: "another subscription", spec: "{tenant: acme, source: stripe, stripe: {subscriptionId: sub_other}}",
            conditions: ["ProviderSynced": "False SubscriptionDiffers"]),
        Row(
            name: "suspended", spec: "{tenant: acme, source: stripe, suspended: true}",
            conditions: ["Ready": "False Suspended", "Entitled": "False Suspended"]),
        Row(
            name: "overrides", spec: "{tenant: acme, source: stripe, overrides: {rate: {minute: 9}}}",
            conditions: ["Ready": "True InForce"]),
    ]

    @Test(arguments: rows) func saysHowTheAccountStands(_ row: Row) async throws {
        let world = try AccountWorld()
        if let state = row.state {
            try await world.provider(
                "acme", state: state, plan: row.plan, isPlanKnown: row.isPlanKnown, isStatusKnown: row.isStatusKnown,
                pastDueSince: row.pastDue.map { world.clock.now().adding(seconds: -$0) })
        }
        if row.isParked { world.flaky.park("acme") }
        let output = await world.settle([try Manifests.subscription("s", row.spec)])
        let status = try #require(output.statuses[AccountWorld.key("s")])
        for (type, wanted) in row.conditions { #expect(status.shown(type) == wanted, "\(type)") }
        #expect(["state", "plan", "boughtPlan"].map { status.members[$0]?.stringValue } == row.status)
        let state = output.accounts.state(of: "acme", at: world.clock.now())
        #expect([state.plan, state.boughtPlan ?? "-"] == row.table)
        #expect(state.isSubscribed)
        #expect(state.isSuspended == row.spec.contains("suspended: true"))
        if row.spec.contains("minute: 9") { #expect(state.rate.minute == 9) }
        // The table of a process that leads nothing says the same: it needs the ledger's directory only.
        let follower = SubscriptionCompiler(
            plans: world.plans, namespaces: NamespaceRules(platform: ["default"], tenants: [:]),
            accounts: SubscriptionAccounts(ledger: world.service, clock: world.clock))
        let shown = follower.compile(
            [try Manifests.subscription("s", row.spec)], earlier: [:], now: world.clock.now())
        #expect(shown.accounts == output.accounts)
    }

    @Test func anAccountWithoutAnObjectIsWhatTheProviderSays() async throws {
        let world = try AccountWorld()
        try await world.provider("shop")
        _ = try await world.service.grant(
            GrantOrder(key: "k", microCredits: 1, source: .admin, reason: "r"), account: "other", actor: "test")
        let output = world.pass([])
        let state = output.accounts.state(of: "shop", at: world.clock.now())
        #expect(state.plan == "pro" && state.isSubscribed && state.rate.minute == 120)
        #expect(!output.accounts.state(of: "other").isSubscribed, "it merely stands on the fallback plan")
        // A manual object is the truth over what the provider says.
        let manual = world.pass([try Manifests.subscription("s", "{tenant: shop, plan: enterprise}")])
        #expect(manual.accounts.state(of: "shop").plan == "enterprise")
        #expect(world.pass([]).accounts.state(of: "shop").plan == "pro")
    }

    @Test func aGraceEndsAtItsInstantWhoeverCompiledWhen() async throws {
        let world = try AccountWorld()
        let since = world.clock.now()
        try await world.provider("shop", state: .pastDue, pastDueSince: since)
        let output = world.pass([])
        let end = since.adding(seconds: 168 * 3600)
        #expect(output.dueAt.map { $0 <= end } == true)
        #expect(output.accounts.state(of: "shop", at: end.adding(seconds: -1)).plan == "pro")
        let after = output.accounts.state(of: "shop", at: end)
        #expect(after.plan == "free" && after.boughtPlan == "pro" && after.isSubscribed)
        world.clock.set(end)
        let later = world.pass([]).accounts.state(of: "shop", at: end)
        #expect(later.plan == "free" && later.boughtPlan == "pro")
    }

    @Test func aLapseEndsAPlanThatNobodySaysAnythingOf() async throws {
        let world = try AccountWorld()
        let input = try Manifests.subscription("s", "{tenant: acme, source: stripe, plan: pro}")
        try await world.provider("acme")
        let end = world.clock.now().adding(seconds: 29 * 86_400)
        var output = await world.settle([input])
        let lapse = end.adding(seconds: 336 * 3600)
        #expect(output.accounts.state(of: "acme", at: lapse.adding(seconds: -1)).plan == "pro")
        #expect(output.accounts.state(of: "acme", at: lapse).plan == "free")
        world.clock.set(end.adding(seconds: 72 * 3600))
        output = await world.settle([input])
        #expect(output.statuses[AccountWorld.key("s")]?.shown("ProviderSynced") == "False NoNews")
        #expect(output.statuses[AccountWorld.key("s")]?.shown("Entitled") == "True Active")
        world.clock.set(lapse)
        output = await world.settle([input])
        #expect(output.statuses[AccountWorld.key("s")]?.shown("Entitled") == "False Unpaid")
    }

    @Test func anotherSubscriptionFollowsAnEndedGraceByItsRank() async throws {
        let world = try AccountWorld()
        let since = world.clock.now()
        let others = [
            world.standing(.active, plan: "free", subscription: "sub_low"),
            world.standing(.active, plan: "pro", subscription: "sub_high"),
        ]
        try await world.provider(
            "shop", state: .pastDue, plan: "enterprise", pastDueSince: since, others: others)
        #expect(try await world.service.view("shop").standing.plan.name == "enterprise")
        let table = world.pass([]).accounts
        let end = since.adding(seconds: 168 * 3600)
        #expect(table.state(of: "shop", at: end.adding(seconds: -1)).plan == "enterprise")
        #expect(table.state(of: "shop", at: end).plan == "pro", "found when it is read, before anybody compiled again")
        #expect(table.state(of: "shop", at: end).boughtPlan == nil)
        let lapse = since.adding(seconds: (29 * 24 + 336) * 3600)
        #expect(table.state(of: "shop", at: lapse).plan == "free")
        world.clock.set(since.adding(seconds: 168 * 3600))
        let view = try await world.service.view("shop")
        #expect(view.standing.plan.name == "pro" && view.standing.origin == "sub_high")
        #expect(world.pass([]).accounts.state(of: "shop", at: world.clock.now()).plan == "pro")
    }

    @Test func theCustomerThatAnObjectNamesIsLinked() async throws {
        let world = try AccountWorld()
        let spec = "{tenant: acme, source: stripe, stripe: {customerId: cus_1}}"
        await world.settle([try Manifests.subscription("s", spec)])
        #expect(try await world.ledger.account(ofCustomer: "cus_1") == "acme")
        // It is another account's for nobody else.
        let rival = try Manifests.subscription(
            "rival", "{tenant: rival, source: stripe, stripe: {customerId: cus_1}}")
        let output = await world.settle([rival])
        #expect(output.statuses[AccountWorld.key("rival")]?.shown("ProviderSynced") == "False CustomerDiffers")
        #expect(try await world.ledger.account(ofCustomer: "cus_1") == "acme")
    }

    @Test func moreThanThePlanHasIsSaid() async throws {
        let world = try AccountWorld()
        await world.settle([try Manifests.subscription("s", "{tenant: acme, plan: pro}")])
        for id in ["a", "b"] {
            let request = try SlotRequest.read(["kind": "worker", "id": .string(id)])
            _ = try await world.service.take(request, account: "acme")
        }
        let output = await world.settle([try Manifests.subscription("s", "{tenant: acme, plan: free}")])
        let status = try #require(output.statuses[AccountWorld.key("s")])
        #expect(status.shown("OverLimit") == "True TooManySlots")
        #expect(status.shown("Ready") == "False TooManySlots")
        #expect(status.members["slotsUsed"]?["workers"] == 2)
    }

    @Test func whatOthersWroteIsFoundByReadingAllAccounts() async throws {
        let world = try AccountWorld()
        let other = BillingService(
            ledger: world.ledger, plans: world.plans, prices: world.service.prices, clock: world.clock,
            metricsFactory: NOOPMetricsHandler.instance)
        _ = try await other.apply(world.standing(.active), account: "shop")
        #expect(!world.pass([]).accounts.state(of: "shop").isSubscribed)
        try await world.service.readAccounts()
        #expect(world.pass([]).accounts.state(of: "shop").plan == "pro")
    }
}
