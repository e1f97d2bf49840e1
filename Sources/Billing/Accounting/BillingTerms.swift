// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// What holds for every account: the catalogue and how long things last. A value, so that one operation sees one state of it.
package struct BillingTerms: Sendable, Hashable {
    package var catalogue: PlanCatalogue
    /// How long a failed payment keeps the plan, in seconds.
    package var pastDueGraceSeconds: Int64
    /// How long a pool of the provider's may be used after the end of its period while the next is not known, in seconds.
    package var renewalSlackSeconds: Int64
    /// How long after the end of a period without news the provider is asked, in seconds.
    package var staleAfterSeconds: Int64
    /// How long after the end of a period without news a subscription is unpaid, in seconds.
    package var lapseAfterSeconds: Int64
    /// Base of links to a plan that is to be bought.
    package var upgradeURL: String

    package init(
        catalogue: PlanCatalogue, pastDueGraceSeconds: Int64 = 168 * 3600, renewalSlackSeconds: Int64 = 24 * 3600,
        staleAfterSeconds: Int64 = 72 * 3600, lapseAfterSeconds: Int64 = 336 * 3600,
        upgradeURL: String = "/dashboard/billing"
    ) {
        self.catalogue = catalogue
        self.pastDueGraceSeconds = pastDueGraceSeconds
        self.renewalSlackSeconds = renewalSlackSeconds
        self.staleAfterSeconds = staleAfterSeconds
        self.lapseAfterSeconds = lapseAfterSeconds
        self.upgradeURL = upgradeURL
    }
}
