// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Billing
internal import Essentials
internal import HTTPService
internal import HTTPTypes
internal import Logging
internal import Metrics
internal import Pipeline
internal import TestSupport

/// The billing endpoints over the real engine and a ledger in memory, asked by callers of several tenants.
struct BillingGate: Sendable {
    let ledger = BreakableLedger()
    let clock: ManualClock
    let billing: BillingService
    let provider: FakeProvider
    let prices: KeptPrices
    let gate: Gate

    static let webhookSecret = "whsec_test"
    private static let callerHeader = "x-test-caller"

    init(mode: BillingRouteSettings.Mode = .direct, hasProvider: Bool = true, keepsPrices: Bool = true) throws {
        let catalogue = try PlanCatalogue.read(YAMLText.json(BuiltInPlans.plansYAML))
        let list = try PriceList.read(YAMLText.json(BuiltInPrices.pricesYAML), tiers: catalogue.modelTiers)
        let (plans, priceBook, clock) = (PlanBook(catalogue), PriceBook(list), ManualClock())
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        let billing = BillingService(
            ledger: ledger, plans: plans, prices: priceBook, clock: clock,
            metricsFactory: NOOPMetricsHandler.instance)
        let events = ProviderEventService(
            ledger: ledger, effects: AccountEffects(terms: { billing.terms }), plans: plans,
            secrets: { ProviderSecrets(webhookSecrets: Redacted([BillingGate.webhookSecret])) }, clock: clock,
            logger: logger, metricsFactory: NOOPMetricsHandler.instance)
        let endpoints = WebhookEndpointService(
            ledger: ledger, sender: FakeSender(), clock: clock, random: SeededRandom(seed: 3), logger: logger)
        self.billing = billing
        self.clock = clock
        provider = FakeProvider()
        prices = KeptPrices(priceBook)
        let services = BillingServices(
            billing: billing, events: events, endpoints: endpoints, provider: hasProvider ? provider : nil,
            prices: keepsPrices ? prices : nil,
            settings: BillingRouteSettings(mode: mode, redirectHosts: ["app.example.com"]), clock: clock)
        gate = Gate(decider: FakeDecider(admit: { Self.admit($0) }), modules: [BillingRoutes(services)])
    }

    /// `subject@tenant`; a `+` in front makes a platform admin, a `~` a principal of the platform that is no admin.
    private static func admit(_ request: OwnRequest) -> OwnAdmission {
        var name = Substring(request.headers.first(callerHeader) ?? "olga@acme")
        let isAdmin = name.hasPrefix("+")
        let isPlatform = isAdmin || name.hasPrefix("~")
        if isPlatform { name.removeFirst() }
        let parts = name.split(separator: "@")
        let principal = Principal(
            subject: String(parts[0]), identityType: .user, authSource: .jwt, platform: isPlatform,
            tenantID: parts.count > 1 ? String(parts[1]) : nil)
        let path = String(request.target.prefix { $0 != "?" })
        return .allowed(
            OwnCaller(
                principal: principal, admin: isAdmin, action: "test.action", route: "\(request.method) \(path)",
                canonicalPath: path, holds: { isAdmin || !$0.hasPrefix("admin:") }))
    }

    func send(
        _ method: HTTPRequest.Method, _ target: String, _ body: String? = nil, as caller: String = "olga@acme",
        _ headers: [(String, String)] = []
    ) async throws -> Reply {
        try await gate.send(method, target, [(Self.callerHeader, caller)] + headers, body: body)
    }

    /// Puts an account on a plan without a pool, with so many micro-credits.
    func open(_ account: String = "acme", microCredits: Int64, plan: String = "enterprise") async throws {
        let spec = StatedSubscription(uid: "uid", plan: plan, anchor: clock.now(), overrides: ["credits": 0])
        _ = try await billing.apply(SubscriptionOrder(spec: spec), account: account)
        guard microCredits > 0 else { return }
        let order = GrantOrder(key: "opening", microCredits: microCredits, source: .purchase, reason: "test")
        _ = try await billing.grant(order, account: account, actor: "test")
    }

    /// The id of a new reservation.
    func reserved(_ microCredits: Int64, key: String = "r1", as caller: String = "olga@acme") async throws -> String {
        let body = #"{"key":"\#(key)","micro_credits":\#(microCredits)}"#
        return try await send(.post, "/v1/billing/reservations", body, as: caller).json["id"]?.stringValue ?? "none"
    }
}

extension Reply {
    /// `status code: message`
    var told: String { "\(status) \(code ?? ""): \(message ?? "")" }

    /// The fields that `request.invalid` names.
    var fields: [String] {
        json["details"]?["fields"]?.arrayValue?.compactMap { $0["field"]?.stringValue } ?? []
    }
}
