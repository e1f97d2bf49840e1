// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// The plans that may be in force, their order and what credits are worth. Immutable; one is loaded, from one file.
package final class PlanCatalogue: Sendable, Hashable {
    /// Credits sold outside of a plan.
    package struct CreditPack: Sendable, Hashable {
        package let id: String
        package let microCredits: Int64
        package let priceMicroUSD: Int64
        package let stripePriceID: String?

        package init(id: String, microCredits: Int64, priceMicroUSD: Int64, stripePriceID: String?) {
            self.id = id
            self.microCredits = microCredits
            self.priceMicroUSD = priceMicroUSD
            self.stripePriceID = stripePriceID
        }
    }

    /// The plan that would help, and where it is bought.
    package struct Upgrade: Sendable, Hashable {
        package let plan: String
        /// In micro-US-dollars; nil where somebody else sells it.
        package let price: Int64?
        package let url: String

        /// `{plan, price, url}`
        package var json: JSONValue {
            ["plan": .string(plan), "price": price.map(JSONValue.int) ?? .null, "url": .string(url)]
        }
    }

    /// By rank.
    package let plans: [Plan]
    /// In force where nothing paid is.
    package let fallback: Plan
    /// What one credit is worth, in micro-US-dollars; divides 1 000 000.
    package let creditValueMicroUSD: Int64
    /// Every tier that a model may have, in the order of the file.
    package let modelTiers: [String]
    package let creditPacks: [CreditPack]

    init(
        plans: [Plan], fallback: Plan, creditValueMicroUSD: Int64, modelTiers: [String], creditPacks: [CreditPack]
    ) {
        self.plans = plans
        self.fallback = fallback
        self.creditValueMicroUSD = creditValueMicroUSD
        self.modelTiers = modelTiers
        self.creditPacks = creditPacks
    }

    /// Reads the document of a catalogue.
    ///
    /// - Throws: `CatalogueError` with every problem there is.
    package static func read(_ document: JSONValue) throws(CatalogueError) -> PlanCatalogue {
        var reader = PlanReader()
        guard let catalogue = reader.catalogue(document), reader.problems.isEmpty else {
            throw CatalogueError(problems: reader.problems.list)
        }
        return catalogue
    }

    package static func == (left: PlanCatalogue, right: PlanCatalogue) -> Bool {
        left === right
            || left.plans == right.plans && left.fallback == right.fallback
                && left.creditValueMicroUSD == right.creditValueMicroUSD && left.modelTiers == right.modelTiers
                && left.creditPacks == right.creditPacks
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(plans) }

    /// The plan of that name.
    package func plan(_ name: String) -> Plan? { plans.first { $0.name == name } }

    /// The lowest-ranked plan above the present one with which a check would pass; nil where there is none.
    ///
    /// - Parameter base: `TOLLGATE_BILLING_UPGRADE_URL`.
    package func upgrade(from name: String, base: String, passes: (PlanLimits) -> Bool) -> Upgrade? {
        let rank = (plan(name) ?? fallback).rank
        guard let found = plans.first(where: { $0.rank > rank && passes($0.limits) }) else { return nil }
        return PlanOffer(
            name: found.name, rank: found.rank, priceMicroUSD: found.priceMicroUSD,
            features: PlanFeatures(found.limits)
        ).upgrade(base: base)
    }

    /// What holds for an account of which nothing is known: the fallback plan, and no limits but those of its keys.
    package var fallbackState: AccountState {
        AccountState(plan: fallback, limits: fallback.limits, isSubscribed: false)
    }
}
