// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// A page of a list, and where it goes on.
package struct BillingPage<Element: Sendable>: Sendable {
    package let elements: [Element]
    /// Of the next page; nil where this is the last.
    package let next: String?
}

extension LedgerEntry {
    /// `{sequence, id, key, type, at, recorded_at, legs[{bucket, micro_credits}], reference, …, balance_after}`
    package var json: JSONValue {
        [
            "sequence": .int(sequence), "id": .string(id), "key": .string(key), "type": .string(kind.rawValue),
            "at": .string(at.rfc3339Micros), "recorded_at": .string(recordedAt.rfc3339Micros),
            "legs": .array(
                legs.map { ["bucket": .string($0.bucket.text), "micro_credits": .int($0.microCredits)] }),
            "reference": .optional(reference), "list_micro_usd": listMicroUSD.map(JSONValue.int) ?? .null,
            "charge_micro_usd": chargeMicroUSD.map(JSONValue.int) ?? .null, "price_version": .optional(priceVersion),
            "actor": .string(actor), "balance_after": .int(balanceAfter),
        ]
    }
}

extension BillingService {
    /// A page of the ledger, the newest first.
    ///
    /// - Throws: `request.invalid` for a cursor that is none.
    package func ledger(_ account: String, _ page: PageQuery) async throws(Refusal) -> BillingPage<LedgerEntry> {
        let before = try page.cursor.map { text throws(Refusal) in
            guard let sequence = Int64(text) else { throw Self.badCursor }
            return sequence
        }
        let entries = try await rows(account) { try $0.entries(before: before, limit: page.limit + 1) }
        let shown = Array(entries.prefix(page.limit))
        return BillingPage(
            elements: shown, next: entries.count > page.limit ? shown.last.map { String($0.sequence) } : nil)
    }

    /// Balance, what is held, and a page of the grants, the newest first.
    ///
    /// - Throws: `request.invalid` for a cursor that is none.
    package func credits(
        _ account: String, _ page: PageQuery
    ) async throws(Refusal) -> (view: AccountView, grants: BillingPage<Grant>) {
        try await look(account) { work, reader in
            let before = try page.cursor.map { id in
                guard let row = try reader.grant(id: id) else { throw Self.badCursor }
                return row
            }
            let rows = try reader.grants(before: before, limit: page.limit + 1)
            let open = Dictionary(work.book.grants.map { ($0.id, $0) }) { first, _ in first }
            let changed = Dictionary(work.changes.grants.map { ($0.id, $0) }) { _, last in last }
            let shown = try rows.prefix(page.limit).map { row in
                try open[row.id] ?? changed[row.id] ?? Grant(row)
            }
            let next = rows.count > page.limit ? shown.last?.id : nil
            return (AccountView(work), BillingPage(elements: shown, next: next))
        }
    }

    /// What windows gained, in the order of their starts.
    ///
    /// - Throws: `request.invalid` above `SeriesRequest.maximumBuckets`.
    package func series(_ request: SeriesRequest, account: String) async throws(Refusal) -> JSONValue {
        let most = SeriesRequest.maximumBuckets
        let windows = try await rows(account) { reader in
            try reader.windows(
                request.granularity, from: request.from, to: request.to, by: request.groupBy, limit: most + 1)
        }
        guard windows.count <= most else {
            throw Refusal(
                .requestInvalid,
                message: "More than \(most) buckets: ask for a shorter span, longer windows or fewer dimensions",
                details: ["field": "group_by"])
        }
        return UsageShapes.series(request, windows)
    }

    /// A page of recorded usage, the newest first.
    package func history(_ query: UsageQuery, account: String) async throws(Refusal) -> JSONValue {
        var more = query
        more.limit += 1
        let (asked, limit) = (more, query.limit)
        let found = try await rows(account) { try $0.usage(asked) }
        return UsageShapes.history(Array(found.prefix(limit)), hasMore: found.count > limit)
    }

    /// How the period will end if it goes on like its mean day.
    ///
    /// - Throws: `billing.overflow`.
    package func forecast(_ account: String) async throws(Refusal) -> UsageForecast {
        let (view, days) = try await look(account) { work, reader in
            let today = UsageWindowDelta.Granularity.day.start(of: work.now)
            // A period that begins within a day has its first complete day with the next one.
            var first = UsageWindowDelta.Granularity.day.start(of: work.standing.period.start)
            if first < work.standing.period.start { first = first.adding(seconds: 86_400) }
            let windows = first < today ? try reader.windows(.day, from: first, to: today, by: []) : []
            let used = Dictionary(windows.map { ($0.start, $0.amounts.chargeMicroCredits) }) { $0 + $1 }
            var days: [Int64] = []
            while first < today {
                days.append(used[first] ?? 0)
                first = first.adding(seconds: 86_400)
            }
            return (AccountView(work), days)
        }
        return try UsageForecast(
            now: view.asOf, periodStart: view.standing.period.start, periodEnd: view.standing.period.end,
            used: view.book.counters.period.usedMicroCredits, available: view.spendableMicroCredits, completeDays: days)
    }

    /// A page of accounts in the order of their ids, as they are stored.
    ///
    /// - Throws: `billing.unavailable`.
    package func accounts(_ page: PageQuery) async throws(Refusal) -> BillingPage<AccountBook> {
        do {
            let rows = try await ledger.accounts(after: page.cursor, limit: page.limit + 1)
            let shown = try rows.prefix(page.limit).map { try AccountBook($0) }
            return BillingPage(elements: shown, next: rows.count > page.limit ? shown.last?.account : nil)
        } catch { throw fault(error, "") }
    }

    private static var badCursor: Refusal {
        Refusal(.requestInvalid, message: "The cursor is none of this list", details: ["field": "cursor"])
    }
}
