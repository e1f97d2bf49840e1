// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import TestSupport
internal import Testing

extension BillingKinds {
    /// The shipped price list.
    static func prices() throws -> PriceList {
        try PriceList.read(YAMLText.json(BuiltInPrices.pricesYAML))
    }

    /// What a credit is worth in the shipped plans.
    static let creditValue: Int64 = 10_000

    /// Tokens of one use.
    @Sendable static func rating(_ record: CaseRecord) async throws {
        let given = record.given
        let markup = try given["markup_percent"].map { try #require(MarkupPercent(json: $0)) } ?? MarkupPercent.none
        let unknown = try #require(PriceList.UnknownModel(rawValue: given["unknown_model"]?.stringValue ?? "fail"))
        let model = try #require(given["model"]?.stringValue)
        let counts = try counts(given["tokens"])
        let prices = try prices()
        let rate = { () throws(Refusal) in
            try prices.rate(
                counts, model: model, provider: given["provider"]?.stringValue, markup: markup,
                creditValueMicroUSD: creditValue, at: Timestamp(seconds: 1_772_366_400), unknown: unknown)
        }
        if let code = record.expect["error"]?.stringValue {
            #expect(throws: Refusal(.billingUnknownModel, details: ["field": "model", "model": .string(model)])) {
                try rate()
            }
            #expect(code == ErrorCode.billingUnknownModel.rawValue)
        } else {
            expect(json(try rate()), has: record.expect, record.id)
        }
    }

    /// Calls and run time of an agent.
    @Sendable static func agentRating(_ record: CaseRecord) async throws {
        let amount = try prices().rateAgent(
            calls: try #require(record.given["calls"]?.intValue),
            seconds: try #require(record.given["seconds"]?.intValue), markup: MarkupPercent.none,
            creditValueMicroUSD: creditValue)
        expect(json(amount), has: record.expect, record.id)
    }

    /// Running totals of a stream: what each step charges, and all of them.
    @Sendable static func ratingStream(_ record: CaseRecord) async throws {
        let prices = try prices()
        var charged: Int64 = 0
        for (index, step) in record.steps.enumerated() {
            let amount = try prices.rate(
                counts(step["tokens"]), model: try #require(record.given["model"]?.stringValue),
                creditValueMicroUSD: creditValue, at: Timestamp(seconds: 1_772_366_400))
            let delta = amount.chargeMicroUSD - charged
            charged = amount.chargeMicroUSD
            #expect(delta == step["expect"]?["delta_micro_usd"]?.intValue, "\(record.id): step \(index)")
        }
        #expect(charged == record.expect["total_micro_usd"]?.intValue)
    }

    /// Counts as cases write them.
    static func counts(_ value: JSONValue?) throws -> TokenCounts {
        let object = try #require(value?.objectValue)
        return TokenCounts(
            input: object["input"]?.intValue ?? 0, output: object["output"]?.intValue ?? 0,
            cacheRead: object["cache_read"]?.intValue ?? 0, cacheWrite: object["cache_write"]?.intValue ?? 0,
            reasoning: object["reasoning"]?.intValue ?? 0)
    }

    private static func json(_ amount: RatedAmount) -> JSONValue {
        [
            "list_micro_usd": .int(amount.listMicroUSD), "charge_micro_usd": .int(amount.chargeMicroUSD),
            "markup_micro_usd": .int(amount.markupMicroUSD),
            "charge_micro_credits": .int(amount.chargeMicroCredits), "quarantined": .bool(amount.isQuarantined),
        ]
    }
}
