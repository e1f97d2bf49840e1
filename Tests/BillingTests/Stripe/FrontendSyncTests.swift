// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import TestSupport
internal import Testing

@Suite struct FrontendSyncTests {
    private static let now = Timestamp(seconds: 1_772_366_400)

    private let catalogue: PlanCatalogue

    init() throws { catalogue = try PlanCatalogue.read(YAMLText.json(BuiltInPlans.plansYAML)) }

    private static let good: JSONObject = [
        "event_id": "ev_1", "occurred_at": "2026-03-01T12:00:00Z", "account_id": "acme", "plan": "pro",
        "status": "active", "current_period_start": "2026-03-01T00:00:00Z",
        "current_period_end": "2026-04-01T00:00:00Z", "stripe_customer_id": "cus_1",
    ]

    @Test func aReportIsAnUpdateLikeTheProvidersOwn() async throws {
        let event = try FrontendSync.subscription(.object(Self.good), catalogue: catalogue)
        #expect(event.type == "customer.subscription.updated")
        #expect(event.subscription == "frontend:acme")
        #expect(event.created == Self.now)
        let world = try ProviderWorld(now: Self.now)
        #expect(try await world.deliver([event, event]) == [.processed, .duplicate])
        #expect(try world.look(at: "acme")["plan"] == "pro")
        #expect(try world.look(at: "acme")["pool_credits_granted"] == 1000)
        var older = Self.good
        older["event_id"] = "ev_0"
        older["occurred_at"] = .int(Self.now.seconds - 60)
        older["plan"] = "enterprise"
        let late = try FrontendSync.subscription(.object(older), catalogue: catalogue)
        #expect(try await world.deliver([late]) == [.late])
        #expect(try world.look(at: "acme")["plan"] == "pro")
    }

    @Test(arguments: [
        ("event_id", JSONValue.null), ("occurred_at", "yesterday"), ("account_id", ""), ("plan", "gold"),
        ("status", "weird"), ("current_period_end", "2026-03-01T00:00:00Z"), ("current_period_start", .bool(true)),
        ("cancel_at_period_end", "no"), ("stripe_customer_id", 7),
    ])
    func faultsNameTheirField(_ field: String, _ value: JSONValue) {
        var body = Self.good
        body[field] = value
        do throws(Refusal) {
            _ = try FrontendSync.subscription(.object(body), catalogue: catalogue)
            Issue.record("\(field) is taken")
        } catch {
            #expect(error.code == .requestInvalid)
            #expect(error.details?["field"]?.stringValue == field)
        }
    }

    @Test(arguments: [(Int64(1_000_000_000), true), (1_000_000_001, false), (0, false), (-5, false)])
    func noMoreCreditsThanWerePaidFor(_ credits: Int64, _ isGood: Bool) {
        let body: JSONValue = [
            "event_id": "e", "account_id": "acme", "micro_credits": .int(credits), "payment_intent_id": "pi_1",
            "paid_micro_usd": 10_000_000,
        ]
        do throws(Refusal) {
            let found = try FrontendSync.credits(body, catalogue: catalogue)
            #expect(isGood)
            #expect(found.account == "acme")
            #expect(found.sale.key == "pi:pi_1")
        } catch {
            #expect(!isGood)
            #expect(error.code == .requestInvalid)
            #expect(error.details?["field"] == "micro_credits")
        }
    }

    @Test func aCheckoutBringsASubscriptionBeforeCredits() throws {
        let info: JSONValue = [
            "tier": "pro", "status": "trial", "current_period_start": 10, "current_period_end": 20,
            "auto_renew": false, "max_agents": 99, "stripe_subscription_id": "sub_1",
        ]
        let both = try FrontendSync.checkout(
            ["session_id": "cs_1", "account_id": "acme", "subscription_info": info, "credits_added": 5],
            catalogue: catalogue, at: Self.now)
        guard case .subscription(let account, let event) = both else {
            Issue.record("\(both)")
            return
        }
        #expect(account == "acme")
        #expect(event.status == "trialing")
        #expect(event.cancelAtPeriodEnd == true)
        #expect(event.subscription == "sub_1")
        let credits = try FrontendSync.checkout(
            ["session_id": "cs_1", "account_id": "acme", "credits_added": 5], catalogue: catalogue, at: Self.now)
        let sale = PackSale(key: "cs:cs_1", microCredits: 5_000_000, paymentIntent: nil, reason: "session cs_1")
        #expect(credits == .credits(account: "acme", sale))
        let error = #expect(throws: Refusal.self) {
            try FrontendSync.checkout(
                ["session_id": "cs_1", "account_id": "acme"], catalogue: catalogue, at: Self.now)
        }
        #expect(error?.code == .requestMalformed)
    }
}
