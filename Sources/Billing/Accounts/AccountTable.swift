// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

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

    package init(
        plan: String, isSubscribed: Bool, rate: RequestRate, accountRate: RequestRate? = nil, apiKeys: Int64?,
        isSuspended: Bool = false
    ) {
        self.plan = plan
        self.isSubscribed = isSubscribed
        self.rate = rate
        self.accountRate = accountRate
        self.apiKeys = apiKeys
        self.isSuspended = isSuspended
    }
}

/// The state of every account that something is known of, and what holds for all others. Immutable, one reference to pass on.
package final class AccountTable: Sendable {
    private let states: [String: AccountState]
    /// For accounts that nobody has said anything about: the fallback plan.
    package let fallback: AccountState

    package init(states: [String: AccountState] = [:], fallback: AccountState) {
        self.states = states
        self.fallback = fallback
    }

    /// The state of an account; the fallback for one that is not known.
    package func state(of account: String) -> AccountState { states[account] ?? fallback }

    /// Nothing is known and nothing is limited.
    package static let empty = AccountTable(
        fallback: AccountState(plan: "free", isSubscribed: false, rate: RequestRate(), apiKeys: nil))
}
