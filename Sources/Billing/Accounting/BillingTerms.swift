// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// What holds for every account: the catalogue and how long things last. A value, so that one operation sees one state of it.
package struct BillingTerms: Sendable, Hashable {
    package var catalogue: PlanCatalogue
    package var timers: ProviderTimers
    /// Base of links to a plan that is to be bought.
    package var upgradeURL: String

    package init(
        catalogue: PlanCatalogue, timers: ProviderTimers = ProviderTimers(), upgradeURL: String = "/dashboard/billing"
    ) {
        self.catalogue = catalogue
        self.timers = timers
        self.upgradeURL = upgradeURL
    }
}
