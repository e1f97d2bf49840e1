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

    /// Where the next call goes on; nil = everything was looked at.
    package var next: RerateCursor?

    /// `{records, difference_micro_credits, uncollected_micro_credits, next_cursor}`
    package var json: JSONValue {
        [
            "records": .int(records), "difference_micro_credits": .int(differenceMicroCredits),
            "uncollected_micro_credits": .int(uncollectedMicroCredits), "next_cursor": .optional(next?.text),
        ]
    }

    mutating func add(_ other: RerateAnswer) {
        records += other.records
        differenceMicroCredits = differenceMicroCredits.addingSaturated(other.differenceMicroCredits)
        uncollectedMicroCredits = uncollectedMicroCredits.addingSaturated(other.uncollectedMicroCredits)
    }
}

extension BillingService {
    /// Most records that one call looks at, and most of them in one transaction.
    private static let recordsAtOnce = 5000
    private static let recordsTogether = 500
    /// Most accounts that one call looks at.
    private static let accountsAtOnce = 500

    /// Rates the records anew that were charged at the price that stands in for a model's, and books the differences: of one account, or of all
    /// in the order of their ids. A call does so much and no more, and tells where the next one goes on; each transaction is one
    /// account's, so after a fault the same call again goes on with the rest.
    ///
    /// - Throws: `billing.unknown_model` where the model still has no price.
    package func rerate(_ request: RerateRequest, actor: String) async throws(Refusal) -> RerateAnswer {
        let prices = prices.prices
        guard prices.model(request.model, at: clock.now()) != nil else {
            throw Refusal(.billingUnknownModel, details: ["field": "model", "model": .string(request.model)])
        }
        var (answer, place) = (RerateAnswer(), request.cursor)
        var (records, accounts) = (Self.recordsAtOnce, Self.accountsAtOnce)
        while true {
            if place?.record == nil {
                guard let account = try await next(after: place, request) else { return answer }
                guard accounts > 0 else { break }
                accounts -= 1
                place = RerateCursor(account: account)
            }
            guard let here = place else { break }
            let page = try await ratePage(request.model, at: here, prices: prices, actor: actor)
            answer.add(page.answer)
            records -= page.count
            place = RerateCursor(account: here.account, record: page.last)
            if records <= 0 { break }
        }
        answer.next = place
        return answer
    }

    /// The account that is next; nil where there is none.
    private func next(after place: RerateCursor?, _ request: RerateRequest) async throws(Refusal) -> String? {
        if let account = request.account { return place == nil ? account : nil }
        do {
            return try await ledger.accounts(after: place?.account, limit: 1).first?.account
        } catch { throw fault(error, "") }
    }

    /// - Returns: where the page ended; nil where it was the account's last.
    private func ratePage(
        _ model: String, at place: RerateCursor, prices: PriceList, actor: String
    ) async throws(Refusal) -> (answer: RerateAnswer, count: Int, last: UsageCursor?) {
        try await change(place.account, actor: actor, makes: false) { work, transaction in
            var answer = RerateAnswer()
            let rows = try transaction.quarantined(
                model: model, after: place.record.map(UsageRow.init(at:)), limit: Self.recordsTogether)
            for row in rows { try work.rerate(row, prices: prices, &answer, in: transaction) }
            let last = rows.count == Self.recordsTogether ? rows.last : nil
            return (answer, rows.count, last.map { UsageCursor(at: $0.at, source: $0.source, id: $0.id) })
        }
    }
}

/// Where rating anew stopped: behind an account, or behind a record of it.
package struct RerateCursor: Sendable, Hashable {
    package var account: String
    package var record: UsageCursor?

    package init(account: String, record: UsageCursor? = nil) {
        self.account = account
        self.record = record
    }

    /// As it is given out.
    package var text: String {
        let list: JSONValue = [.string(account), .optional(record?.text)]
        return Base64URL.encode(list.encoded())
    }

    /// Nil where the text is none that was given out.
    package init?(text: String) {
        guard text.utf8.count <= 4096, let bytes = Base64URL.decode(Array(text.utf8)),
            // Why a text from outside is no cursor helps nobody.
            let list = (try? JSONParser.parse(bytes, limits: .init(depth: 1, values: 8)))?.arrayValue, list.count == 2,
            let account = list[0].stringValue, !account.isEmpty
        else { return nil }
        let record = list[1].stringValue.flatMap(UsageCursor.init(text:))
        guard record != nil || list[1].isNull else { return nil }
        self.init(account: account, record: record)
    }
}

extension UsageRow {
    /// What pages need of the last record of the page before.
    fileprivate init(at place: UsageCursor) {
        self.init(
            kind: "", source: place.source, id: place.id, digest: "", at: place.at, receivedAt: place.at,
            dimensions: UsageDimensions(), amounts: UsageAmounts())
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
        book.meter(delta.chargeMicroUSD, standing: standing)
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
