// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import TestSupport
internal import Testing

/// The real server between a stand-in for Stripe and its accounts: what is asked of Stripe, what Stripe tells, and what an account is then.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct StripeServerTests {
    /// The price of the plan Pro in the catalogue of these tests.
    private static let price = "price_of_localstripe"
    private static let shippedPrice = "price_1SoawKE8yr4fu4JjkHQA2Y2c"
    private static let enterprise = "price_1SoawKE8yr4fu4Jj7iDEjsk6"
    private static let month: Int64 = 31 * 86_400

    // MARK: - localstripe

    /// A server whose catalogue knows localstripe's price, at a stand-in that is started with its port.
    private static func withLocalStripe(_ body: (TollgateDaemon, LocalStripe) async throws -> Void) async throws {
        // Where the webhooks go must be known before the address of Stripe is: the door is between them.
        let port = try FreePort.next()
        try await LocalStripe.with(webhooks: port, path: "/v1/billing/webhooks/stripe") { stripe in
            try await stripe.makePlan(price, cents: 4900)
            let plans = try TemporaryDirectory()
            try plans.write(BuiltInPlans.plansYAML.replacing(shippedPrice, with: price), to: "plans.yaml")
            let daemon = try TollgateDaemon(
                manifests: ProxyContract.manifests,
                settings: [
                    "STRIPE_API_BASE": "http://127.0.0.1:\(stripe.port)", "STRIPE_API_KEY": LocalStripe.key,
                    "STRIPE_WEBHOOK_SECRET": "whsec_next,\(LocalStripe.secret)",
                    "TOLLGATE_BILLING_PLANS_FILE": plans.path("plans.yaml"),
                ], listen: port)
            try await daemon.running { _ in try await body(daemon, stripe) }
        }
    }

    private static func account(_ name: String = "acme", at daemon: TollgateDaemon) async throws -> JSONValue {
        try await daemon.call("GET", "/v1/billing/subscription?account=\(name)").json()
    }

    /// Waits until the account's subscription is in that state.
    private static func wait(
        for status: String, of name: String = "acme", at daemon: TollgateDaemon
    ) async throws -> JSONValue {
        try await Eventually.value("\(name) to be \(status)", within: .seconds(120)) {
            let account = try await account(name, at: daemon)
            // A nil that is no Optional would be JSON's null.
            return account["status"] == .string(status) && account["source"] == "stripe" ? .some(account) : .none
        }
    }

    private static func setup(_ daemon: TollgateDaemon) async throws -> String {
        let answer = try await daemon.call("POST", "/v1/billing/setup?account=acme")
        #expect(answer.status == 200, "\(answer.text)")
        return try #require(try answer.json()["customer_id"]?.stringValue)
    }

    @Test func aSubscriptionBoughtAtStripeIsTheAccountsUntilItIsCanceled() async throws {
        try await Self.withLocalStripe { daemon, stripe in
            let customer = try await Self.setup(daemon)
            try await stripe.attach(LocalStripe.good, to: customer)
            let again = try await daemon.call("POST", "/v1/billing/setup?account=acme").json()
            #expect(again == ["customer_id": .string(customer), "has_payment_method": true])
            _ = try await stripe.subscribe(customer, to: Self.price, account: "acme")

            let bought = try await Self.wait(for: "active", at: daemon)
            #expect(bought["plan"] == "pro")
            #expect(bought["credits"]?["remaining_micro_credits"] == 1_000_000_000)
            let invoices = try await daemon.call("GET", "/v1/billing/invoices?account=acme").json()["invoices"]
            #expect(invoices?.arrayValue?.map { $0["amount_paid"] } == [4900])

            let ending = try await daemon.call(
                "POST", "/v1/billing/subscription/cancel?account=acme", body: ["at_period_end": true])
            #expect(ending.status == 200)
            #expect(try ending.json()["cancel_at_period_end"] == true)
            #expect(try ending.json()["plan"] == "pro")
            let ended = try await daemon.call(
                "POST", "/v1/billing/subscription/cancel?account=acme", body: ["at_period_end": false])
            #expect(ended.status == 200, "\(ended.text)")
            let canceled = try await Self.wait(for: "canceled", at: daemon)
            #expect(canceled["plan"] == "free")
            #expect(canceled["bought_plan"] == "pro")
            #expect(canceled["credits"]?["remaining_micro_credits"] == 0)
            let gone = try await daemon.call("POST", "/v1/billing/subscription/cancel?account=acme")
            #expect(gone.status == 404)
            #expect(try gone.json()["code"] == "billing.no_subscription")
        }
    }

    /// A debit is taken at first and fails a moment later; localstripe ends the subscription then.
    @Test func aPaymentThatFailsTakesThePlanAway() async throws {
        try await Self.withLocalStripe { daemon, stripe in
            let customer = try await Self.setup(daemon)
            try await stripe.attach(LocalStripe.failing, to: customer)
            _ = try await stripe.subscribe(customer, to: Self.price, account: "acme")
            let canceled = try await Self.wait(for: "canceled", at: daemon)
            #expect(canceled["plan"] == "free")
            #expect(canceled["bought_plan"] == "pro")
            let counted = try await PlainHTTP.send("GET", "/metrics", port: daemon.probePort).text
            let failures = counted.split(separator: "\n").filter {
                $0.hasPrefix("tollgate_stripe_events_total") && $0.contains(#"type="invoice.payment_failed""#)
                    && ($0.contains(#"outcome="processed""#) || $0.contains(#"outcome="late""#)) && $0.hasSuffix(" 1")
            }
            #expect(failures.count == 1, "\(counted)")
        }
    }

    // MARK: - What localstripe does not have

    private static func withFake(
        _ body: @Sendable @escaping (TollgateDaemon, StripeFake) async throws -> Void
    ) async throws {
        let fake = StripeFake(key: "sk_test_fake")
        fake.change { state in
            for price in [shippedPrice, enterprise] { state.prices[price] = ["id": .string(price)] }
        }
        try await LoopbackHTTPServer.with {
            fake.answer($0)
        } _: { server in
            let daemon = try TollgateDaemon(
                manifests: ProxyContract.manifests,
                settings: [
                    "STRIPE_API_BASE": server.url, "STRIPE_API_KEY": "sk_test_fake",
                    "STRIPE_WEBHOOK_SECRET": LocalStripe.secret, "TOLLGATE_BILLING_REDIRECT_ALLOW": "app.example.com",
                ])
            try await daemon.running { _ in try await body(daemon, fake) }
        }
    }

    /// Sends an event as Stripe does.
    private static func tell(
        _ id: String, _ type: String, _ object: JSONValue, _ daemon: TollgateDaemon,
        secret: String = LocalStripe.secret
    ) async throws -> PlainHTTP.Answer {
        let now = SystemWallClock().now()
        let body = StripeDelivery.event(id, type, created: now.seconds, object)
        return try await PlainHTTP.send(
            "POST", "/v1/billing/webhooks/stripe", port: daemon.port,
            headers: [
                ("Content-Type", "application/json"),
                ("Stripe-Signature", StripeDelivery.header(of: body, at: now, secret: secret)),
            ], body: body)
    }

    private static func outcome(_ answer: PlainHTTP.Answer) throws -> String {
        answer.status == 200 ? try answer.json()["outcome"]?.stringValue ?? "" : "\(answer.status) \(answer.text)"
    }

    private static func subscription(_ customer: String, _ price: String, _ period: Range<Int64>) -> JSONValue {
        StripeDelivery.subscription(
            "sub_1", customer: customer, status: "active", price: price, period: period, account: "acme")
    }

    /// Opens a checkout and pays it.
    ///
    /// - Returns: the customer, and the period that was paid for.
    private static func buy(
        _ daemon: TollgateDaemon, _ fake: StripeFake
    ) async throws -> (customer: String, period: Range<Int64>) {
        let opened = try await daemon.call(
            "POST", "/v1/billing/checkout?account=acme",
            body: [
                "plan": "pro", "success_url": "https://app.example.com/done",
                "cancel_url": "https://app.example.com/plans",
            ])
        #expect(opened.status == 200, "\(opened.text)")
        #expect(try opened.json()["checkout_url"]?.stringValue?.hasPrefix("https://checkout.example/") == true)
        let form = try #require(fake.known.effects.first { $0.path == "/v1/checkout/sessions" }?.form)
        #expect(form["line_items[0][price]"] == shippedPrice)
        #expect(form["client_reference_id"] == "acme")
        let customer = try #require(form["customer"])

        // What Stripe tells then, the subscription first.
        let start = SystemWallClock().now().seconds
        let period = start..<start + month
        let made = subscription(customer, shippedPrice, period)
        fake.change { $0.subscriptions["sub_1"] = made }
        let created = try await tell("evt_1", "customer.subscription.created", made, daemon)
        #expect(try outcome(created) == "processed")
        let session: JSONValue = [
            "id": "cs_1", "object": "checkout.session", "mode": "subscription", "payment_status": "paid",
            "customer": .string(customer), "subscription": "sub_1", "client_reference_id": "acme",
            "metadata": ["tollgate_account": "acme", "tollgate_plan": "pro"],
        ]
        let completed = try await tell("evt_2", "checkout.session.completed", session, daemon)
        #expect(["processed", "late"].contains(try outcome(completed)))
        return (customer, period)
    }

    @Test func aCheckoutIsOpenedAndPaid() async throws {
        try await Self.withFake { daemon, fake in
            let (customer, _) = try await Self.buy(daemon, fake)
            let bought = try await Self.account(at: daemon)
            #expect(bought["plan"] == "pro")
            #expect(bought["credits"]?["remaining_micro_credits"] == 1_000_000_000)
            let portal = try await daemon.call(
                "POST", "/v1/billing/portal?account=acme", body: ["return_url": "https://app.example.com/back"])
            #expect(try portal.json()["portal_url"]?.stringValue?.hasPrefix("https://portal.example/") == true)
            let form = try #require(fake.known.effects.first { $0.path == "/v1/billing_portal/sessions" }?.form)
            #expect(form["customer"] == customer)
            let elsewhere = try await daemon.call(
                "POST", "/v1/billing/portal?account=acme", body: ["return_url": "https://evil.example/back"])
            #expect(elsewhere.status == 422)
            #expect(try elsewhere.json()["code"] == "request.invalid")
        }
    }

    /// A dearer plan, asked for here and told by Stripe as well; then a payment that fails at first.
    @Test func whatWasBoughtIsChangedAndPaidLate() async throws {
        try await Self.withFake { daemon, fake in
            let (customer, period) = try await Self.buy(daemon, fake)
            let change = try await daemon.call(
                "POST", "/v1/billing/subscription/change?account=acme", body: ["new_plan": "enterprise"])
            #expect(change.status == 200, "\(change.text)")
            #expect(try change.json()["plan"] == "enterprise")
            let dearer = Self.subscription(customer, Self.enterprise, period)
            let updated = try await Self.tell("evt_3", "customer.subscription.updated", dearer, daemon)
            #expect(["processed", "late"].contains(try Self.outcome(updated)))
            let raised = try await Self.account(at: daemon)
            #expect(raised["plan"] == "enterprise")
            #expect(raised["credits"]?["remaining_micro_credits"] == 10_000_000_000)

            let invoice: JSONValue = [
                "id": "in_1", "object": "invoice", "customer": .string(customer), "subscription": "sub_1",
            ]
            let failed = try await Self.tell("evt_4", "invoice.payment_failed", invoice, daemon)
            #expect(["processed", "late"].contains(try Self.outcome(failed)))
            let due = try await Self.account(at: daemon)
            #expect(due["status"] == "past_due")
            #expect(due["plan"] == "enterprise")
            for outcome in ["processed", "duplicate"] {
                let answer = try await Self.tell("evt_5", "invoice.paid", invoice, daemon)
                #expect(try Self.outcome(answer) == outcome)
            }
            let paid = try await Self.account(at: daemon)
            #expect(paid["status"] == "active")
            #expect(paid["credits"]?["remaining_micro_credits"] == 10_000_000_000)
        }
    }

    @Test func aPackIsGrantedOnceAndAForgedEventNever() async throws {
        try await Self.withFake { daemon, _ in
            let session: JSONValue = [
                "id": "cs_9", "object": "checkout.session", "mode": "payment", "payment_status": "paid",
                "customer": "cus_9", "client_reference_id": "acme", "payment_intent": "pi_9",
                "metadata": ["tollgate_account": "acme", "tollgate_pack": "credits-1000"],
            ]
            let forged = try await Self.tell(
                "evt_0", "checkout.session.completed", session, daemon, secret: "whsec_other")
            #expect(forged.status == 400)
            #expect(try forged.json()["code"] == "billing.invalid_signature")
            #expect(try forged.json()["details"]?["reason"] == "no_match")
            for (id, outcome) in [("evt_1", "processed"), ("evt_1", "duplicate"), ("evt_2", "processed")] {
                let answer = try await Self.tell(id, "checkout.session.completed", session, daemon)
                #expect(try Self.outcome(answer) == outcome)
            }
            let credits = try await daemon.call("GET", "/v1/billing/credits?account=acme").json()
            let bought = credits["grants"]?.arrayValue?.filter { $0["source"] == "purchase" }
            #expect(bought?.map { $0["micro_credits"] } == [1_000_000_000])
        }
    }
}
