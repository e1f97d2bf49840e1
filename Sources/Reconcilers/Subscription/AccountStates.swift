// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials

/// The table of accounts while it is worked out: what objects say, with what the ledger knows of the payment provider.
struct AccountStates {
    /// How an account stands by its object and what is known without asking the ledger.
    struct Stated {
        var state: SubscriptionState
        var plan: String
        var boughtPlan: String?
    }

    /// What the ledger knows of accounts.
    let known: [String: KnownAccount]
    var terms: BillingTerms
    let now: Timestamp
    private(set) var states: [String: AccountState] = [:]
    /// When time alone changes one of them next; nil = never.
    private(set) var dueAt: Timestamp?
    private var held: Set<String> = []

    init(known: [String: KnownAccount], terms: BillingTerms, now: Timestamp) {
        self.known = known
        self.terms = terms
        self.now = now
    }

    /// Takes up an account for which an object speaks.
    ///
    /// - Parameter earlier: `status` of the last pass.
    mutating func add(_ order: SubscriptionOrder, account: String, earlier: JSONValue?) -> Stated {
        held.insert(account)
        var spec = order.spec
        // A plan that nobody knows takes nothing away that the provider has sold.
        if spec.plan.flatMap(terms.catalogue.plan) == nil, let before = known[account], !before.providers.isEmpty,
            before.spec?.source != .manual
        {
            spec.source = .stripe
        }
        guard spec.source == .manual else {
            let standing = take(known[account] ?? KnownAccount(), spec, account)
            return Stated(
                state: standing.state, plan: standing.plan.name, boughtPlan: standing.boughtPlan?.name)
        }
        let bought = bought(spec, known[account], earlier)
        let plan = bought ?? terms.catalogue.fallback
        states[account] = AccountState(
            plan: plan, limits: plan.limits.overridden(by: spec.overrides), isSubscribed: true,
            isSuspended: spec.isSuspended, validUntil: spec.validUntil)
        states[account]?.throttledUntil = known[account]?.throttledUntil
        wait(for: spec.validUntil)
        let isOver = spec.validUntil.map { $0 <= now } ?? false
        return Stated(
            state: isOver ? .canceled : .active, plan: isOver ? terms.catalogue.fallback.name : plan.name,
            boughtPlan: bought?.name)
    }

    /// Takes up the accounts that only the provider speaks for, and those on the fallback plan that a budget throttles.
    mutating func addAccountsWithoutObject() {
        for (account, known) in known where !held.contains(account) {
            if !known.providers.isEmpty {
                _ = take(known, nil, account)
            } else if known.throttledUntil != nil {
                let plan = terms.catalogue.fallback
                states[account] = AccountState(plan: plan, limits: plan.limits, isSubscribed: false)
                states[account]?.throttledUntil = known.throttledUntil
            }
        }
    }

    private mutating func take(_ known: KnownAccount, _ spec: StatedSubscription?, _ account: String) -> Standing {
        let standing = known.standing(spec: spec, at: now, terms: terms)
        states[account] = known.state(standing, spec: spec, terms: terms)
        states[account]?.throttledUntil = known.throttledUntil
        wait(for: standing.nextBoundary(after: now))
        return standing
    }

    private mutating func wait(for instant: Timestamp?) {
        guard let instant, instant > now else { return }
        dueAt = dueAt.map { min($0, instant) } ?? instant
    }

    /// The plan that an object names; where the catalogue does not have it, the one that the account was on before.
    private func bought(_ spec: StatedSubscription, _ known: KnownAccount?, _ earlier: JSONValue?) -> Plan? {
        let before = known?.spec?.source == .manual ? known?.spec?.plan : nil
        return [spec.plan, before, earlier?["boughtPlan"]?.stringValue].lazy
            .compactMap { $0.flatMap(terms.catalogue.plan) }.first
    }
}
