// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// The settings of billing that accounts depend on.
package struct BillingSettings: Sendable, Hashable {
    /// Whether an account on the fallback plan is made at the first event of a tenant; else `billing.account_not_found`.
    package var makesAccounts: Bool
    /// How long a failed payment keeps the plan, in seconds.
    package var pastDueGraceSeconds: Int64
    /// How long a pool of the provider's may be used after its period while the next is not known, in seconds.
    package var renewalSlackSeconds: Int64
    /// After how long without news the provider is asked, in seconds.
    package var staleAfterSeconds: Int64
    /// After how long without news a subscription is unpaid, in seconds.
    package var lapseAfterSeconds: Int64
    /// Base of upgrade links.
    package var upgradeURL: String
    /// How long repeats of usage events are told; at least 32 days.
    package var dedupWindow: Duration
    /// How many decoded accounts are kept, and as many open reservations.
    package var cachedAccounts: Int

    package init(
        makesAccounts: Bool = true, pastDueGraceSeconds: Int64 = 168 * 3600, renewalSlackSeconds: Int64 = 24 * 3600,
        staleAfterSeconds: Int64 = 72 * 3600, lapseAfterSeconds: Int64 = 336 * 3600,
        upgradeURL: String = "/dashboard/billing", dedupWindow: Duration = .seconds(768 * 3600),
        cachedAccounts: Int = 10_000
    ) {
        self.makesAccounts = makesAccounts
        self.pastDueGraceSeconds = pastDueGraceSeconds
        self.renewalSlackSeconds = renewalSlackSeconds
        self.staleAfterSeconds = staleAfterSeconds
        self.lapseAfterSeconds = lapseAfterSeconds
        self.upgradeURL = upgradeURL
        self.dedupWindow = dedupWindow
        self.cachedAccounts = cachedAccounts
    }

    /// What holds for every account with a catalogue.
    package func terms(_ catalogue: PlanCatalogue) -> BillingTerms {
        BillingTerms(
            catalogue: catalogue, pastDueGraceSeconds: pastDueGraceSeconds, renewalSlackSeconds: renewalSlackSeconds,
            staleAfterSeconds: staleAfterSeconds, lapseAfterSeconds: lapseAfterSeconds, upgradeURL: upgradeURL)
    }
}
