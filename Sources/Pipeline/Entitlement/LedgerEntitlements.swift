// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Billing
package import Essentials
package import Logging
internal import RuntimeState

/// The ledger of accounts as the pipeline asks it.
package struct LedgerEntitlements: EntitlementService {
    private let billing: BillingService
    private let logger: Logger

    package init(_ billing: BillingService, logger: Logger) {
        self.billing = billing
        self.logger = logger
    }

    package var makesAccounts: Bool { billing.settings.makesAccounts }

    /// A store that is slow makes the answer late, never wrong: whoever asks gives back what came after the request's time.
    package func decide(_ request: EntitlementRequest) async -> Result<Entitlement, Refusal> {
        guard request.timeLeft > .zero else { return .failure(Refusal(.billingUnavailable)) }
        do throws(Refusal) {
            let answer = try await billing.meter(
                try request.metered, account: request.account, actor: request.user ?? "system")
            return .success(Entitlement(answer, request))
        } catch { return .failure(error) }
    }

    package func preview(_ request: EntitlementRequest) async -> Result<Entitlement, Refusal> {
        do throws(Refusal) {
            return .success(
                Entitlement(try await billing.previewMetering(try request.metered, account: request.account), request))
        } catch { return .failure(error) }
    }

    /// A hold that cannot be given back ends by itself; a fee that cannot be is named in the log.
    package func giveBack(_ entitlement: Entitlement) async {
        do throws(Refusal) {
            try await billing.takeBack(key: entitlement.key, account: entitlement.account)
        } catch {
            logger.error(
                "what a refused request took was not given back",
                metadata: [
                    "account": "\(entitlement.account)", "key": "\(entitlement.key)",
                    "charged_micro_credits": "\(entitlement.chargedMicroCredits)",
                    "tasks": "\(entitlement.countedTasks)", LogKeys.error: "\(error.message)",
                ])
        }
    }
}

extension EntitlementRequest {
    /// As billing takes it.
    fileprivate var metered: MeteredRequest {
        get throws(Refusal) {
            MeteredRequest(
                key: key, action: try metered(action),
                requirements: EligibilityQuestion.Requirements(
                    plan: requirements.plan, modelTier: requirements.modelTier,
                    premiumAgents: requirements.premiumAgents),
                feeMicroCredits: microCreditsPerRequest, user: user, project: project, agent: agent)
        }
    }

    private func metered(_ action: CompiledMetering.Action) throws(Refusal) -> EligibilityRequest.Action? {
        switch action {
        case .none: return nil
        case .task: return .task(count: count)
        case .tokens:
            let counts = TokenCounts(
                input: estimate.input, output: estimate.output, cacheRead: estimate.cacheRead,
                cacheWrite: estimate.cacheWrite, reasoning: estimate.reasoning)
            return .tokens(
                .tokens(
                    UsageAmount.Tokens(
                        model: model, provider: provider, counts: counts, maxOutput: estimate.maxOutput)))
        case .agentHire:
            guard let id else { throw Self.missing("id", "the agent that is hired") }
            return .hireAgent(id: id, isPremium: isPremium)
        case .slot: return .slot(slot == .workspace ? .workspace : .worker, id: id)
        }
    }

    /// Neither the route nor the gateway says what is asked for.
    private static func missing(_ field: String, _ what: String) -> Refusal {
        Refusal(
            .requestInvalid, message: "Say \(what): capture {\(field)} in the route, or send usage.\(field)",
            details: ["field": .string("usage.\(field)")])
    }
}

extension Entitlement {
    fileprivate init(_ answer: MeteredAnswer, _ request: EntitlementRequest) {
        self.init(
            account: request.account, key: request.key, plan: answer.plan, remainingMicroCredits: answer.remaining,
            neededMicroCredits: answer.needed,
            reservation: answer.reservation.map {
                Reservation(id: $0.id, heldMicroCredits: $0.held, expiresAt: $0.expiresAt)
            }, chargedMicroCredits: answer.charged, countedTasks: answer.countedTasks)
    }
}
