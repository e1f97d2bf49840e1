// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// A rated amount: what something costs and how many tokens it is.
package struct Charge: Sendable, Hashable {
    package var microCredits: Int64
    /// Without markup, in micro-US-dollars.
    package var listMicroUSD: Int64
    /// With markup, in micro-US-dollars.
    package var chargeMicroUSD: Int64
    /// Of all classes.
    package var tokens: Int64
    package var priceVersion: String?

    package init(
        microCredits: Int64, listMicroUSD: Int64, chargeMicroUSD: Int64, tokens: Int64 = 0,
        priceVersion: String? = nil
    ) {
        self.microCredits = microCredits
        self.listMicroUSD = listMicroUSD
        self.chargeMicroUSD = chargeMicroUSD
        self.tokens = tokens
        self.priceVersion = priceVersion
    }

    /// Credits that somebody else has priced; dollars follow from what a credit is worth, rounded half up.
    package init(microCredits: Int64, creditValueMicroUSD: Int64) {
        let product = Int128(microCredits) * Int128(creditValueMicroUSD)
        let dollars = Int64(clamping: (product * 2 + 1_000_000) / 2_000_000)
        self.init(microCredits: microCredits, listMicroUSD: dollars, chargeMicroUSD: dollars)
    }

    /// Nothing.
    package static let zero = Charge(microCredits: 0, listMicroUSD: 0, chargeMicroUSD: 0)

    /// This and what came on top of it.
    func with(_ more: Charge) -> Charge {
        Charge(
            microCredits: microCredits.addingSaturated(more.microCredits),
            listMicroUSD: listMicroUSD.addingSaturated(more.listMicroUSD),
            chargeMicroUSD: chargeMicroUSD.addingSaturated(more.chargeMicroUSD),
            tokens: tokens.addingSaturated(more.tokens), priceVersion: more.priceVersion)
    }

    /// What this is more than a smaller one; nothing where it is not more.
    func above(_ other: Charge) -> Charge {
        Charge(
            microCredits: max(0, microCredits - other.microCredits),
            listMicroUSD: max(0, listMicroUSD - other.listMicroUSD),
            chargeMicroUSD: max(0, chargeMicroUSD - other.chargeMicroUSD),
            tokens: max(0, tokens - other.tokens), priceVersion: priceVersion)
    }
}

/// What a charge is for, and for whom.
package struct ChargeSubject: Sendable, Hashable {
    package var purpose: SpendPurpose
    /// Id of the price list; empty where there is none.
    package var model: String
    /// Who serves it; nil where nobody said.
    package var provider: String?
    package var isPremium: Bool
    package var agent: String
    package var user: String
    package var project: String

    package init(
        purpose: SpendPurpose = .other, model: String = "", provider: String? = nil, isPremium: Bool = false,
        agent: String = "", user: String = "", project: String = ""
    ) {
        self.purpose = purpose
        self.model = model
        self.provider = provider
        self.isPremium = isPremium
        self.agent = agent
        self.user = user
        self.project = project
    }
}
