// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// What rating anew came to.
package struct RerateAnswer: Sendable, Hashable {
    /// Records that were rated anew.
    package var records: Int64 = 0
    /// The difference that was booked, in micro-credits; below 0 where the account got something back.
    package var differenceMicroCredits: Int64 = 0
    /// What of it could not be collected, in micro-credits.
    package var uncollectedMicroCredits: Int64 = 0

    /// `{records, difference_micro_credits, uncollected_micro_credits}`
    package var json: JSONValue {
        [
            "records": .int(records), "difference_micro_credits": .int(differenceMicroCredits),
            "uncollected_micro_credits": .int(uncollectedMicroCredits),
        ]
    }
}

extension BillingService {
    /// Rates the records anew that were charged at the price that stands in for a model's, and books the differences.
    ///
    /// - Throws: `billing.unknown_model` where the model still has no price.
    package func rerate(
        model: String, account: String, actor: String
    ) async throws(Refusal) -> RerateAnswer {
        let prices = prices.prices
        guard prices.model(model, at: clock.now()) != nil else {
            throw Refusal(.billingUnknownModel, details: ["field": "model", "model": .string(model)])
        }
        return try await change(account, actor: actor, makes: false) { work, transaction in
            var answer = RerateAnswer()
            var last: UsageRow?
            while true {
                let rows = try transaction.quarantined(model: model, after: last, limit: 500)
                for row in rows { try work.rerate(row, prices: prices, &answer, in: transaction) }
                guard rows.count == 500 else { return answer }
                last = rows.last
            }
        }
    }
}

extension AccountWork {
    /// Rates one record anew; one whose time the price does not cover stays as it is.
    mutating func rerate(
        _ row: UsageRow, prices: PriceList, _ answer: inout RerateAnswer, in transaction: any BillingTransaction
    ) throws {
        guard prices.model(row.dimensions.model, at: row.at) != nil else { return }
        let counts = TokenCounts(
            input: row.amounts.input, output: row.amounts.output, cacheRead: row.amounts.cacheRead,
            cacheWrite: row.amounts.cacheWrite, reasoning: row.amounts.reasoning)
        let rated = try prices.rate(
            counts, model: row.dimensions.model, markup: markup, creditValueMicroUSD: creditValue, at: row.at)
        let collected = row.amounts.chargeMicroCredits - row.uncollectedMicroCredits
        // What was never collected is not given back.
        let difference =
            rated.chargeMicroCredits > row.amounts.chargeMicroCredits
            ? rated.chargeMicroCredits - row.amounts.chargeMicroCredits
            : min(0, rated.chargeMicroCredits - collected)
        let missing = book.adjust(
            -difference, key: "rerate:\(row.source)/\(row.id)@\(row.receivedAt.microseconds)",
            correcting: "event:\(row.source)/\(row.id)", standing: standing, into: &changes)
        var delta = UsageAmounts()
        delta.listMicroUSD = rated.listMicroUSD - row.amounts.listMicroUSD
        delta.chargeMicroUSD = rated.chargeMicroUSD - row.amounts.chargeMicroUSD
        delta.chargeMicroCredits = rated.chargeMicroCredits - row.amounts.chargeMicroCredits
        var updated = row
        updated.amounts.add(delta)
        updated.isQuarantined = false
        updated.priceVersion = rated.priceVersion
        updated.uncollectedMicroCredits =
            max(0, min(row.uncollectedMicroCredits, rated.chargeMicroCredits - collected)) + missing
        try transaction.update(updated)
        try transaction.add(UsageWindowDelta.Granularity.windows(at: row.at, row.dimensions, delta))
        changes.isAccountChanged = true
        answer.records += 1
        answer.differenceMicroCredits = answer.differenceMicroCredits.addingSaturated(difference)
        answer.uncollectedMicroCredits = answer.uncollectedMicroCredits.addingSaturated(missing)
    }
}
