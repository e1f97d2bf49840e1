// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Billing
internal import Essentials
internal import HTTPTypes
internal import TestSupport
internal import Testing

@Suite struct PaymentRoutesTests {
    private static let targets =
        #""success_url":"https://app.example.com/ok","cancel_url":"https://app.example.com/no""#

    @Test func makesACustomerOnce() async throws {
        let world = try BillingGate()
        let first = try await world.send(.post, "/v1/billing/setup")
        #expect(first.status == 200 && first.json == ["customer_id": "cus_acme", "has_payment_method": false])
        let second = try await world.send(.post, "/v1/billing/setup")
        #expect(second.json == ["customer_id": "cus_acme", "has_payment_method": true])
        #expect(world.provider.calls == ["createCustomer acme customer", "customer cus_acme"])
    }

    @Test func sellsPlansAndPacks() async throws {
        let world = try BillingGate()
        let key = [("Idempotency-Key", "k1")]
        let plan = try await world.send(
            .post, "/v1/billing/checkout", #"{"plan":"pro",\#(Self.targets)}"#, as: "olga@acme", key)
        #expect(plan.status == 200 && plan.json == ["checkout_url": "https://pay.example.com/c"])
        let call = try #require(world.provider.calls.last)
        #expect(
            call.hasPrefix("createCheckout acme cus_acme plan(name: \"pro\", price: \"price_1SoawKE8yr4fu4JjkHQA2Y2c\"")
        )
        #expect(call.contains("trialDays: 14") && call.hasSuffix(" checkout:k1"))
        for name in ["free", "gold"] {
            let reply = try await world.send(
                .post, "/v1/billing/checkout", #"{"plan":"\#(name)",\#(Self.targets)}"#)
            #expect(reply.told == "400 billing.unknown_plan: There is no such plan or pack to buy")
            #expect(reply.json["details"] == ["plan": .string(name)])
        }
        let pack = try await world.send(.post, "/v1/billing/checkout", #"{"pack":"none",\#(Self.targets)}"#)
        #expect(pack.status == 400 && pack.json["details"] == ["pack": "none"])
    }

    @Test(arguments: [
        ("{}", ["plan", "success_url", "cancel_url"]), (#"{"plan":"pro","pack":"p",\#(targets)}"#, ["pack"]),
        (
            #"{"plan":"pro","success_url":"https://evil.example","cancel_url":"https://app.example.com"}"#,
            ["success_url"]
        ),
        (
            #"{"plan":"pro","success_url":"https://app.example.com@evil.example/","cancel_url":"x"}"#,
            ["success_url", "cancel_url"]
        ),
        (
            #"{"plan":"pro","success_url":"http://app.example.com/","cancel_url":"https://APP.example.com"}"#,
            ["success_url"]
        ),
        (
            #"{"plan":"pro","success_url":"https://app.example.com.evil.example","cancel_url":"https://app.example.com:444"}"#,
            ["success_url", "cancel_url"]
        ),
        (#"{"plan":7,\#(targets)}"#, ["plan"]),
    ])
    func refusesWhereNobodyMayBeSent(_ body: String, _ fields: [String]) async throws {
        let world = try BillingGate()
        let reply = try await world.send(.post, "/v1/billing/checkout", body)
        #expect(reply.status == 422 && reply.fields == fields)
        #expect(world.provider.calls.isEmpty)
    }

    @Test func opensThePortal() async throws {
        let world = try BillingGate()
        let reply = try await world.send(.post, "/v1/billing/portal", #"{"return_url":"https://app.example.com/"}"#)
        #expect(reply.status == 200 && reply.json == ["portal_url": "https://pay.example.com/p"])
        let evil = try await world.send(.post, "/v1/billing/portal", #"{"return_url":"https://evil.example/"}"#)
        #expect(evil.status == 422 && evil.fields == ["return_url"])
    }

    private func subscribed(_ world: BillingGate) async throws {
        let body = ProviderEventRoutesTests.updated
        let header = [("Stripe-Signature", ProviderEventRoutesTests.signed(body))]
        _ = try await world.send(.post, "/v1/billing/webhooks/stripe", body, as: "stripe", header)
        world.clock.advance(seconds: 10)
    }

    @Test func cancelsAndChanges() async throws {
        let world = try BillingGate()
        for (path, body) in [("cancel", "{}"), ("change", #"{"new_plan":"pro"}"#)] {
            let none = try await world.send(.post, "/v1/billing/subscription/\(path)", body)
            #expect(none.status == 404 && none.code == "billing.no_subscription")
        }
        try await subscribed(world)
        world.provider.set { $0.price = "price_1SoawKE8yr4fu4Jj7iDEjsk6" }
        let change = try await world.send(.post, "/v1/billing/subscription/change", #"{"new_plan":"enterprise"}"#)
        #expect(
            change.status == 200 && change.json["plan"] == "enterprise" && change.json["bought_plan"] == "enterprise")
        #expect(world.gate.audit.durable.last?.metadata["before"]?["plan"] == "pro")
        world.clock.advance(seconds: 10)
        let later = try await world.send(.post, "/v1/billing/subscription/cancel")
        #expect(later.status == 200 && later.json["cancel_at_period_end"] == true)
        #expect(later.json["plan"] == "enterprise")
        world.clock.advance(seconds: 10)
        let now = try await world.send(.post, "/v1/billing/subscription/cancel", #"{"at_period_end":false}"#)
        #expect(now.status == 200 && now.json["status"] == "canceled" && now.json["plan"] == "free")
        let again = try await world.send(.post, "/v1/billing/subscription/cancel")
        #expect(again.status == 404 && again.code == "billing.no_subscription")
        let unknown = try await world.send(.post, "/v1/billing/subscription/change", #"{"new_plan":"gold"}"#)
        #expect(unknown.status == 400 && unknown.code == "billing.unknown_plan")
    }

    @Test func listsInvoices() async throws {
        let world = try BillingGate()
        #expect(try await world.send(.get, "/v1/billing/invoices").json == ["invoices": []])
        _ = try await world.send(.post, "/v1/billing/setup")
        let reply = try await world.send(.get, "/v1/billing/invoices?limit=5")
        #expect(
            reply.json == [
                "invoices": [
                    [
                        "id": "in_1", "number": nil, "status": nil, "amount_due": 4900, "amount_paid": 4900,
                        "currency": "usd", "created": "2026-03-01T12:00:00Z", "period_start": nil,
                        "period_end": nil, "pdf_url": nil, "hosted_invoice_url": nil,
                    ]
                ]
            ])
        #expect(world.provider.calls.last == "invoices cus_acme 5")
        for limit in ["0", "101", "x"] {
            #expect(try await world.send(.get, "/v1/billing/invoices?limit=\(limit)").fields == ["limit"])
        }
        world.provider.set { $0.isAway = true }
        let away = try await world.send(.get, "/v1/billing/invoices")
        #expect(away.status == 502 && away.code == "stripe.upstream_error")
    }

    @Test(arguments: ["setup", "checkout", "portal", "subscription/cancel", "subscription/change"])
    func needsAKey(_ name: String) async throws {
        let bodies = [
            "checkout": #"{"plan":"pro",\#(Self.targets)}"#, "portal": #"{"return_url":"https://app.example.com/"}"#,
            "subscription/change": #"{"new_plan":"pro"}"#,
        ]
        let world = try BillingGate(hasProvider: false)
        let reply = try await world.send(.post, "/v1/billing/\(name)", bodies[name])
        #expect(reply.told == "503 billing.not_configured: Stripe is not configured")
        #expect(try await world.send(.get, "/v1/billing/invoices").status == 503)
    }
}
