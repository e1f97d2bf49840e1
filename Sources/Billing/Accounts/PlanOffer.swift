// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// What a plan includes, as far as that can be said without the ledger.
package struct PlanFeatures: Sendable, Hashable {
    /// Tiers of models that may be used.
    package var modelTiers: [String]
    package var premiumAgents: Bool

    /// Nothing is included unless it is named.
    package init(modelTiers: [String] = [], premiumAgents: Bool = false) {
        self.modelTiers = modelTiers
        self.premiumAgents = premiumAgents
    }

    /// What those limits say.
    package init(_ limits: PlanLimits) {
        self.init(modelTiers: limits.modelTiers, premiumAgents: limits.premiumAgents)
    }
}

/// A plan that may be bought, as far as a refusal has to name it.
package struct PlanOffer: Sendable, Hashable {
    package let name: String
    /// Order of worth: the dearer plan has the higher rank.
    package let rank: Int64
    /// A period's price in micro-US-dollars; nil where somebody else sells it.
    package let priceMicroUSD: Int64?
    /// Without anybody's overrides.
    package let features: PlanFeatures

    package init(name: String, rank: Int64, priceMicroUSD: Int64?, features: PlanFeatures) {
        self.name = name
        self.rank = rank
        self.priceMicroUSD = priceMicroUSD
        self.features = features
    }

    /// As a refusal names it.
    ///
    /// - Parameter base: `TOLLGATE_BILLING_UPGRADE_URL`.
    package func upgrade(base: String) -> PlanCatalogue.Upgrade {
        let mark = base.utf8.contains(UInt8(ascii: "?")) ? "&" : "?"
        return PlanCatalogue.Upgrade(plan: name, price: priceMicroUSD, url: "\(base)\(mark)plan=\(name)")
    }
}

extension PlanCatalogue {
    /// Every plan as an offer, by rank.
    package var offers: [PlanOffer] {
        plans.map {
            PlanOffer(
                name: $0.name, rank: $0.rank, priceMicroUSD: $0.priceMicroUSD, features: PlanFeatures($0.limits))
        }
    }
}
