// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import RuntimeState

/// What is known of an account without its ledger: whether it is suspended, and whether its plan includes what is required. A pure function of
/// the snapshot.
struct PlanCheck {
    let accounts: AccountTable
    let requirements: CompiledMetering.Requirements
    /// Base of the links to plans that would do.
    let upgradeURL: String

    /// Why the account may not; nil when it may. The first check that fails decides: suspension, plan, tier, premium agents.
    ///
    /// - Parameter state: of the account at the time of the request.
    func refusal(_ state: AccountState) -> Refusal? {
        guard !state.isSuspended else { return Self.refused(.billingAccountSuspended, upgrade: nil) }
        if let plan = requirements.plan {
            let least = accounts.offer(plan)?.rank
            let isEnough = { (offer: PlanOffer?) in least.map { (offer?.rank ?? .min) >= $0 } ?? false }
            if !isEnough(accounts.offer(state.plan)) {
                return refusal(.billingPlanRequired, "Plan '\(plan)' is required", state, passes: isEnough)
            }
        }
        if let tier = requirements.modelTier, !state.features.modelTiers.contains(tier) {
            return refusal(
                .billingModelTierNotAvailable, "Plan '\(state.plan)' does not include models of tier '\(tier)'", state
            ) { $0.features.modelTiers.contains(tier) }
        }
        if requirements.premiumAgents, !state.features.premiumAgents {
            return refusal(
                .billingPremiumAgentNotAvailable, "Plan '\(state.plan)' does not include premium agents", state
            ) { $0.features.premiumAgents }
        }
        return nil
    }

    /// The refusal of a check: with a plan that was bought and would have passed, its not being in force is the cause.
    private func refusal(
        _ code: ErrorCode, _ message: String, _ state: AccountState, passes: (PlanOffer) -> Bool
    ) -> Refusal {
        if let bought = state.boughtPlan, bought != state.plan, let offer = accounts.offer(bought), passes(offer) {
            return Self.refused(
                .billingInactiveSubscription, "Plan '\(bought)' was bought and is not in force",
                upgrade: offer.upgrade(base: upgradeURL))
        }
        let rank = accounts.offer(state.plan)?.rank ?? .min
        let dearer = accounts.offers.first { $0.rank > rank && passes($0) }
        return Self.refused(code, message, upgrade: dearer?.upgrade(base: upgradeURL))
    }

    /// With the members that every refusal of the kind has.
    static func refused(_ code: ErrorCode, _ message: String? = nil, upgrade: PlanCatalogue.Upgrade?) -> Refusal {
        Refusal(
            code, message: message,
            details: [
                "remaining": .null, "limit": .null, "unit": .null, "resets_at": .null,
                "upgrade": upgrade?.json ?? .null,
            ])
    }
}
