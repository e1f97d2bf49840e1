// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// What a model costs at some providers, from an instant on.
package struct ModelPrice: Sendable, Hashable {
    /// Its id.
    package var model: String
    /// Other names of the same model.
    package var aliases: [String]
    /// Who sells it at this price; at least one.
    package var providers: [String]
    /// One of the catalogue's `modelTiers`.
    package var tier: String
    /// Whether it counts against a plan's premium models.
    package var isPremium: Bool
    package var rates: TokenRates
    /// From when on; nil = since ever.
    package var effectiveFrom: Timestamp?

    package init(
        model: String, aliases: [String] = [], providers: [String], tier: String, isPremium: Bool, rates: TokenRates,
        effectiveFrom: Timestamp? = nil
    ) {
        self.model = model
        self.aliases = aliases
        self.providers = providers
        self.tier = tier
        self.isPremium = isPremium
        self.rates = rates
        self.effectiveFrom = effectiveFrom
    }

    /// Every name under which it is found.
    var names: [String] { [model] + aliases }
}

/// What an agent costs.
package struct AgentPrice: Sendable, Hashable {
    package var perCallMicroUSD: Int64
    package var perStartedHourMicroUSD: Int64
    /// Whether a plan must allow premium agents.
    package var isPremium: Bool

    package init(perCallMicroUSD: Int64, perStartedHourMicroUSD: Int64, isPremium: Bool) {
        self.perCallMicroUSD = perCallMicroUSD
        self.perStartedHourMicroUSD = perStartedHourMicroUSD
        self.isPremium = isPremium
    }
}
