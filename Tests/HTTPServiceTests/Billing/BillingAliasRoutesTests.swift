// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Billing
internal import Essentials
internal import HTTPService
internal import HTTPTypes
internal import TestSupport
internal import Testing

@Suite struct BillingAliasRoutesTests {
    @Test func tellsTheSubscriptionAndTheUse() async throws {
        let world = try BillingGate()
        _ = try await world.billing.recordTokenUsage(
            account: "acme", model: "gpt-4o-mini", counts: TokenCounts(input: 70_000), at: world.clock.now(), key: "k")
        let subscription: JSONObject = [
            "tier": "free", "status": "active", "max_agents": 1, "current_agents": 0, "inference_credits": 98,
            "inference_micro_credits": 98_950_000, "current_period_tokens": 70_000,
            "current_period_start": "2026-03-01T00:00:00Z", "current_period_end": "2026-04-01T00:00:00Z",
            "auto_renew": true,
        ]
        #expect(try await world.send(.get, "/billing/subscription").json == .object(subscription))
        let usage = try await world.send(.get, "/billing/usage")
        #expect(
            usage.json == [
                "total_agent_requests": 0, "total_tokens_consumed": 70_000, "agents_hired": 0, "agent_usage": [],
                "model_usage": [
                    [
                        "model": "gpt-4o-mini", "requests": 1, "tokens": 70_000, "credits_used": 1,
                        "credits_used_micro_credits": 1_050_000,
                    ]
                ], "available_credits": 98, "available_micro_credits": 98_950_000, "credits_used": 1,
                "credits_used_micro_credits": 1_050_000, "subscription": .object(subscription),
            ])
        let stranger = try await world.send(.get, "/billing/usage?account=acme", as: "eve@other")
        #expect(stranger.status == 403 && stranger.code == "policy.tenant_denied")
    }

    @Test(arguments: ["/billing/credits/add", "/billing/checkout/process"])
    func isForThePlatform(_ path: String) async throws {
        let reply = try await BillingGate().send(.post, path, "{}")
        #expect(reply.told == "403 policy.platform_required: Platform principal required")
    }

    private static func paid(_ cents: Int64, customer: String = "cus_acme", isSucceeded: Bool = true) -> ProviderPayment
    {
        ProviderPayment(
            id: "pi_1", customer: customer, isSucceeded: isSucceeded, amountReceived: cents, currency: "usd")
    }

    @Test func addsWhatWasPaidFor() async throws {
        let world = try BillingGate()
        _ = try await world.send(.post, "/v1/billing/setup")
        world.provider.set { $0.payment = Self.paid(1000) }
        let path = "/billing/credits/add"
        let body = #"{"amount":1000,"payment_intent_id":"pi_1","account_id":"acme"}"#
        for _ in 0..<2 {
            let reply = try await world.send(.post, path, body, as: "~front")
            #expect(reply.status == 200)
            #expect(
                reply.json == [
                    "success": true, "credits_added": 1000, "credits_added_micro_credits": 1_000_000_000,
                    "total_credits": 1100, "total_micro_credits": 1_100_000_000,
                ])
        }
        let more = try await world.send(.post, path, body.replacing("1000", with: "1001"), as: "~front")
        #expect(more.told == "422 request.invalid: amount: not what was paid for: 1000")
        world.provider.set { $0.payment = Self.paid(1000, customer: "cus_other") }
        #expect(try await world.send(.post, path, body, as: "~front").fields == ["payment_intent_id"])
        world.provider.set {
            $0.payment = Self.paid(1000)
            $0.payment?.invoice = "in_1"
        }
        #expect(
            try await world.send(.post, path, body, as: "~front").told
                == "422 request.invalid: payment_intent_id: the payment of an invoice, which bought what it lists")
        world.provider.set { $0.payment = Self.paid(1000, isSucceeded: false) }
        #expect(try await world.send(.post, path, body, as: "~front").fields == ["payment_intent_id"])
        #expect(try await world.billing.view("acme").availableMicroCredits == 1_100_000_000)
    }

    @Test func withoutAPaymentItTakesAnAdminAndAReason() async throws {
        let world = try BillingGate()
        let path = "/billing/credits/add"
        let body = #"{"amount":5,"account_id":"acme","reason":"sorry"}"#
        let service = try await world.send(.post, path, body, as: "~front")
        #expect(service.status == 403 && service.code == "policy.permission_denied")
        let silent = try await world.send(.post, path, #"{"amount":5,"account_id":"acme"}"#, as: "+root")
        #expect(silent.status == 422 && silent.fields == ["reason"])
        let added = try await world.send(.post, path, body, as: "+root")
        #expect(added.status == 200 && added.json["total_credits"] == 105)
        #expect(world.gate.audit.durable.last?.metadata["reason"] == "sorry")
    }

    @Test func processesACheckoutThatTheProviderKnows() async throws {
        let world = try BillingGate()
        var fact = ProviderEvent(
            id: "read:cs_1", type: "checkout.session.completed", created: Timestamp(seconds: 1_772_366_300))
        fact.session = "cs_1"
        fact.mode = "subscription"
        fact.subscription = "sub_1"
        fact.customer = "cus_acme"
        fact.paymentStatus = "paid"
        fact.account = "acme"
        fact.isOwn = true
        fact.metadataPlan = "pro"
        let session = fact
        let path = "/billing/checkout/process"
        let body = #"{"session_id":"cs_1","account_id":"acme"}"#
        world.provider.set { $0.session = ProviderSession(fact: session, isComplete: false) }
        #expect(try await world.send(.post, path, body, as: "~front").fields == ["session_id"])
        world.provider.set { $0.session = ProviderSession(fact: session, isComplete: true) }
        let foreign = body.replacing("acme", with: "other")
        #expect(try await world.send(.post, path, foreign, as: "~front").fields == ["account_id"])
        let done = try await world.send(.post, path, body, as: "~front")
        #expect(done.status == 200 && done.json["success"] == true && done.json["outcome"] == "processed")
        #expect(done.json["subscription"]?["plan"] == "pro")
        #expect(try await world.send(.post, path, body, as: "~front").json["outcome"] == "duplicate")
    }

    /// A debit that takes days: the session is complete before it is paid.
    @Test func waitsForThePaymentOfAPack() async throws {
        let world = try BillingGate()
        var fact = ProviderEvent(
            id: "read:cs_1", type: "checkout.session.completed", created: Timestamp(seconds: 1_772_366_300))
        (fact.session, fact.mode, fact.paymentStatus, fact.pack) = ("cs_1", "payment", "unpaid", "credits-1000")
        (fact.account, fact.isOwn, fact.paymentIntent) = ("acme", true, "pi_1")
        let path = "/billing/checkout/process"
        let body = #"{"session_id":"cs_1","account_id":"acme"}"#
        func balance() async throws -> Int64? {
            try await world.send(.get, "/v1/billing/credits?account=acme", as: "~gw").json["balance_micro_credits"]?
                .intValue
        }
        let before = try #require(try await balance())
        for (status, answer) in [("unpaid", 422), ("paid", 200), ("paid", 200)] {
            fact.paymentStatus = status
            let session = ProviderSession(fact: fact, isComplete: true)
            world.provider.set { $0.session = session }
            #expect(try await world.send(.post, path, body, as: "~front").status == answer)
        }
        #expect(try await balance() == before + 1_000_000_000)
    }

    @Test func believesAFrontEndWhereItMay() async throws {
        let world = try BillingGate(mode: .frontend, hasProvider: false)
        let path = "/billing/checkout/process"
        let body = """
            {"session_id":"cs_1","account_id":"acme","credits_added":7,"subscription_info":{"tier":"pro",
            "status":"trial","current_period_start":1772323200,"current_period_end":1775001600,"auto_renew":false,
            "max_agents":99}}
            """
        let reply = try await world.send(.post, path, body, as: "~front")
        #expect(reply.status == 200 && reply.json["subscription"]?["plan"] == "pro")
        #expect(reply.json["subscription"]?["status"] == "trialing")
        let shown = try await world.send(.get, "/billing/subscription")
        #expect(shown.json["status"] == "trial" && shown.json["auto_renew"] == false && shown.json["max_agents"] == 5)
        let credits = #"{"session_id":"cs_2","account_id":"acme","credits_added":7}"#
        for _ in 0..<2 {
            let added = try await world.send(.post, path, credits, as: "~front")
            #expect(added.status == 200 && added.json["total_credits"] == 1007)
        }
        let neither = try await world.send(.post, path, #"{"session_id":"cs_3","account_id":"acme"}"#, as: "~front")
        #expect(neither.status == 400 && neither.code == "request.malformed")
        let added = try await world.send(
            .post, "/billing/credits/add", #"{"amount":1,"payment_intent_id":"pi_9","account_id":"acme"}"#,
            as: "~front")
        #expect(added.status == 200 && added.json["total_credits"] == 1008)
        let elsewhere = try await world.send(
            .post, "/billing/credits/add", #"{"amount":1,"payment_intent_id":"pi_9","account_id":"other"}"#,
            as: "~front")
        #expect(elsewhere.status == 422 && elsewhere.code == "request.idempotency_mismatch")
    }
}
