// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

extension PriceList {
    /// The document of the list, as its file has it; every rate is written out. Reading it gives the same list.
    package var json: JSONValue {
        var agents: JSONObject = ["default": Self.json(defaultAgent)]
        for name in self.agents.keys.sorted() { agents[name] = self.agents[name].map(Self.json) }
        return [
            "version": .string(version), "markupPercent": .string(markup.text),
            "unknownModel": .string(unknownModel.rawValue), "default": Self.json(defaultRates),
            "models": .array(models.map(Self.json)), "agents": .object(agents),
        ]
    }

    private static func json(_ price: ModelPrice) -> JSONValue {
        var object: JSONObject = ["model": .string(price.model)]
        if !price.aliases.isEmpty { object["aliases"] = .strings(price.aliases) }
        object["providers"] = .strings(price.providers)
        object["tier"] = .string(price.tier)
        object["premium"] = .bool(price.isPremium)
        object["rates"] = json(price.rates)
        if let from = price.effectiveFrom { object["effectiveFrom"] = .string(from.rfc3339Micros) }
        return .object(object)
    }

    private static func json(_ rates: TokenRates) -> JSONValue {
        func text(_ rate: Int64) -> JSONValue { .string(DecimalText.text(rate, decimals: 6)) }
        return [
            "input": text(rates.input), "output": text(rates.output), "cacheRead": text(rates.cacheRead),
            "cacheWrite": text(rates.cacheWrite), "reasoning": text(rates.reasoning),
        ]
    }

    private static func json(_ agent: AgentPrice) -> JSONValue {
        [
            "perCallMicroUSD": .int(agent.perCallMicroUSD),
            "perStartedHourMicroUSD": .int(agent.perStartedHourMicroUSD), "premium": .bool(agent.isPremium),
        ]
    }
}
