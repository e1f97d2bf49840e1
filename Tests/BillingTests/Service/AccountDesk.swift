// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import Metrics
internal import Synchronization
internal import TestSupport
internal import Testing

/// A service over a ledger in memory, with a clock that stands still.
final class AccountDesk: Sendable {
    let clock = ManualClock()
    let ledger = MemoryBillingLedger()
    let service: BillingService
    let told: Told

    /// What went out.
    final class Told: Sendable {
        private let events = Mutex<[AccountEvent]>([])

        func add(_ event: AccountEvent) { events.withLock { $0.append(event) } }

        func count(_ kind: AccountEvent.Kind) -> Int { events.withLock { $0.count { $0.kind == kind } } }
    }

    init(
        settings: BillingSettings = BillingSettings(), metrics: any MetricsFactory = NOOPMetricsHandler.instance
    ) throws {
        let catalogue = try Catalogues.terms("plans.yaml").catalogue
        let prices = try PriceList.read(YAMLText.json(BuiltInPrices.pricesYAML))
        let told = Told()
        self.told = told
        service = BillingService(
            ledger: ledger, plans: PlanBook(catalogue), prices: PriceBook(prices), settings: settings, clock: clock,
            metricsFactory: metrics, outbox: { event, _, _ in told.add(event) })
    }

    /// An account without a pool, with so many micro-credits.
    func open(_ account: String, microCredits: Int64, plan: String = "enterprise") async throws {
        let spec = StatedSubscription(uid: "uid", plan: plan, anchor: clock.now(), overrides: ["credits": 0])
        _ = try await service.apply(SubscriptionOrder(spec: spec), account: account)
        guard microCredits > 0 else { return }
        let order = GrantOrder(key: "opening", microCredits: microCredits, source: .purchase, reason: "test")
        _ = try await service.grant(order, account: account, actor: "test")
    }

    func reserve(_ account: String, _ microCredits: Int64, key: String) async throws -> ReservationAnswer {
        try await service.reserve(ReservationRequest(key: key, amount: .microCredits(microCredits)), account: account)
    }

    /// Every entry, the oldest first.
    func entries(_ account: String) async throws -> [LedgerEntry] {
        try await ledger.read(account) { try $0.entries(before: nil, limit: 100_000).reversed() }
    }

    func event(
        _ id: String, _ account: String, input: Int64, at instant: Timestamp? = nil, model: String = "gpt-4o-mini",
        reservation: String? = nil, digest: String? = nil
    ) -> UsageCandidate {
        let event = UsageEvent(
            source: "gw", id: id, digest: digest ?? "\(input)", account: account, at: instant ?? clock.now(),
            content: .tokens(TokenCounts(input: input), model: model, provider: nil), reservation: reservation)
        return UsageCandidate(event)
    }
}

/// Expects a refusal by its code.
func expectRefusal(
    _ code: ErrorCode, _ body: () async throws -> Void, sourceLocation: SourceLocation = #_sourceLocation
) async {
    do {
        try await body()
        Issue.record("not refused: \(code.rawValue)", sourceLocation: sourceLocation)
    } catch {
        #expect((error as? Refusal)?.code == code, sourceLocation: sourceLocation)
    }
}

/// Counts what it is told.
final class Counter: Sendable {
    private let state = Mutex(0)

    var count: Int { state.withLock { $0 } }

    func add() { state.withLock { $0 += 1 } }
}
