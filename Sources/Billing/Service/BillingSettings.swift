// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// The settings of billing that accounts depend on.
package struct BillingSettings: Sendable, Hashable {
    /// Whether an account on the fallback plan is made at the first event of a tenant; else `billing.account_not_found`.
    package var makesAccounts: Bool
    package var timers: ProviderTimers
    /// Base of upgrade links.
    package var upgradeURL: String
    /// How long repeats of usage events are told; at least 32 days.
    package var dedupWindow: Duration
    /// How many decoded accounts are kept, and as many open reservations.
    package var cachedAccounts: Int

    package init(
        makesAccounts: Bool = true, timers: ProviderTimers = ProviderTimers(),
        upgradeURL: String = "/dashboard/billing", dedupWindow: Duration = .seconds(768 * 3600),
        cachedAccounts: Int = 10_000
    ) {
        self.makesAccounts = makesAccounts
        self.timers = timers
        self.upgradeURL = upgradeURL
        self.dedupWindow = dedupWindow
        self.cachedAccounts = cachedAccounts
    }

    /// What holds for every account with a catalogue.
    package func terms(_ catalogue: PlanCatalogue) -> BillingTerms {
        BillingTerms(catalogue: catalogue, timers: timers, upgradeURL: upgradeURL)
    }
}
