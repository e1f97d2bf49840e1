// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// The checks before anything that costs or takes a place, in their order; the first that fails decides. The answer to a question, a reservation,
/// a hire and a decision are all found here.
package struct Eligibility: Sendable {
    /// A check that failed.
    struct Failure {
        var answer: EligibilityAnswer
        /// Whether the check would pass with a plan and its limits; nil where no plan helps.
        var wouldPass: ((Plan, PlanLimits) -> Bool)?

        init(_ answer: EligibilityAnswer, wouldPass: ((Plan, PlanLimits) -> Bool)? = nil) {
            self.answer = answer
            self.wouldPass = wouldPass
        }
    }

    let facts: EligibilityFacts
    let terms: BillingTerms

    package init(_ facts: EligibilityFacts, terms: BillingTerms) {
        self.facts = facts
        self.terms = terms
    }

    /// Answers a question. It changes nothing.
    package func answer(_ question: EligibilityQuestion) -> EligibilityAnswer {
        if facts.isSuspended { return EligibilityAnswer(code: .billingAccountSuspended) }
        if let failure = requirements(question.requirements) { return finished(failure, question) }
        if let failure = failure(question.action) { return finished(failure, question) }
        return allowed(question.action)
    }

    private func failure(_ action: EligibilityQuestion.Action) -> Failure? {
        switch action {
        case .tokens(let use): tokens(use)
        case .hire(let isPremium, let isHired): hire(isPremium: isPremium, isHired: isHired)
        case .task(let count): task(count)
        case .slot(let kind, let isTaken): isTaken ? nil : slot(kind)
        case .nothing: nil
        }
    }

    private func requirements(_ requirements: EligibilityQuestion.Requirements) -> Failure? {
        if let name = requirements.plan {
            // A plan that the catalogue does not know is above all others.
            let rank = terms.catalogue.plan(name)?.rank ?? .max
            if facts.plan.rank < rank {
                return Failure(EligibilityAnswer(code: .billingPlanRequired)) { plan, _ in plan.rank >= rank }
            }
        }
        if let tier = requirements.modelTier, let failure = self.tier(tier) { return failure }
        if requirements.premiumAgents { return premiumAgents() }
        return nil
    }

    func tier(_ tier: String) -> Failure? {
        guard !facts.limits.modelTiers.contains(tier) else { return nil }
        return Failure(EligibilityAnswer(code: .billingModelTierNotAvailable)) { _, limits in
            limits.modelTiers.contains(tier)
        }
    }

    func premiumAgents() -> Failure? {
        guard !facts.limits.premiumAgents else { return nil }
        return Failure(EligibilityAnswer(code: .billingPremiumAgentNotAvailable)) { _, limits in limits.premiumAgents }
    }

    /// Says what would help: the bought plan that is not in force, else the next dearer one.
    private func finished(_ failure: Failure, _ question: EligibilityQuestion) -> EligibilityAnswer {
        var answer = failure.answer
        if case .tokens(let use) = question.action, let cost = use.charge?.microCredits,
            answer.code == .billingInsufficientCredits || answer.code == .billingDailyTokenLimitExceeded
                || answer.code == .billingBudgetExceeded
        {
            answer.costMicroCredits = cost
        }
        guard let wouldPass = failure.wouldPass else { return answer }
        if let inactive = facts.inactivePlan, wouldPass(inactive.plan, inactive.limits) {
            answer.code = .billingInactiveSubscription
            answer.message = nil
            answer.upgrade = upgrade(inactive.plan)
            return answer
        }
        answer.upgrade = terms.catalogue.plans.first { plan in
            plan.rank > facts.plan.rank && wouldPass(plan, plan.limits)
        }.map(upgrade)
        return answer
    }

    private func upgrade(_ plan: Plan) -> PlanCatalogue.Upgrade {
        let mark = terms.upgradeURL.utf8.contains(UInt8(ascii: "?")) ? "&" : "?"
        return PlanCatalogue.Upgrade(
            plan: plan.name, price: plan.priceMicroUSD, url: "\(terms.upgradeURL)\(mark)plan=\(plan.name)")
    }
}
