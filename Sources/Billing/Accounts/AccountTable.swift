// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// What is in force for one account: its plan with the overrides of its Subscription.
package struct AccountState: Sendable, Hashable {
    /// Name of the plan in force.
    package var plan: String
    /// Whether a Subscription object or the provider speaks for the account; without one no plan limits its requests but those of its keys.
    package var isSubscribed: Bool
    /// For each key of the account, and for each subject of a subscribed account that comes without a key.
    package var rate: RequestRate
    /// The same windows once more over all credentials of the account; nil = none.
    package var accountRate: RequestRate?
    /// How many API keys may be active; nil = no limit.
    package var apiKeys: Int64?
    /// Whether every check refuses.
    package var isSuspended: Bool
    /// From when on `following` is in force; nil = it does not end.
    package var validUntil: Timestamp?
    /// What is in force from `validUntil` on, at most one: another subscription of the account; empty = the fallback plan.
    package var following: [AccountState] = []
    /// Until when a budget divides the rates by 10; nil = none does.
    package var throttledUntil: Timestamp?
    /// What the plan with its overrides includes.
    package var features: PlanFeatures
    /// The plan that was bought where it is not in force; else nil.
    package var boughtPlan: String?

    package init(
        plan: String, isSubscribed: Bool, rate: RequestRate, accountRate: RequestRate? = nil, apiKeys: Int64?,
        isSuspended: Bool = false, validUntil: Timestamp? = nil, features: PlanFeatures = PlanFeatures(),
        boughtPlan: String? = nil
    ) {
        self.features = features
        self.boughtPlan = boughtPlan
        self.plan = plan
        self.isSubscribed = isSubscribed
        self.rate = rate
        self.accountRate = accountRate
        self.apiKeys = apiKeys
        self.isSuspended = isSuspended
        self.validUntil = validUntil
    }

    /// The state on a plan with the limits in force.
    package init(
        plan: Plan, limits: PlanLimits, isSubscribed: Bool, isSuspended: Bool = false, validUntil: Timestamp? = nil,
        boughtPlan: String? = nil
    ) {
        self.init(
            plan: plan.name, isSubscribed: isSubscribed, rate: limits.rate, accountRate: limits.accountRate,
            apiKeys: limits.apiKeys, isSuspended: isSuspended, validUntil: validUntil,
            features: PlanFeatures(limits), boughtPlan: boughtPlan)
    }
}

/// The state of every account that something is known of, and what holds for all others. Immutable, one reference to pass on.
package final class AccountTable: Sendable {
    private let states: [String: AccountState]
    /// For accounts that nobody has said anything about: the fallback plan.
    package let fallback: AccountState
    /// The plans that there are, by rank.
    package let offers: [PlanOffer]

    package init(states: [String: AccountState] = [:], fallback: AccountState, offers: [PlanOffer] = []) {
        self.states = states
        self.fallback = fallback
        self.offers = offers
    }

    /// The state of every account that something is known of.
    package var all: [String: AccountState] { states }

    /// Whether no account is subscribed.
    package var isEmpty: Bool { states.isEmpty }

    /// The plan of that name.
    package func offer(_ name: String) -> PlanOffer? { offers.first { $0.name == name } }

    /// The state of an account; the fallback for one that is not known.
    package func state(of account: String) -> AccountState { states[account] ?? fallback }

    /// The state of an account at an instant: a subscription that ended is on the fallback plan from its end on, whoever looks when.
    package func state(of account: String, at now: Timestamp) -> AccountState {
        guard let known = states[account] else { return fallback }
        var state = known
        while let end = state.validUntil, end <= now {
            guard let next = state.following.first else {
                state = ended(state)
                break
            }
            state = next
        }
        if let until = known.throttledUntil, now < until {
            state.rate = state.rate.throttled
            state.accountRate = state.accountRate?.throttled
        }
        return state
    }

    /// What stays of a subscription after its end: the account is on the fallback plan, and still one that somebody speaks for.
    private func ended(_ state: AccountState) -> AccountState {
        var rest = fallback
        rest.isSubscribed = true
        rest.isSuspended = state.isSuspended
        rest.boughtPlan = state.plan
        return rest
    }

    /// Nothing is known and nothing is limited.
    package static let empty = AccountTable(
        fallback: AccountState(plan: "free", isSubscribed: false, rate: RequestRate(), apiKeys: nil))
}

extension AccountTable: Equatable {
    package static func == (left: AccountTable, right: AccountTable) -> Bool {
        left === right
            || (left.fallback == right.fallback && left.offers == right.offers && left.states == right.states)
    }
}
