// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import HTTPService
internal import Synchronization
internal import TestSupport

/// A ledger in memory whose store can be taken away.
final class BreakableLedger: BillingLedger {
    private let kept = MemoryBillingLedger()
    private let away = Mutex(false)

    var isAway: Bool {
        get { away.withLock { $0 } }
        set { away.withLock { $0 = newValue } }
    }

    private func check() throws { if isAway { throw BillingStoreError(.unavailable, "away") } }

    func transact<Value: Sendable>(
        _ account: String, _ body: @escaping @Sendable (any BillingTransaction) throws -> Value
    ) async throws -> Value {
        try check()
        return try await kept.transact(account, body)
    }

    func read<Value: Sendable>(
        _ account: String, _ body: @escaping @Sendable (any BillingReader) throws -> Value
    ) async throws -> Value {
        try check()
        return try await kept.read(account, body)
    }

    func dueAccounts(at now: Timestamp, limit: Int) async throws -> [String] {
        try await kept.dueAccounts(at: now, limit: limit)
    }

    func accountsWithEndedReservations(at now: Timestamp, limit: Int) async throws -> [String] {
        try await kept.accountsWithEndedReservations(at: now, limit: limit)
    }

    func accounts(after: String?, limit: Int) async throws -> [AccountRow] {
        try check()
        return try await kept.accounts(after: after, limit: limit)
    }

    func accountVersions(after: String?, limit: Int) async throws -> [AccountVersion] {
        try check()
        return try await kept.accountVersions(after: after, limit: limit)
    }

    func account(ofCustomer customer: String) async throws -> String? {
        try check()
        return try await kept.account(ofCustomer: customer)
    }

    func claim(_ event: ProviderEventRow, at now: Timestamp) async throws -> ProviderEventClaim {
        try check()
        return try await kept.claim(event, at: now)
    }

    func finish(_ event: ProviderEventRow) async throws { try await kept.finish(event) }

    func dueProviderEvents(at now: Timestamp, limit: Int) async throws -> [ProviderEventRow] {
        try await kept.dueProviderEvents(at: now, limit: limit)
    }

    func providerEvents(_ state: ProviderEventRow.State, limit: Int) async throws -> [ProviderEventRow] {
        try check()
        return try await kept.providerEvents(state, limit: limit)
    }

    func parkedEvents(ofCustomer customer: String, limit: Int) async throws -> [ProviderEventRow] {
        try await kept.parkedEvents(ofCustomer: customer, limit: limit)
    }

    func dueDeliveries(at now: Timestamp, leaseUntil: Timestamp, limit: Int) async throws -> [DeliveryRow] {
        try await kept.dueDeliveries(at: now, leaseUntil: leaseUntil, limit: limit)
    }

    func update(_ delivery: DeliveryRow) async throws { try await kept.update(delivery) }

    func addPending(_ usage: [PendingUsageRow]) async throws -> [String: String] {
        try await kept.addPending(usage)
    }

    func takePending(at now: Timestamp, leaseUntil: Timestamp, limit: Int) async throws -> [PendingUsageRow] {
        try await kept.takePending(at: now, leaseUntil: leaseUntil, limit: limit)
    }

    func takePending(id: String, at now: Timestamp, leaseUntil: Timestamp) async throws -> PendingUsageRow? {
        try await kept.takePending(id: id, at: now, leaseUntil: leaseUntil)
    }

    func pendingUsage() async throws -> (count: Int64, oldest: Timestamp?) { try await kept.pendingUsage() }

    func prune(_ limits: BillingRetention, limit: Int) async throws -> Bool {
        try await kept.prune(limits, limit: limit)
    }

    func openReservations() async throws -> Int64 { try await kept.openReservations() }

    func installationDocument(_ name: String) async throws -> String? {
        try check()
        return try await kept.installationDocument(name)
    }

    func putInstallationDocuments(_ documents: [(name: String, document: String)]) async throws {
        try check()
        try await kept.putInstallationDocuments(documents)
    }
}

/// Sends nothing; addresses of this machine are none that may be called.
struct FakeSender: WebhookSending {
    func check(_ url: String) throws(Refusal) {
        if url.contains("127.0.0.1") { throw Refusal(.requestInvalid, details: ["field": "url"]) }
    }

    func send(_ body: [UInt8], headers: WebhookHeaders, to url: String) async -> WebhookAnswer {
        .unreachable("nothing is sent")
    }
}

/// Puts a list in force.
final class KeptPrices: PriceKeeping {
    private let book: PriceBook

    init(_ book: PriceBook) { self.book = book }

    func put(_ prices: PriceList, document: JSONValue) async throws(Refusal) { replace(prices) }

    func replace(_ prices: PriceList) { book.replace(prices) }
}

/// A payment provider that answers what a test tells it and remembers what it was asked.
final class FakeProvider: PaymentProvider {
    struct State: Sendable {
        var calls: [String] = []
        var payment: ProviderPayment?
        var session: ProviderSession?
        var status = "active"
        var price = "price_1SoawKE8yr4fu4JjkHQA2Y2c"
        var cancelAtPeriodEnd = false
        var isAway = false
    }

    private let state = Mutex(State())

    var calls: [String] { state.withLock { $0.calls } }

    func set(_ body: (inout State) -> Void) { state.withLock { body(&$0) } }

    private func note(_ call: String) throws(Refusal) {
        let isAway = state.withLock { state in
            state.calls.append(call)
            return state.isAway
        }
        if isAway { throw Refusal(.stripeUpstreamError) }
    }

    func createCustomer(account: String, wish: String) async throws(Refusal) -> ProviderCustomer {
        try note("createCustomer \(account) \(wish)")
        return ProviderCustomer(id: "cus_\(account)", hasPaymentMethod: false)
    }

    func customer(_ id: String) async throws(Refusal) -> ProviderCustomer {
        try note("customer \(id)")
        return ProviderCustomer(id: id, hasPaymentMethod: true)
    }

    func createCheckout(_ checkout: CheckoutRequest, wish: String) async throws(Refusal) -> String {
        try note("createCheckout \(checkout.account) \(checkout.customer ?? "-") \(checkout.goods) \(wish)")
        return "https://pay.example.com/c"
    }

    func createPortal(
        account: String, customer: String, returnURL: String, wish: String
    ) async throws(Refusal) -> String {
        try note("createPortal \(customer) \(returnURL) \(wish)")
        return "https://pay.example.com/p"
    }

    private func read(_ id: String) -> ProviderSubscription {
        let state = self.state.withLock { $0 }
        var fact = ProviderEvent(
            id: "read:\(id)", type: "customer.subscription.updated", created: Timestamp(seconds: 0))
        fact.subscription = id
        fact.customer = "cus_acme"
        fact.status = state.status
        fact.prices = [state.price]
        fact.cancelAtPeriodEnd = state.cancelAtPeriodEnd
        fact.periodStart = Timestamp(seconds: 1_772_323_200)
        fact.periodEnd = Timestamp(seconds: 1_775_001_600)
        return ProviderSubscription(fact: fact, items: ["si_1"])
    }

    func subscription(_ id: String) async throws(Refusal) -> ProviderSubscription {
        try note("subscription \(id)")
        return read(id)
    }

    func cancel(
        _ subscription: String, atPeriodEnd: Bool, account: String, wish: String
    ) async throws(Refusal) -> ProviderSubscription {
        try note("cancel \(subscription) \(atPeriodEnd) \(wish)")
        set { state in
            if atPeriodEnd { state.cancelAtPeriodEnd = true } else { state.status = "canceled" }
        }
        return read(subscription)
    }

    func change(
        _ subscription: String, item: String, price: String, account: String, wish: String
    ) async throws(Refusal) -> ProviderSubscription {
        try note("change \(subscription) \(item) \(price) \(wish)")
        set { $0.price = price }
        return read(subscription)
    }

    func invoices(customer: String, limit: Int) async throws(Refusal) -> [ProviderInvoice] {
        try note("invoices \(customer) \(limit)")
        return [
            ProviderInvoice(
                id: "in_1", amountDue: 4900, amountPaid: 4900, currency: "usd",
                created: Timestamp(seconds: 1_772_366_400))
        ]
    }

    func paymentIntent(_ id: String) async throws(Refusal) -> ProviderPayment {
        try note("paymentIntent \(id)")
        guard let payment = state.withLock({ $0.payment }) else { throw Refusal(.stripeUpstreamError) }
        return payment
    }

    func session(_ id: String) async throws(Refusal) -> ProviderSession {
        try note("session \(id)")
        guard let session = state.withLock({ $0.session }) else { throw Refusal(.stripeUpstreamError) }
        return session
    }

    func price(_ id: String) async throws(Refusal) -> ProviderPrice? { nil }

    func report(_ report: MeterReport, event: String, customer: String) async throws(Refusal) {
        try note("report \(event)")
    }
}
