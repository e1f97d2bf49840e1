// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

extension Eligibility {
    func tokens(_ use: EligibilityQuestion.TokenUse) -> Failure? {
        guard let charge = use.charge else { return Failure(EligibilityAnswer(code: .billingUnknownModel)) }
        if let tier = use.tier, let failure = self.tier(tier) { return failure }
        if let failure = premiumModels(use.subject) { return failure }
        if let failure = dailyTokens(charge.tokens) { return failure }
        if let failure = budgets(charge, use.subject) { return failure }
        return credits(charge.microCredits)
    }

    private func premiumModels(_ subject: ChargeSubject) -> Failure? {
        guard subject.isPremium, !facts.premiumModels.contains(subject.model),
            let limit = facts.limits.premiumModels, Int64(facts.premiumModels.count) >= limit
        else { return nil }
        let used = Int64(facts.premiumModels.count)
        let answer = EligibilityAnswer(
            code: .billingPremiumModelLimitReached, remaining: max(0, limit - used), limit: limit, unit: .models,
            resetsAt: facts.periodEnd)
        return Failure(answer) { _, limits in limits.premiumModels.map { used < $0 } ?? true }
    }

    private func dailyTokens(_ asked: Int64) -> Failure? {
        let taken = facts.tokensToday.addingSaturated(facts.tokensHeld)
        let wanted = taken.addingSaturated(asked)
        guard let limit = facts.limits.tokensPerDay, wanted > limit else { return nil }
        let answer = EligibilityAnswer(
            code: .billingDailyTokenLimitExceeded, remaining: max(0, limit - taken), limit: limit, unit: .tokens,
            resetsAt: BillingPeriod.day(containing: facts.now).end)
        return Failure(answer) { _, limits in limits.tokensPerDay.map { wanted <= $0 } ?? true }
    }

    private func budgets(_ charge: Charge, _ subject: ChargeSubject) -> Failure? {
        for account in facts.budgets
        where account.budget.blocks && account.budget.counts(subject) && !account.fits(charge.chargeMicroUSD) {
            var answer = EligibilityAnswer(
                code: .billingBudgetExceeded, remaining: account.roomMicroUSD, limit: account.budget.hardLimitMicroUSD,
                unit: .microUSD, resetsAt: account.window.end)
            answer.budget = account.budget.name
            return Failure(answer)
        }
        return nil
    }

    private func credits(_ cost: Int64) -> Failure? {
        guard cost > facts.spendable else { return nil }
        let perPeriod = facts.limits.creditsPerPeriod
        var answer = EligibilityAnswer(
            code: .billingInsufficientCredits, remaining: facts.spendable, limit: perPeriod ?? -1, unit: .microCredits,
            resetsAt: facts.periodEnd)
        answer.costMicroCredits = cost
        answer.requiredMicroCredits = cost
        answer.availableMicroCredits = facts.spendable
        let spendable = facts.spendable
        return Failure(answer) { _, limits in
            guard let perPeriod, let better = limits.creditsPerPeriod else { return limits.creditsPerPeriod == nil }
            return spendable.addingSaturated(better - perPeriod) >= cost
        }
    }

    func hire(isPremium: Bool, isHired: Bool) -> Failure? {
        if isHired { return Failure(EligibilityAnswer(code: .billingAgentAlreadyHired)) }
        if isPremium, let failure = premiumAgents() { return failure }
        let hired = facts.agents
        let slots = facts.limits.agentSlots
        if slots.included.map({ hired < $0 }) ?? true { return nil }
        guard slots.max.map({ hired < $0 }) ?? true else {
            let limit = slots.max ?? -1
            let answer = EligibilityAnswer(
                code: .billingAgentLimitReached, remaining: max(0, limit - hired), limit: limit, unit: .slots)
            return Failure(answer) { _, limits in limits.agentSlots.max.map { hired < $0 } ?? true }
        }
        return credits(slots.extraPrice)
    }

    func task(_ count: Int64) -> Failure? {
        let wanted = facts.tasks.addingSaturated(count)
        guard let limit = facts.limits.tasksPerMonth, wanted > limit else { return nil }
        let answer = EligibilityAnswer(
            code: .billingTaskLimitReached, remaining: max(0, limit - facts.tasks), limit: limit, unit: .tasks,
            resetsAt: facts.periodEnd)
        return Failure(answer) { _, limits in limits.tasksPerMonth.map { wanted <= $0 } ?? true }
    }

    func slot(_ kind: SlotRow.Kind) -> Failure? {
        let used = kind == .worker ? facts.workers : facts.workspaces
        guard let limit = kind == .worker ? facts.limits.workers : facts.limits.workspaces, used >= limit else {
            return nil
        }
        let answer = EligibilityAnswer(
            code: .billingSlotLimitReached, remaining: max(0, limit - used), limit: limit, unit: .slots)
        return Failure(answer) { _, limits in
            (kind == .worker ? limits.workers : limits.workspaces).map { used < $0 } ?? true
        }
    }

    // MARK: - Allowed

    func allowed(_ action: EligibilityQuestion.Action) -> EligibilityAnswer {
        switch action {
        case .tokens(let use):
            var answer = EligibilityAnswer(
                remaining: facts.spendable, limit: facts.limits.creditsPerPeriod ?? -1, unit: .microCredits,
                resetsAt: facts.periodEnd)
            answer.costMicroCredits = use.charge?.microCredits
            return answer
        case .hire:
            let slots = facts.limits.agentSlots
            var answer = places(used: facts.agents, limit: slots.max)
            answer.costMicroCredits = slots.included.map { facts.agents < $0 } ?? true ? 0 : slots.extraPrice
            return answer
        case .task:
            var answer = places(used: facts.tasks, limit: facts.limits.tasksPerMonth)
            answer.unit = .tasks
            answer.resetsAt = facts.periodEnd
            return answer
        case .slot(let kind, _):
            return kind == .worker
                ? places(used: facts.workers, limit: facts.limits.workers)
                : places(used: facts.workspaces, limit: facts.limits.workspaces)
        case .nothing: return EligibilityAnswer()
        }
    }

    private func places(used: Int64, limit: Int64?) -> EligibilityAnswer {
        EligibilityAnswer(remaining: limit.map { max(0, $0 - used) } ?? -1, limit: limit ?? -1, unit: .slots)
    }
}
