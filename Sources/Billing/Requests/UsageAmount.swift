// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// How much a body asks for or reports: an amount, or tokens that are rated.
package enum UsageAmount: Sendable, Hashable {
    /// Tokens of a model.
    package struct Tokens: Sendable, Hashable {
        /// Nil where the model is that of the reservation.
        package var model: String?
        package var provider: String?
        package var counts: TokenCounts
        /// Most tokens that may come back, beside `counts`: only where something is estimated.
        package var maxOutput: Int64

        package init(model: String?, provider: String? = nil, counts: TokenCounts, maxOutput: Int64 = 0) {
            self.model = model
            self.provider = provider
            self.counts = counts
            self.maxOutput = maxOutput
        }

        /// Every token that may be used.
        package var total: Int64 { counts.total.addingSaturated(maxOutput) }
    }

    case microCredits(Int64)
    case tokens(Tokens)

    /// Reads `usage` or `micro_credits`; exactly one of them must be there.
    ///
    /// - Parameters:
    ///   - needsModel: whether `usage` must name its model.
    ///   - estimates: whether `usage` may have `max_output`.
    /// - Throws: `request.malformed`, `usage.bad_count`, `usage.inconsistent_counts`, `usage.missing_counts`.
    static func read(
        _ fields: inout BodyFields, needsModel: Bool, estimates: Bool
    ) throws(Refusal) -> UsageAmount? {
        switch (fields.has("usage"), fields.has("micro_credits")) {
        case (true, true):
            fields.fault("micro_credits", "not together with usage")
            return nil
        case (false, false):
            fields.fault("usage", "required, or micro_credits")
            return nil
        case (false, true):
            return fields.number("micro_credits", 0...BodyFields.maximumAmount).map(UsageAmount.microCredits)
        case (true, false):
            guard let usage = fields.inner("usage") else { return nil }
            return .tokens(try tokens(usage, needsModel: needsModel, estimates: estimates, &fields))
        }
    }

    /// Tokens of an object that has nothing else than a model, a provider and counts.
    static func tokens(
        _ usage: JSONObject, needsModel: Bool, estimates: Bool, path: String = "usage.", _ outer: inout BodyFields
    ) throws(Refusal) -> Tokens {
        let members = TokenMembers(usage, readsMaxOutput: estimates, listsOthers: true)
        let countNames = Set(usage.names).subtracting(members.others)
        var fields = try BodyFields(usage, known: countNames.union(["model", "provider"]), path: path)
        let model = needsModel ? fields.requiredText("model") : fields.text("model")
        let provider = fields.text("provider")
        outer.take(fields)
        if let fault = members.fault { throw UsageRefusal.at(fault.code, path + fault.field) }
        guard members.isAnyGiven else {
            throw UsageRefusal.at(.usageMissingCounts, String(path.dropLast()))
        }
        return Tokens(model: model, provider: provider, counts: members.tokens, maxOutput: members.maxOutput ?? 0)
    }

    /// What it costs, as an estimate where it has `maxOutput`.
    ///
    /// - Parameters:
    ///   - model: where the amount names none.
    ///   - instant: when it was or is used.
    /// - Throws: `billing.unknown_model`, `billing.overflow`.
    package func rated(
        by prices: PriceList, model: String? = nil, provider: String? = nil, markup: MarkupPercent?,
        creditValueMicroUSD: Int64, at instant: Timestamp
    ) throws(Refusal) -> RatedAmount {
        switch self {
        case .microCredits(let amount):
            // An amount that is named has no list price of its own: it is what it is.
            let dollars = amount / max(1, 1_000_000 / max(1, creditValueMicroUSD))
            return RatedAmount(
                listMicroUSD: dollars, chargeMicroUSD: dollars, chargeMicroCredits: amount,
                priceVersion: prices.version)
        case .tokens(let tokens):
            return try prices.estimate(
                tokens.counts, maxOutput: tokens.maxOutput, model: tokens.model ?? model ?? "",
                provider: tokens.provider ?? provider, markup: markup, creditValueMicroUSD: creditValueMicroUSD,
                at: instant)
        }
    }
}
