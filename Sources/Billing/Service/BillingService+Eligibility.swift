// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

extension BillingService {
    /// Whether something may be done. It changes nothing, and an account that is not there is an answer, too.
    ///
    /// - Throws: `billing.overflow`, `billing.unavailable`.
    package func eligibility(
        _ request: EligibilityRequest, account: String,
        requirements: EligibilityQuestion.Requirements = EligibilityQuestion.Requirements()
    ) async throws(Refusal) -> EligibilityAnswer {
        let prices = prices.prices
        let answer: EligibilityAnswer
        do throws(Refusal) {
            answer = try await look(account) { work, reader in
                let action = try work.action(request, prices: prices, reader)
                return work.answer(EligibilityQuestion(action, requirements: requirements))
            }
        } catch {
            guard error.code == .billingAccountNotFound else { throw error }
            answer = EligibilityAnswer(code: .billingAccountNotFound)
        }
        metrics.decided(request.action.metric, code: answer.code?.rawValue)
        return answer
    }

    /// Whether tokens of a model may be used.
    package func canUseTokens(
        account: String, model: String, counts: TokenCounts
    ) async throws(Refusal) -> EligibilityAnswer {
        let amount = UsageAmount.tokens(UsageAmount.Tokens(model: model, counts: counts))
        return try await eligibility(EligibilityRequest(action: .tokens(amount)), account: account)
    }

    /// Whether an agent may be hired.
    package func canHireAgent(
        account: String, agent: String, isPremium: Bool = false
    ) async throws(Refusal) -> EligibilityAnswer {
        let request = EligibilityRequest(action: .hireAgent(id: agent, isPremium: isPremium))
        return try await eligibility(request, account: account)
    }
}

extension AccountWork {
    /// Answers a question of the account as it stands.
    package func answer(_ question: EligibilityQuestion) -> EligibilityAnswer {
        var purpose: SpendPurpose?
        switch question.action {
        case .tokens(let use): purpose = use.subject.purpose
        case .hire: purpose = .agents
        case .task, .slot, .nothing: purpose = nil
        }
        return Eligibility(book.facts(standing, for: purpose), terms: terms).answer(question)
    }

    /// What a request asks for.
    func action(
        _ request: EligibilityRequest, prices: PriceList, _ reader: any BillingReader
    ) throws -> EligibilityQuestion.Action {
        switch request.action {
        case .tokens(let amount):
            return .tokens(
                try tokenUse(amount, user: request.user, project: request.project, agent: nil, prices: prices))
        case .hireAgent(let id, let isPremium):
            let isHired = try reader.slot(.agent, id: id) != nil
            return .hire(isPremium: isPremium || prices.agent(id).isPremium, isHired: isHired)
        case .task(let count): return .task(count: count)
        case .slot(let kind, let id):
            return .slot(kind, isTaken: try id.map { try reader.slot(kind, id: $0) != nil } ?? false)
        }
    }
}

extension EligibilityRequest.Action {
    fileprivate var metric: BillingMetrics.Action {
        switch self {
        case .tokens: .tokens
        case .hireAgent: .hire
        case .task: .task
        case .slot: .slot
        }
    }
}
