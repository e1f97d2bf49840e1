// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import ControllerRuntime
internal import Essentials
internal import Metrics
internal import Reconcilers
internal import ResourceModel
internal import Synchronization
internal import TestSupport
internal import Testing

/// A ledger in memory that can be taken away, and counts what it is handed.
final class FlakyAccountLedger: AccountLedger {
    let service: BillingService
    private let state = Mutex((isAway: false, kept: 0, read: 0, withdrawn: 0, parked: Set<String>()))

    init(_ service: BillingService) { self.service = service }

    var directory: AccountDirectory { service.directory }
    var terms: BillingTerms { service.terms }
    var kept: Int { state.withLock { $0.kept } }
    var read: Int { state.withLock { $0.read } }
    var withdrawn: Int { state.withLock { $0.withdrawn } }

    func goAway(_ isAway: Bool) { state.withLock { $0.isAway = isAway } }
    func park(_ account: String) { state.withLock { _ = $0.parked.insert(account) } }

    private func count(
        _ note: (inout (isAway: Bool, kept: Int, read: Int, withdrawn: Int, parked: Set<String>)) -> Void
    )
        throws(Refusal)
    {
        let isAway = state.withLock { state in
            note(&state)
            return state.isAway
        }
        if isAway { throw Refusal(.billingUnavailable) }
    }

    func keep(_ order: SubscriptionOrder, account: String) async throws(Refusal) -> AccountFacts {
        try count { $0.kept += 1 }
        return try await service.keep(order, account: account)
    }

    func withdraw(_ uid: String, account: String) async throws(Refusal) {
        try count { $0.withdrawn += 1 }
        try await service.withdraw(uid, account: account)
    }

    func facts(_ account: String) async throws(Refusal) -> AccountFacts {
        try count { $0.read += 1 }
        return try await service.facts(account)
    }

    func accountsWithParkedEvents() async throws(Refusal) -> Set<String> { state.withLock { $0.parked } }
}

/// Objects, the ledger and what stands between them, with a clock that stands still.
struct AccountWorld {
    let clock = ManualClock()
    let ledger = MemoryBillingLedger()
    let plans: PlanBook
    let service: BillingService
    let flaky: FlakyAccountLedger
    let accounts: SubscriptionAccounts
    let compiler: SubscriptionCompiler
    private let earlier = Statuses()

    /// What the last pass said of every object.
    private final class Statuses: Sendable {
        let kept = Mutex<[ObjectKey: JSONValue]>([:])
    }

    init() throws {
        plans = PlanBook(try PlanCatalogue.read(YAMLText.json(BuiltInPlans.plansYAML)))
        service = BillingService(
            ledger: ledger, plans: plans,
            prices: PriceBook(try PriceList.read(YAMLText.json(BuiltInPrices.pricesYAML))),
            clock: clock, metricsFactory: NOOPMetricsHandler.instance)
        flaky = FlakyAccountLedger(service)
        accounts = SubscriptionAccounts(ledger: flaky, clock: clock)
        compiler = SubscriptionCompiler(
            plans: plans, namespaces: NamespaceRules(platform: ["default"], tenants: ["acme": "acme-corp"]),
            accounts: accounts)
    }

    static func key(_ name: String, _ namespace: String = "default") -> ObjectKey {
        ObjectKey(kind: .subscription, namespace: namespace, name: name)
    }

    /// One pass of a compiler: what the objects come to, and nothing of the ledger's.
    @discardableResult func pass(_ inputs: [CompilerInput]) -> SubscriptionCompiler.Output {
        let now = clock.now()
        var output = compiler.compile(inputs, earlier: earlier.kept.withLock { $0 }, now: now)
        compiler.want(output.orders)
        for key in output.statuses.keys { output.statuses[key]?.sumUp() }
        earlier.kept.withLock { kept in
            for (key, status) in output.statuses {
                kept[key] = StatusDocument.make(status, generation: 1, previous: kept[key], now: now)
            }
        }
        return output
    }

    /// Passes and work on the objects that they name, until nothing is named any more.
    @discardableResult func settle(_ inputs: [CompilerInput], isResync: Bool = true) async
        -> SubscriptionCompiler.Output
    {
        for _ in 0..<5 {
            pass(inputs)
            let named = accounts.needingLook(isResync: isResync)
            if named.isEmpty { break }
            for key in named { _ = await accounts.reconcile(key) }
        }
        return pass(inputs)
    }

    /// What a subscription of the provider says of an account, as the fold of its events does.
    func provider(
        _ account: String, state: SubscriptionState = .active, plan: String? = "pro", isPlanKnown: Bool = true,
        isStatusKnown: Bool = true, subscription: String = "sub_1", pastDueSince: Timestamp? = nil,
        others: [ProviderStanding] = []
    ) async throws {
        let standing = standing(
            state, plan: plan, isPlanKnown: isPlanKnown, isStatusKnown: isStatusKnown, subscription: subscription,
            pastDueSince: pastDueSince)
        _ = try await service.apply(standing, others: others, account: account)
    }

    func standing(
        _ state: SubscriptionState, plan: String? = "pro", isPlanKnown: Bool = true, isStatusKnown: Bool = true,
        subscription: String = "sub_1", pastDueSince: Timestamp? = nil
    ) -> ProviderStanding {
        let now = clock.now()
        return ProviderStanding(
            subscription: subscription, state: state, boughtPlan: plan, isPlanKnown: isPlanKnown,
            isStatusKnown: isStatusKnown, periodStart: now.adding(seconds: -86_400),
            periodEnd: now.adding(seconds: 29 * 86_400), pastDueSince: pastDueSince, lastEventID: "evt_1",
            lastEventType: "customer.subscription.updated", lastEventCreated: now)
    }

    func available(_ account: String) async throws -> Int64 { try await service.view(account).availableMicroCredits }
}
