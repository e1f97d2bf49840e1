// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

extension AccountBook {
    /// Counts a charge in the day, the period and the budgets, and tells which thresholds it reaches.
    ///
    /// - Parameter instant: when it was used: what belongs to an earlier day or window does not count in the present one; periods count what
    ///   comes while they are open.
    mutating func count(
        _ charge: Charge, _ subject: ChargeSubject, at instant: Timestamp, standing: Standing,
        into changes: inout AccountChanges
    ) {
        changes.isAccountChanged = true
        meter(charge.chargeMicroUSD, standing: standing)
        if subject.isPremium { counters.period.use(premiumModel: subject.model) }
        counters.period.usedMicroCredits = counters.period.usedMicroCredits.addingSaturated(charge.microCredits)
        if charge.microCredits > 0 {
            let limit = standing.limits.creditsPerPeriod
            tell(
                counters.period.firedCredits.crossed(used: counters.period.usedMicroCredits, limit: limit),
                of: "credits",
                used: counters.period.usedMicroCredits, limit: limit, until: period.end, into: &changes)
        }
        if charge.tokens > 0, instant >= counters.day {
            counters.tokensToday = counters.tokensToday.addingSaturated(charge.tokens)
            let limit = standing.limits.tokensPerDay
            let end = Timestamp(microseconds: counters.day.microseconds + PeriodDate.microsecondsPerDay)
            tell(
                counters.firedTokens.crossed(used: counters.tokensToday, limit: limit), of: "tokens_per_day",
                used: counters.tokensToday, limit: limit, until: end, into: &changes)
        }
        for index in budgets.indices where budgets[index].budget.counts(subject) {
            count(charge.chargeMicroUSD, inBudget: index, at: instant, into: &changes)
        }
    }

    /// Adds to what the provider's meter is told, while a subscription of the provider is in force.
    mutating func meter(_ microUSD: Int64, standing: Standing) {
        guard standing.source == .stripe, standing.isEntitled else { return }
        totals.metered = totals.metered.addingSaturated(microUSD)
    }

    private mutating func count(
        _ microUSD: Int64, inBudget index: Int, at instant: Timestamp, into changes: inout AccountChanges
    ) {
        guard microUSD > 0, budgets[index].budget.period == .billingPeriod || instant >= budgets[index].window.start
        else { return }
        budgets[index].spentMicroUSD = budgets[index].spentMicroUSD.addingSaturated(microUSD)
        let (budget, spent, end) = (budgets[index].budget, budgets[index].spentMicroUSD, budgets[index].window.end)
        let limit = budget.hardLimitMicroUSD ?? budget.softLimitMicroUSD
        tell(
            budgets[index].fired.crossed(used: spent, limit: limit), of: "budget", budget: budget.name, used: spent,
            limit: limit, until: end, into: &changes)
        if let soft = budget.softLimitMicroUSD, spent >= soft, !budgets[index].isSoftTold {
            budgets[index].isSoftTold = true
            let url = budget.actionOnSoft == .alertAndWebhook ? budget.webhookURL : nil
            tell(budgets[index], .alert, reason: "soft_limit_reached", url: url, into: &changes)
        }
        if let hard = budget.hardLimitMicroUSD, spent > hard { tellBudget(budget.name, into: &changes) }
    }

    /// Tells the owner that a hard limit is in the way, once in its window.
    mutating func tellBudget(_ name: String, into changes: inout AccountChanges) {
        guard let index = budgets.firstIndex(where: { $0.budget.name == name }), !budgets[index].isHardTold else {
            return
        }
        budgets[index].isHardTold = true
        changes.isAccountChanged = true
        guard budgets[index].budget.actionOnHard != .block else { return }
        tell(
            budgets[index], .budgetExceeded, reason: "hard_limit", url: budgets[index].budget.webhookURL,
            into: &changes)
    }

    private func tell(
        _ budget: BudgetAccount, _ kind: AccountEvent.Kind, reason: String, url: String?,
        into changes: inout AccountChanges
    ) {
        changes.tell(
            AccountEvent(
                kind, at: clock,
                data: [
                    "account": .string(account), "reason": .string(reason), "budget": .string(budget.budget.name),
                    "spent_micro_usd": .int(budget.spentMicroUSD), "held_micro_usd": .int(budget.heldMicroUSD),
                    "soft_limit_micro_usd": budget.budget.softLimitMicroUSD.map(JSONValue.int) ?? .null,
                    "hard_limit_micro_usd": budget.budget.hardLimitMicroUSD.map(JSONValue.int) ?? .null,
                    "window_end": .string(budget.window.end.rfc3339),
                ], webhookURL: url))
    }

    /// One event for each threshold.
    func tell(
        _ percents: [Int64], of what: String, budget: String? = nil, used: Int64, limit: Int64?, until end: Timestamp,
        into changes: inout AccountChanges
    ) {
        for percent in percents {
            var data: JSONObject = [
                "account": .string(account), "of": .string(what), "percent": .int(percent), "used": .int(used),
                "limit": limit.map(JSONValue.int) ?? .null, "window_end": .string(end.rfc3339),
            ]
            if let budget { data["budget"] = .string(budget) }
            changes.tell(AccountEvent(.thresholdCrossed, at: clock, data: data))
        }
    }

    /// Tells what was used and could not be paid.
    func tellOvershoot(_ uncollected: Int64, _ reference: String, into changes: inout AccountChanges) {
        guard uncollected > 0 else { return }
        changes.tell(
            AccountEvent(
                .overshoot, at: clock,
                data: [
                    "account": .string(account), "reference": .string(reference),
                    "uncollected_micro_credits": .int(uncollected), "balance_micro_credits": .int(balance),
                ]))
    }

    /// Tells once that nothing is left, until there are credits again.
    mutating func tellExhaustion(_ standing: Standing, into changes: inout AccountChanges) {
        guard !counters.isExhaustionTold, held == 0, spendable(for: nil, standing: standing) == 0 else { return }
        counters.isExhaustionTold = true
        changes.tell(
            AccountEvent(
                .creditsExhausted, at: clock,
                data: [
                    "account": .string(account), "balance_micro_credits": .int(balance),
                    "held_micro_credits": .int(held), "resets_at": .string(standing.period.end.rfc3339),
                ]))
    }
}
