// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// What models and agents cost. Immutable; one is in force, and what was rated by an older one stays as it is.
package final class PriceList: Sendable, Hashable {
    /// What happens with a model that has no price.
    package enum UnknownModel: String, Sendable, CaseIterable {
        /// It is refused.
        case fail
        /// It is charged at the price that stands in, marked, and rated anew once it has a price.
        case quarantine
    }

    /// Named in everything that is rated by it.
    package let version: String
    /// Added where neither the account nor its plan says otherwise.
    package let markup: MarkupPercent
    package let unknownModel: UnknownModel
    /// What stands in for an unknown model's.
    package let defaultRates: TokenRates
    /// In the order of the file.
    package let models: [ModelPrice]
    /// Of every agent that has no price of its own.
    package let defaultAgent: AgentPrice
    /// By agent.
    package let agents: [String: AgentPrice]
    private let index: PriceIndex

    init(
        version: String, markup: MarkupPercent, unknownModel: UnknownModel, defaultRates: TokenRates,
        models: [ModelPrice], defaultAgent: AgentPrice, agents: [String: AgentPrice]
    ) {
        self.version = version
        self.markup = markup
        self.unknownModel = unknownModel
        self.defaultRates = defaultRates
        self.models = models
        self.defaultAgent = defaultAgent
        self.agents = agents
        index = PriceIndex(models)
    }

    /// Reads the document of a price list.
    ///
    /// - Parameter tiers: the `modelTiers` of the plans, of which each tier must be one; nil where plans may change on their own.
    /// - Throws: `CatalogueError` with every problem there is.
    package static func read(_ document: JSONValue, tiers: [String]? = nil) throws(CatalogueError) -> PriceList {
        var reader = PriceReader(tiers: tiers)
        guard let prices = reader.prices(document), reader.problems.isEmpty else {
            throw CatalogueError(problems: reader.problems.list)
        }
        return prices
    }

    package static func == (left: PriceList, right: PriceList) -> Bool {
        left === right
            || left.version == right.version && left.markup == right.markup && left.unknownModel == right.unknownModel
                && left.defaultRates == right.defaultRates && left.models == right.models
                && left.defaultAgent == right.defaultAgent && left.agents == right.agents
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(version)
        hasher.combine(models.count)
    }

    // MARK: Looking up

    /// The price of a model at an instant.
    ///
    /// - Parameters:
    ///   - name: its exact id or alias, or `provider/model`.
    ///   - provider: who serves it; the price must list it.
    /// - Returns: nil where there is none, or where the name alone fits more than one.
    package func model(_ name: String, provider: String? = nil, at instant: Timestamp) -> ModelPrice? {
        index.find(name, provider: provider, at: instant).map { models[$0] }
    }

    /// A model and the provider that was named with it in one text, which is looked up like the two.
    static func fullName(_ model: String, provider: String?) -> String {
        guard let provider, !provider.isEmpty, !model.hasPrefix("\(provider)/") else { return model }
        return "\(provider)/\(model)"
    }

    /// What an agent costs.
    package func agent(_ name: String?) -> AgentPrice { name.flatMap { agents[$0] } ?? defaultAgent }

    // MARK: Rating

    /// What tokens cost.
    ///
    /// A stream is rated on its running totals, always at the instant at which it began: each increment costs the difference of two of them.
    ///
    /// - Parameters:
    ///   - markup: the account's, else its plan's; nil = the list's own.
    ///   - creditValueMicroUSD: what a credit is worth; divides 1 000 000.
    ///   - instant: when they were used: a price may begin later.
    ///   - unknown: what happens with a model that has no price; nil = what the list says.
    /// - Throws: `billing.unknown_model`, `billing.overflow`.
    package func rate(
        _ counts: TokenCounts, model name: String, provider: String? = nil, markup: MarkupPercent? = nil,
        creditValueMicroUSD: Int64, at instant: Timestamp, unknown: UnknownModel? = nil
    ) throws(Refusal) -> RatedAmount {
        let found = index.find(name, provider: provider, at: instant)
        guard found != nil || (unknown ?? unknownModel) == .quarantine else {
            throw Refusal(.billingUnknownModel, details: ["field": "model", "model": .string(name)])
        }
        let rates = found.map { models[$0].rates } ?? defaultRates
        return try RatedAmount(
            exact: rates.exact(counts), parts: TokenRates.tokensPerRate, markup: markup ?? self.markup,
            creditValueMicroUSD: creditValueMicroUSD, priceVersion: version, isQuarantined: found == nil,
            model: found.map { models[$0].model })
    }

    /// What a call can cost before it is made: of output and reasoning the dearer is taken.
    ///
    /// - Parameters:
    ///   - counts: what is known, without output and reasoning.
    ///   - maxOutput: most tokens that may come back, of both classes together.
    /// - Throws: `billing.unknown_model`, `billing.overflow`.
    package func estimate(
        _ counts: TokenCounts, maxOutput: Int64, model name: String, provider: String? = nil,
        markup: MarkupPercent? = nil, creditValueMicroUSD: Int64, at instant: Timestamp, unknown: UnknownModel? = nil
    ) throws(Refusal) -> RatedAmount {
        let rates = index.find(name, provider: provider, at: instant).map { models[$0].rates } ?? defaultRates
        var counts = counts
        if rates.reasoning > rates.output {
            counts.reasoning = counts.reasoning.addingSaturated(maxOutput)
        } else {
            counts.output = counts.output.addingSaturated(maxOutput)
        }
        return try rate(
            counts, model: name, provider: provider, markup: markup, creditValueMicroUSD: creditValueMicroUSD,
            at: instant, unknown: unknown)
    }

    /// What an agent's calls and its time cost; an hour that was begun is a whole one.
    ///
    /// - Parameters:
    ///   - calls: at least 0.
    ///   - seconds: at least 0.
    ///   - agent: whose price; nil = the default one.
    ///   - markup: the account's, else its plan's; nil = the list's own.
    /// - Throws: `billing.overflow`.
    package func rateAgent(
        calls: Int64, seconds: Int64, agent name: String? = nil, markup: MarkupPercent? = nil,
        creditValueMicroUSD: Int64
    ) throws(Refusal) -> RatedAmount {
        guard calls >= 0, seconds >= 0 else { throw Refusal(.billingOverflow) }
        let price = agent(name)
        let hours = Int128(seconds / 3600) + (seconds % 3600 > 0 ? 1 : 0)
        let exact = Int128(calls) * Int128(price.perCallMicroUSD) + hours * Int128(price.perStartedHourMicroUSD)
        return try RatedAmount(
            exact: exact, parts: 1, markup: markup ?? self.markup, creditValueMicroUSD: creditValueMicroUSD,
            priceVersion: version)
    }
}
