// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import Logging
internal import Metrics
internal import Synchronization
internal import TestSupport
internal import Testing

@Suite struct BudgetReceiverTests {
    /// Answers what a test says and keeps what it was given.
    private final class Sender: WebhookSending {
        struct Sent: Sendable {
            var body: String
            var headers: WebhookHeaders
            var url: String
        }

        private let state = Mutex<(sent: [Sent], status: Int)>(([], 200))

        var sent: [Sent] { state.withLock(\.sent) }

        func answers(_ status: Int) { state.withLock { $0.status = status } }

        func check(_ url: String) throws(Refusal) {}

        func send(_ body: [UInt8], headers: WebhookHeaders, to url: String) async -> WebhookAnswer {
            state.withLock { state in
                state.sent.append(Sent(body: String(decoding: body, as: UTF8.self), headers: headers, url: url))
                return .status(state.status, retryAfterSeconds: nil)
            }
        }
    }

    private static let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
    private let clock = ManualClock()
    private let ledger = MemoryBillingLedger()
    private let sender = Sender()
    private let billing: BillingService

    init() throws {
        let prices = try PriceList.read(YAMLText.json(BuiltInPrices.pricesYAML))
        billing = BillingService(
            ledger: ledger, plans: PlanBook(try Catalogues.terms("plans.yaml").catalogue), prices: PriceBook(prices),
            clock: clock, metricsFactory: NOOPMetricsHandler.instance,
            outbox: { event, message, transaction in
                guard let account = try transaction.account()?.account else { return }
                try WebhookOutbox.add(
                    event, message: message, account: account, random: SeededRandom(seed: 8), in: transaction)
            })
    }

    private var worker: WebhookDeliveryWorker {
        WebhookDeliveryWorker(
            ledger: ledger, sender: sender, clock: clock, random: SeededRandom(seed: 9), logger: Self.logger,
            metricsFactory: NOOPMetricsHandler.instance)
    }

    private var endpoints: WebhookEndpointService {
        WebhookEndpointService(
            ledger: ledger, sender: sender, clock: clock, random: SeededRandom(seed: 4), logger: Self.logger)
    }

    private static func budget(
        soft: Int64? = nil, onSoft: Budget.SoftAction = .alertAndWebhook, hard: Int64? = nil,
        url: String? = "https://hook.example/b"
    ) -> Budget {
        Budget(
            name: "team", scope: .tenant, period: .daily, softLimitMicroUSD: soft, hardLimitMicroUSD: hard,
            actionOnSoft: onSoft, actionOnHard: .alert, webhookURL: url)
    }

    private func put(_ budget: Budget, isNew: Bool = true) async throws -> BudgetAnswer {
        try await billing.put(budget, isNew: isNew, account: "acme", actor: "test", random: SeededRandom(seed: 2))
    }

    /// Uses so many micro-dollars.
    private func use(_ microUSD: Int64, _ id: String) async throws {
        _ = try await billing.recordTokenUsage(
            account: "acme", model: "gpt-4o-mini", counts: TokenCounts(input: microUSD * 20 / 3), at: clock.now(),
            key: id)
    }

    @Test func theSoftLimitIsToldToTheBudgetsOwnAddressSigned() async throws {
        let secret = try #require(try await put(Self.budget(soft: 30)).secret)
        try await use(27, "1")
        _ = try await worker.round()
        #expect(sender.sent.isEmpty)
        try await use(3, "2")
        _ = try await worker.round()
        let sent = try #require(sender.sent.first)
        #expect(sender.sent.count == 1 && sent.url == "https://hook.example/b")
        let body = try JSONParser.parse(text: sent.body)
        #expect(body["type"] == "billing.alert" && body["data"]?["reason"] == "soft_limit_reached")
        #expect(body["data"]?["budget"] == "team")
        #expect(
            sent.headers
                == WebhookHeaders(
                    id: sent.headers.id, body: Array(sent.body.utf8), secrets: [secret], at: clock.now()))
        let rows = try await endpoints.deliveries(of: "budget:team", account: "acme")
        #expect(rows.map(\.state) == ["delivered"])
    }

    @Test func withoutTheActionTheAddressIsNotTold() async throws {
        _ = try await put(Self.budget(soft: 3, onSoft: .alert))
        try await use(30, "1")
        _ = try await worker.round()
        #expect(sender.sent.isEmpty)
    }

    @Test func endpointsOfTheAccountAreToldBeside() async throws {
        _ = try await endpoints.create(["url": "https://all.example", "types": ["billing.alert"]], for: "acme")
        _ = try await put(Self.budget(soft: 3))
        try await use(30, "1")
        _ = try await worker.round()
        #expect(Set(sender.sent.map(\.url)) == ["https://all.example", "https://hook.example/b"])
        #expect(Set(sender.sent.map(\.headers.id)).count == 1)
        #expect(Set(sender.sent.map(\.headers.signature)).count == 2)
    }

    @Test func whatFailsIsTriedAgainAndGoneDisables() async throws {
        _ = try await put(Self.budget(soft: 3, hard: 60))
        sender.answers(500)
        try await use(30, "1")
        _ = try await worker.round()
        #expect(try await endpoints.deliveries(of: "budget:team", account: "acme").map(\.state) == ["waiting"])
        sender.answers(410)
        clock.advance(seconds: 7)
        _ = try await worker.round()
        #expect(sender.sent.count == 2)
        // The hard limit is not told any more: nobody wants it.
        try await use(60, "2")
        _ = try await worker.round()
        #expect(sender.sent.count == 2)
        #expect(try await put(Self.budget(soft: 3, hard: 60), isNew: false).secret == nil)
        #expect(try await endpoints.endpoint("budget:team", of: "acme").disabledBecause == nil)
    }

    @Test func withTheBudgetGoesItsAddress() async throws {
        _ = try await put(Self.budget(soft: 3))
        try await use(30, "1")
        try await billing.removeBudget("team", account: "acme", actor: "test")
        _ = try await worker.round()
        #expect(sender.sent.isEmpty)
        await expectRefusal(.billingNotFound) { _ = try await endpoints.endpoint("budget:team", of: "acme") }
        _ = try await put(Self.budget(soft: 3))
        _ = try await put(Self.budget(soft: 3, url: nil), isNew: false)
        await expectRefusal(.billingNotFound) { _ = try await endpoints.endpoint("budget:team", of: "acme") }
    }

    @Test func theBudgetOfAnObjectGetsItsSecretWhenItIsFirstTold() async throws {
        let spec = StatedSubscription(uid: "uid", plan: "pro", anchor: clock.now())
        _ = try await billing.apply(
            SubscriptionOrder(spec: spec, budgets: [Self.budget(soft: 3)]), account: "acme")
        try await use(30, "1")
        _ = try await worker.round()
        #expect(sender.sent.map(\.url) == ["https://hook.example/b"])
        // Its owner gets to know one by rotating it.
        let rotated = try await endpoints.rotate("budget:team", of: "acme")
        #expect(rotated.shownOnce["secret"]?.stringValue?.hasPrefix("whsec_") == true)
    }
}
