// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

extension AccountBook {
    /// Puts what a Subscription object says in force, or takes it away: then the account is on its fallback plan, and the pools of the object
    /// are void.
    ///
    /// A manual plan that the catalogue does not know leaves the account on what it had: the plan that was stated before, or what the provider
    /// says.
    ///
    /// - Parameter agents: every hired agent.
    package mutating func apply(
        _ spec: StatedSubscription?, agents: [Slot] = [], terms: BillingTerms, into changes: inout AccountChanges
    ) -> Standing {
        var spec = spec
        if let plan = spec?.plan, spec?.source == .manual, terms.catalogue.plan(plan) == nil {
            let isManual = self.spec?.source == .manual
            spec?.plan = isManual ? self.spec?.plan : nil
            if !isManual, provider != nil { spec?.source = .stripe }
        }
        // The same again changes nothing; an account that is new has nothing in force yet.
        if spec == self.spec, !periodOrigin.isEmpty { return standing(at: clock, terms: terms) }
        if let gone = self.spec, gone.uid != spec?.uid || (gone.source == .manual && spec?.source == .stripe) {
            voidPools(of: gone.uid, into: &changes)
        }
        self.spec = spec
        return realign(agents: agents, terms: terms, into: &changes)
    }

    /// Puts what the provider's events say in force; nil where they say nothing.
    ///
    /// - Parameters:
    ///   - others: how the account's other subscriptions stand; one of them is in force when time ends the first.
    ///   - agents: every hired agent.
    package mutating func apply(
        _ provider: ProviderStanding?, others: [ProviderStanding] = [], agents: [Slot] = [], terms: BillingTerms,
        into changes: inout AccountChanges
    ) -> Standing {
        if let known = self.provider, known.periodStart == nil, known.subscription == provider?.subscription,
            let start = provider?.periodStart, let end = provider?.periodEnd, start < end
        {
            movePool(of: known.subscription, to: BillingPeriod(start: start, end: end), into: &changes)
        }
        self.provider = provider
        for other in others where other.state == .canceled { voidPools(of: other.subscription, into: &changes) }
        // More than a few are over long ago; they are kept in the events.
        otherProviders = Array(others.filter { $0.state != .canceled }.prefix(8))
        return realign(agents: agents, terms: terms, into: &changes)
    }

    /// Puts a pool that was granted before the provider had named a period into the one that it names: it is the same pool.
    private mutating func movePool(of origin: String, to named: BillingPeriod, into changes: inout AccountChanges) {
        guard let pool = pools.firstIndex(where: { $0.origin == origin }) else { return }
        for index in grants.indices where grants[index].origin == origin && grants[index].state == .open {
            guard grants[index].expiresAt == pools[pool].period.end else { continue }
            grants[index].expiresAt = named.end
            changes.put(grants[index])
        }
        grants.sort { $0.precedes($1) }
        pools[pool].period = named
        if periodOrigin == origin { period = named }
        changes.isAccountChanged = true
    }

    // MARK: - Budgets

    /// Adds or changes a budget; what was spent in its window stays where scope and period do.
    ///
    /// - Throws: `request.invalid` above `Budget.maximumCount`.
    package mutating func put(_ budget: Budget, into changes: inout AccountChanges) throws(Refusal) {
        changes.isAccountChanged = true
        guard let index = budgets.firstIndex(where: { $0.budget.name == budget.name }) else {
            guard budgets.count < Budget.maximumCount else {
                throw Refusal(.requestInvalid, message: "An account has at most 100 budgets")
            }
            let window = BudgetAccount.firstWindow(budget.period, at: clock, billing: period)
            budgets.append(BudgetAccount(budget: budget, window: window))
            return
        }
        let known = budgets[index]
        if known.budget.scope == budget.scope, known.budget.match == budget.match,
            known.budget.period == budget.period
        {
            if known.budget.hardLimitMicroUSD != budget.hardLimitMicroUSD {
                budgets[index].fired = ThresholdLevels()
                budgets[index].isHardTold = false
            }
            if known.budget.softLimitMicroUSD != budget.softLimitMicroUSD { budgets[index].isSoftTold = false }
            budgets[index].budget = budget
        } else {
            let window = BudgetAccount.firstWindow(budget.period, at: clock, billing: period)
            budgets[index] = BudgetAccount(budget: budget, window: window)
        }
    }

    /// Takes a budget away.
    ///
    /// - Returns: whether it was there.
    package mutating func removeBudget(_ name: String, into changes: inout AccountChanges) -> Bool {
        guard let index = budgets.firstIndex(where: { $0.budget.name == name }) else { return false }
        budgets.remove(at: index)
        changes.isAccountChanged = true
        return true
    }
}
