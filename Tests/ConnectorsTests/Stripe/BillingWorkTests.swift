// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Connectors
internal import Essentials
internal import Logging
internal import Metrics
internal import TestSupport
internal import Testing

/// The background work of billing, as it reaches Stripe.
@Suite(.timeLimit(.minutes(10))) struct BillingWorkTests {
    private static let proPrice = "price_1SoawKE8yr4fu4JjkHQA2Y2c"
    private static let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    private let fake = StripeFake()
    private let clock = ManualClock()
    private let ledger = MemoryBillingLedger()
    private let billing: BillingService
    private let events: ProviderEventService

    init() throws {
        let plans = PlanBook(try PlanCatalogue.read(YAMLText.json(BuiltInPlans.plansYAML)))
        let billing = BillingService(
            ledger: ledger, plans: plans,
            prices: PriceBook(try PriceList.read(YAMLText.json(BuiltInPrices.pricesYAML))), clock: clock,
            metricsFactory: NOOPMetricsHandler.instance)
        self.billing = billing
        events = ProviderEventService(
            ledger: ledger, effects: AccountEffects(terms: { billing.terms }), plans: plans,
            secrets: { ProviderSecrets(webhookSecrets: Redacted([])) }, clock: clock, logger: Self.logger,
            metricsFactory: NOOPMetricsHandler.instance)
    }

    private func with(_ body: (AccountWalk) async throws -> Void) async throws {
        let fake = fake
        try await LoopbackHTTPServer.with {
            fake.answer($0)
        } _: { server in
            let client = StripeClient(
                settings: try StripeSettings(base: server.url), key: { Redacted("sk_test_fake") }, clock: clock,
                time: StripeClientTests.EagerClock(), random: SeededRandom(seed: 1),
                breaker: CircuitBreaker(threshold: 100), logger: Self.logger,
                metricsFactory: NOOPMetricsHandler.instance)
            let walk = AccountWalk(
                billing: billing,
                meter: MeterReportWorker(
                    billing: billing, provider: client, event: "use", logger: Self.logger,
                    metricsFactory: NOOPMetricsHandler.instance),
                reader: ProviderReadWorker(
                    billing: billing, events: events, provider: client, random: SeededRandom(seed: 2),
                    logger: Self.logger), logger: Self.logger, metricsFactory: NOOPMetricsHandler.instance)
            try await body(walk)
        }
    }

    private func subscription(from start: Timestamp, days: Int64) -> JSONValue {
        [
            "id": "sub_1", "customer": "cus_1", "status": "active", "created": .int(start.seconds),
            "cancel_at_period_end": false,
            "items": [
                "data": [
                    [
                        "id": "si_1", "price": ["id": .string(Self.proPrice)],
                        "current_period_start": .int(start.seconds),
                        "current_period_end": .int(start.seconds + days * 86_400),
                    ]
                ]
            ],
        ]
    }

    private func subscribe(days: Int64) async throws {
        let now = clock.now()
        var event = ProviderEvent(id: "evt_1", type: "customer.subscription.created", created: now)
        event.account = "acme"
        event.isOwn = true
        event.customer = "cus_1"
        event.subscription = "sub_1"
        event.status = "active"
        event.prices = [Self.proPrice]
        event.periodStart = now
        event.periodEnd = now.adding(seconds: days * 86_400)
        _ = try await events.take(event)
    }

    @Test func meteredUseIsCountedOnceWhateverFails() async throws {
        try await subscribe(days: 30)
        let period = clock.now()
        _ = try await billing.recordTokenUsage(
            account: "acme", model: "gpt-4o-mini", counts: TokenCounts(input: 1_000_000), at: clock.now(), key: "1")
        try await with { walk in
            fake.failing([StripeFake.error(500), StripeFake.error(500), StripeFake.error(500), StripeFake.error(500)])
            try await walk.round()
            #expect(fake.known.effects.isEmpty)
            _ = try await billing.recordTokenUsage(
                account: "acme", model: "gpt-4o-mini", counts: TokenCounts(input: 1_000_000), at: clock.now(),
                key: "2")
            try await walk.round()
            try await walk.round()
        }
        // The first fifteen cents, as they were written; the others come with the next hour.
        #expect(fake.known.effects.map(\.path) == ["/v1/billing/meter_events"])
        #expect(
            fake.known.effects.first?.form == [
                "event_name": "use", "payload[stripe_customer_id]": "cus_1", "payload[value]": "15",
                "identifier": "acme:\(period.seconds):1",
            ])
    }

    @Test func whatStripeDidNotTellIsRead() async throws {
        try await subscribe(days: 30)
        clock.advance(seconds: 33 * 86_400)
        let start = clock.now().adding(seconds: -3 * 86_400)
        fake.change { $0.subscriptions["sub_1"] = subscription(from: start, days: 31) }
        #expect(try await billing.view("acme").standing.period.end <= clock.now())
        try await with { try await $0.round() }
        let view = try await billing.view("acme")
        #expect(view.standing.plan.name == "pro" && view.standing.state == .active)
        #expect(view.standing.period == BillingPeriod(start: start, end: start.adding(seconds: 31 * 86_400)))
        #expect(view.isProviderSynced(terms: billing.terms))
    }
}
