// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import Logging
internal import Metrics
internal import Synchronization
internal import TestSupport

/// Accounts whose subscriptions are the provider's, over a ledger in memory, with a provider that does what a test says.
final class ProviderDesk: Sendable {
    static let proPrice = "price_1SoawKE8yr4fu4JjkHQA2Y2c"
    static let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    let desk: AccountDesk
    let provider = ScriptedProvider()
    let events: ProviderEventService

    var clock: ManualClock { desk.clock }

    init() throws {
        let desk = try AccountDesk()
        self.desk = desk
        events = ProviderEventService(
            ledger: desk.ledger, effects: AccountEffects(terms: { desk.service.terms }), plans: desk.service.plans,
            secrets: { ProviderSecrets(webhookSecrets: Redacted([])) }, clock: desk.clock, logger: Self.logger,
            metricsFactory: NOOPMetricsHandler.instance)
    }

    /// A subscription of the pro plan for that many days from now.
    func subscribe(_ account: String, _ subscription: String = "sub_1", days: Int64 = 30) async throws {
        let now = clock.now()
        _ = try await events.take(
            ProviderDesk.event(
                "evt_\(account)_\(subscription)_\(now.seconds)", account, subscription, at: now,
                end: now.adding(seconds: days * 86_400)))
    }

    static func event(
        _ id: String, _ account: String, _ subscription: String, status: String = "active", at now: Timestamp,
        end: Timestamp
    ) -> ProviderEvent {
        var event = ProviderEvent(
            id: id, type: "customer.subscription.updated", created: Timestamp(seconds: now.seconds))
        event.account = account
        event.isOwn = true
        event.customer = "cus_\(account)"
        event.subscription = subscription
        event.status = status
        event.prices = [proPrice]
        event.periodStart = now
        event.periodEnd = end
        return event
    }

    /// Uses so many micro-dollars: one token of input of gpt-4o-mini is 0.15.
    func use(_ account: String, microUSD: Int64, id: String) async throws {
        _ = try await desk.service.record(
            [desk.event(id, account, input: microUSD * 20 / 3)], account: account)
    }

    func walk(
        meter: MeterReportWorker? = nil, reader: ProviderReadWorker? = nil,
        metrics: any MetricsFactory = NOOPMetricsHandler.instance
    ) -> AccountWalk {
        AccountWalk(
            billing: desk.service, meter: meter, reader: reader, logger: Self.logger, metricsFactory: metrics)
    }
}

/// A provider that answers what a test tells it and remembers what it was asked.
final class ScriptedProvider: PaymentProvider {
    struct State: Sendable {
        var reports: [(identifier: String, value: Int64, customer: String, event: String)] = []
        var reads: [String] = []
        /// What is read of subscriptions: `status` and the end of the period.
        var subscriptions: [String: (status: String, start: Timestamp, end: Timestamp)] = [:]
        var prices: [String: ProviderPrice] = [:]
        var isAway = false
        /// Takes reports, and the answer is lost.
        var losesAnswers = false
    }

    private let state = Mutex(State())

    var known: State { state.withLock { $0 } }

    func set(_ body: (inout State) -> Void) { state.withLock { body(&$0) } }

    /// Cents that the meter has counted: each identifier once.
    var counted: Int64 {
        Dictionary(known.reports.map { ($0.identifier, $0.value) }) { first, _ in first }.values.reduce(0, +)
    }

    private static var unused: Refusal { Refusal(.stripeUpstreamError, message: "not asked in this test") }
    private static var away: Refusal { Refusal(.stripeUpstreamError, message: "away") }

    func report(_ report: MeterReport, event: String, customer: String) async throws(Refusal) {
        let fails = state.withLock { state in
            guard !state.isAway else { return true }
            state.reports.append((report.identifier, report.value, customer, event))
            return state.losesAnswers
        }
        if fails { throw Self.away }
    }

    func subscription(_ id: String) async throws(Refusal) -> ProviderSubscription {
        let found = state.withLock { state in
            state.reads.append(id)
            return state.isAway ? nil : state.subscriptions[id]
        }
        guard let found else { throw Self.away }
        var fact = ProviderEvent(
            id: "read:\(id)", type: "customer.subscription.updated", created: Timestamp(seconds: 0))
        fact.subscription = id
        fact.status = found.status
        fact.prices = [ProviderDesk.proPrice]
        fact.periodStart = found.start
        fact.periodEnd = found.end
        return ProviderSubscription(fact: fact, items: ["si_1"])
    }

    func price(_ id: String) async throws(Refusal) -> ProviderPrice? {
        let (isAway, price) = state.withLock { ($0.isAway, $0.prices[id]) }
        if isAway { throw Self.away }
        return price
    }

    func createCustomer(account: String, wish: String) async throws(Refusal) -> ProviderCustomer { throw Self.unused }
    func customer(_ id: String) async throws(Refusal) -> ProviderCustomer { throw Self.unused }
    func createCheckout(_ checkout: CheckoutRequest, wish: String) async throws(Refusal) -> String {
        throw Self.unused
    }
    func createPortal(
        account: String, customer: String, returnURL: String, wish: String
    ) async throws(Refusal) -> String { throw Self.unused }
    func cancel(
        _ subscription: String, atPeriodEnd: Bool, account: String, wish: String
    ) async throws(Refusal) -> ProviderSubscription { throw Self.unused }
    func change(
        _ subscription: String, item: String, price: String, account: String, wish: String
    ) async throws(Refusal) -> ProviderSubscription { throw Self.unused }
    func invoices(customer: String, limit: Int) async throws(Refusal) -> [ProviderInvoice] { throw Self.unused }
    func paymentIntent(_ id: String) async throws(Refusal) -> ProviderPayment { throw Self.unused }
    func session(_ id: String) async throws(Refusal) -> ProviderSession { throw Self.unused }
}
