// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Billing
internal import Connectors
internal import Essentials
internal import Logging
internal import MetricsTestKit
internal import Synchronization
internal import TestSupport
internal import Testing

@Suite(.timeLimit(.minutes(10))) struct StripeClientTests {
    /// Time that passes as soon as somebody waits for it.
    final class EagerClock: MonotonicClock {
        private let asked = Mutex<[Duration]>([])

        var pauses: [Duration] { asked.withLock { $0 } }

        func now() -> Duration { .zero }
        func pause(for duration: Duration) async throws { asked.withLock { $0.append(duration) } }
    }

    private let fake = StripeFake()
    private let time = EagerClock()
    private let metrics = TestMetrics()
    private let clock = ManualClock()

    private func with(
        key: String? = "sk_test_fake", version: String? = nil, breaker: CircuitBreaker = CircuitBreaker(threshold: 100),
        _ body: (StripeClient, LoopbackHTTPServer) async throws -> Void
    ) async throws {
        let fake = fake
        try await LoopbackHTTPServer.with {
            fake.answer($0)
        } _: { server in
            let client = StripeClient(
                settings: try StripeSettings(base: server.url + "/", version: version),
                key: { key.map { Redacted($0) } }, clock: clock, time: time, random: SeededRandom(seed: 1),
                breaker: breaker, logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
                metricsFactory: metrics)
            try await body(client, server)
        }
    }

    private func refusal(_ body: () async throws(Refusal) -> Void) async -> Refusal? {
        do {
            try await body()
            return nil
        } catch {
            return error
        }
    }

    private static let plan = CheckoutRequest(
        account: "acme", customer: "cus_1", goods: .plan(name: "pro", price: "price_1", trialDays: 14),
        successURL: "https://a.example/?ok=1&x", cancelURL: "https://a.example/no")

    @Test func aCheckoutSaysWhoseItIsAndWhatIsBought() async throws {
        fake.change { $0.prices["price_1"] = ["id": "price_1"] }
        try await with(version: "2026-01-01") { client, server in
            let url = try await client.createCheckout(Self.plan, wish: "w1")
            #expect(url == "https://checkout.example/1")
            var pack = Self.plan
            pack.goods = .pack(id: "credits-1000", price: "price_1")
            pack.customer = nil
            let other = try await client.createCheckout(pack, wish: "w1")
            #expect(other == "https://checkout.example/2")
            #expect(server.requests.allSatisfy { $0.header("stripe-version") == "2026-01-01" })
        }
        #expect(
            fake.known.effects[0].form == [
                "mode": "subscription", "line_items[0][price]": "price_1", "line_items[0][quantity]": "1",
                "client_reference_id": "acme", "customer": "cus_1", "metadata[tollgate_account]": "acme",
                "metadata[tollgate_plan]": "pro", "subscription_data[metadata][tollgate_account]": "acme",
                "subscription_data[metadata][tollgate_plan]": "pro", "subscription_data[trial_period_days]": "14",
                "success_url": "https://a.example/?ok=1&x", "cancel_url": "https://a.example/no",
            ])
        #expect(
            fake.known.effects[1].form == [
                "mode": "payment", "line_items[0][price]": "price_1", "line_items[0][quantity]": "1",
                "client_reference_id": "acme", "metadata[tollgate_account]": "acme",
                "metadata[tollgate_pack]": "credits-1000", "success_url": "https://a.example/?ok=1&x",
                "cancel_url": "https://a.example/no",
            ])
    }

    @Test func theSameWishIsTheSameCall() async throws {
        try await with { client, _ in
            let first = try await client.createCustomer(account: "acme", wish: "setup")
            #expect(try await client.createCustomer(account: "acme", wish: "setup") == first)
            #expect(try await client.createCustomer(account: "acme", wish: "again") != first)
            #expect(try await client.createCustomer(account: "other", wish: "setup") != first)
        }
        #expect(fake.known.effects.count == 3)
    }

    @Test func aLostAnswerIsAskedForAgainUnderTheSameKey() async throws {
        fake.failing([.drop, StripeFake.error(500), StripeFake.error(429)])
        try await with { client, server in
            _ = try await client.createCustomer(account: "acme", wish: "setup")
            #expect(server.requests.count == 4)
            #expect(Set(server.requests.compactMap { $0.header("idempotency-key") }).count == 1)
        }
        #expect(fake.known.effects.count == 1)
        #expect(time.pauses.count == 3)
        for (pause, longest) in zip(time.pauses, [1.0, 2, 4]) {
            #expect(pause >= .seconds(longest / 2) && pause <= .seconds(longest))
        }
        let counter = try metrics.expectCounter(
            "tollgate_stripe_requests_total", [("operation", "create_customer"), ("result", "ok")])
        #expect(counter.totalValue == 1)
    }

    @Test(
        arguments: [
            (StripeFake.error(500), 4), (StripeFake.error(429, headers: [("retry-after", "7")]), 4),
            (StripeFake.error(503, headers: [("retry-after", "Sun, 01 Mar 2026 12:00:07 GMT")]), 4),
            (StripeFake.error(409, code: "lock_timeout"), 4), (StripeFake.error(409, code: "other"), 1),
            (StripeFake.error(400), 1), (StripeFake.error(500, headers: [("stripe-should-retry", "false")]), 1),
            (StripeFake.error(400, headers: [("stripe-should-retry", "true")]), 4), (.drop, 4),
            (LoopbackHTTPServer.Answer(status: 302, headers: [("location", "/v1/x")]), 1), (.json("no json"), 1),
        ] as [(LoopbackHTTPServer.Answer, Int)])
    func onlyWhatCanHelpIsTriedAgain(_ answer: LoopbackHTTPServer.Answer, _ tries: Int) async throws {
        fake.failing(Array(repeating: answer, count: 4))
        try await with { client, server in
            let refusal = await refusal { () throws(Refusal) in _ = try await client.customer("cus_1") }
            #expect(refusal?.code == .stripeUpstreamError)
            #expect(refusal?.envelope(requestID: "r").jsonText.contains("secret") == false)
            #expect(server.requests.count == tries)
        }
        if answer.headers.contains(where: { $0.name == "retry-after" }) {
            #expect(time.pauses == [.seconds(7), .seconds(7), .seconds(7)])
        }
    }

    @Test func cardErrorsAreTheCustomersToMend() async throws {
        fake.failing([StripeFake.error(402, type: "card_error", code: "card_declined")])
        try await with { client, _ in
            let refusal = await refusal { () throws(Refusal) in
                _ = try await client.createCustomer(account: "a", wish: "w")
            }
            #expect(refusal?.code == .stripeCardError)
            #expect(refusal?.status == 402)
            #expect(refusal?.details?["stripe_code"] == "card_declined")
        }
    }

    @Test func withoutAKeyNothingIsAsked() async throws {
        try await with(key: nil) { client, server in
            let refusal = await refusal { () throws(Refusal) in _ = try await client.customer("cus_1") }
            #expect(refusal?.code == .billingNotConfigured)
            #expect(refusal?.status == 503)
            #expect(server.requests.isEmpty)
        }
        try await with(key: "sk_test_other") { client, _ in
            let refusal = await refusal { () throws(Refusal) in _ = try await client.customer("cus_1") }
            #expect(refusal?.code == .stripeUpstreamError)
            #expect(refusal?.message.contains("sk_") == false)
        }
    }

    @Test func theBreakerKeepsAwayForAWhile() async throws {
        fake.failing(Array(repeating: .drop, count: 4))
        fake.change { $0.customers["cus_1"] = ["id": "cus_1"] }
        try await with(breaker: CircuitBreaker(threshold: 4, pause: .seconds(10))) { client, server in
            _ = await refusal { () throws(Refusal) in _ = try await client.customer("cus_1") }
            let refusal = await refusal { () throws(Refusal) in _ = try await client.customer("cus_1") }
            #expect(refusal?.details?["reason"] == "breaker_open")
            #expect(server.requests.count == 4)
            clock.advance(seconds: 10)
            let customer = try await client.customer("cus_1")
            #expect(customer.id == "cus_1")
        }
    }

    @Test func subscriptionsAreReadCanceledAndChanged() async throws {
        let object = StripeDelivery.subscription(
            "sub_1", customer: "cus_1", status: "active", price: "price_1", period: 10..<20)
        fake.change { $0.subscriptions["sub_1"] = object }
        try await with { client, _ in
            let read = try await client.subscription("sub_1")
            #expect(read.items == ["si_1"])
            #expect(read.fact.prices == ["price_1"])
            #expect(read.fact.periodEnd == Timestamp(seconds: 20))
            let ending = try await client.cancel("sub_1", atPeriodEnd: true, account: "acme", wish: "w")
            #expect(ending.fact.cancelAtPeriodEnd == true)
            let changed = try await client.change("sub_1", item: "si_1", price: "price_2", account: "acme", wish: "w")
            #expect(changed.fact.prices == ["price_2"])
            let gone = try await client.cancel("sub_1", atPeriodEnd: false, account: "acme", wish: "w")
            #expect(gone.fact.status == "canceled")
            let refusal = await refusal { () throws(Refusal) in _ = try await client.subscription("sub/../x") }
            #expect(refusal?.details?["stripe_code"] == "resource_missing")
        }
        #expect(fake.known.effects[1].form["proration_behavior"] == "create_prorations")
    }

    @Test func everythingElseIsRead() async throws {
        fake.change {
            $0.payments["pi_1"] = [
                "id": "pi_1", "customer": ["id": "cus_1"], "status": "succeeded", "amount_received": 1000,
                "currency": "USD",
            ]
            $0.sessions["cs_1"] = [
                "id": "cs_1", "status": "complete", "mode": "payment", "payment_status": "paid",
                "client_reference_id": "acme", "metadata": ["tollgate_pack": "credits-1000"],
            ]
            $0.customers["cus_1"] = ["id": "cus_1", "invoice_settings": ["default_payment_method": "pm_1"]]
            $0.invoices = [["id": "in_1", "currency": "usd", "created": 5, "amount_due": 7, "amount_paid": 6]]
        }
        try await with { client, _ in
            let payment = try await client.paymentIntent("pi_1")
            #expect(payment.isSucceeded && payment.customer == "cus_1" && payment.currency == "usd")
            #expect(payment.amountReceived == 1000)
            let session = try await client.session("cs_1")
            #expect(session.isComplete && session.fact.account == "acme" && session.fact.pack == "credits-1000")
            let hasMethod = try await client.customer("cus_1").hasPaymentMethod
            #expect(hasMethod)
            #expect(try await client.invoices(customer: "cus_1", limit: 5).first?.amountDue == 7)
            let url = try await client.createPortal(
                account: "acme", customer: "cus_1", returnURL: "https://a.example", wish: "w")
            #expect(url == "https://portal.example/1")
            var report = MeterReport(account: "acme", period: Timestamp(seconds: 5))
            let isPrepared = report.prepare(charged: 123_456, at: Timestamp(seconds: 9))
            #expect(isPrepared)
            try await client.report(report, event: "usage", customer: "cus_1")
            try await client.report(report, event: "usage", customer: "cus_1")
        }
        #expect(fake.known.effects.count == 2)
        #expect(
            fake.known.effects[1].form == [
                "event_name": "usage", "payload[stripe_customer_id]": "cus_1", "payload[value]": "12",
                "identifier": "acme:5:1",
            ])
    }

    @Test func theCatalogueIsComparedWithThePrices() async throws {
        let catalogue = try PlanCatalogue.read(YAMLText.json(BuiltInPlans.plansYAML))
        let pro = "price_1SoawKE8yr4fu4JjkHQA2Y2c"
        let enterprise = "price_1SoawKE8yr4fu4Jj7iDEjsk6"
        let month: JSONValue = ["interval": "month", "interval_count": 1]
        fake.change {
            $0.prices[pro] = ["id": .string(pro), "unit_amount": 4900, "currency": "usd", "recurring": month]
            $0.prices[enterprise] = [
                "id": .string(enterprise), "unit_amount_decimal": "19900.0", "currency": "usd", "recurring": month,
            ]
        }
        try await with { client, _ in
            let isSame = try await CatalogueCheck.differences(catalogue, at: client).isEmpty
            #expect(isSame)
            fake.change {
                $0.prices[pro] = [
                    "id": .string(pro), "unit_amount": 5000, "currency": "eur", "active": false,
                    "recurring": ["interval": "year", "interval_count": 1],
                ]
                $0.prices[enterprise] = nil
            }
            let found = try await CatalogueCheck.differences(catalogue, at: client)
            #expect(found.map(\.what) == ["inactive", "amount", "currency", "interval", "missing"])
            #expect(found.map(\.item) == Array(repeating: "plan pro", count: 4) + ["plan enterprise"])
            #expect(found[1].description.contains("has amount 50000000, the catalogue says 49000000"))
        }
    }

    @Test(
        arguments: [
            ("https://api.stripe.com", [], true), ("http://127.0.0.1:8420", [], true),
            ("http://localhost:1/", [], true),
            ("http://stripe.example", [], false), ("http://stripe.example", ["stripe.example"], true),
            ("http://stripe.example", ["10.0.0.0/8"], false), ("http://10.1.1.1", ["10.0.0.0/8"], true),
            ("ftp://a.example", [], false), ("https://u:p@a.example", [], false),
        ] as [(String, [String], Bool)])
    func plainTextGoesToLoopbackAndAllowedHostsOnly(_ base: String, _ allow: [String], _ isGood: Bool) throws {
        let egress = try EgressRules(allowing: allow)
        let settings = try? StripeSettings(base: base, egress: egress)
        #expect((settings != nil) == isGood)
    }
}
