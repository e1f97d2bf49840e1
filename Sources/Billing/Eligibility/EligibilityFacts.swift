// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// How an account stands, as far as checks ask.
package struct EligibilityFacts: Sendable {
    package var now: Timestamp
    package var plan: Plan
    package var limits: PlanLimits
    /// A plan that is bought and not in force, with its limits.
    package var inactivePlan: (plan: Plan, limits: PlanLimits)?
    package var isSuspended: Bool
    package var periodEnd: Timestamp
    /// Credits and room for debt that pay for what is asked, in micro-credits.
    package var spendable: Int64
    package var tokensToday: Int64
    package var tokensHeld: Int64
    /// Premium models that were used this period or are held.
    package var premiumModels: Set<String>
    package var tasks: Int64
    package var agents: Int64
    package var workers: Int64
    package var workspaces: Int64
    package var budgets: [BudgetAccount]

    package init(
        now: Timestamp, plan: Plan, limits: PlanLimits, inactivePlan: (plan: Plan, limits: PlanLimits)? = nil,
        isSuspended: Bool = false, periodEnd: Timestamp, spendable: Int64, tokensToday: Int64 = 0,
        tokensHeld: Int64 = 0, premiumModels: Set<String> = [], tasks: Int64 = 0, agents: Int64 = 0,
        workers: Int64 = 0, workspaces: Int64 = 0, budgets: [BudgetAccount] = []
    ) {
        self.now = now
        self.plan = plan
        self.limits = limits
        self.inactivePlan = inactivePlan
        self.isSuspended = isSuspended
        self.periodEnd = periodEnd
        self.spendable = spendable
        self.tokensToday = tokensToday
        self.tokensHeld = tokensHeld
        self.premiumModels = premiumModels
        self.tasks = tasks
        self.agents = agents
        self.workers = workers
        self.workspaces = workspaces
        self.budgets = budgets
    }
}

extension AccountBook {
    /// What checks ask of the account, at the instant of the last `advance`.
    package func facts(_ standing: Standing, for purpose: SpendPurpose? = nil) -> EligibilityFacts {
        var inactive: (plan: Plan, limits: PlanLimits)?
        if !standing.isEntitled, let bought = standing.boughtPlan, bought.name != standing.plan.name {
            inactive = (bought, standing.boughtLimits ?? bought.limits)
        }
        return EligibilityFacts(
            now: clock, plan: standing.plan, limits: standing.limits, inactivePlan: inactive,
            isSuspended: standing.isSuspended, periodEnd: standing.period.end,
            spendable: spendable(for: purpose, standing: standing), tokensToday: counters.tokensToday,
            tokensHeld: counters.tokensHeld,
            premiumModels: Set(counters.period.premiumModels).union(counters.heldPremiumModels.map(\.model)),
            tasks: counters.period.tasks, agents: counters.agents, workers: counters.workers,
            workspaces: counters.workspaces, budgets: budgets)
    }
}
