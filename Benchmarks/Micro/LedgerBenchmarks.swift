// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import Foundation
internal import Persistence
internal import TestSupport

/// What the ledger in a file costs, with every answer durable: usage in batches of 100, and reservations with their commits. Prints a Markdown
/// table.
///
/// The bodies do what the books of an account do in the database, and no arithmetic. A batch asks for repeats, records 100 events, appends an
/// entry for each, adds to four windows and puts the account.
struct LedgerBenchmarks {
    private static let source = "https://gateway.example/usage"
    private static let (batch, callers, waiting) = (100, 16, 64)
    private static let document = #"{"grants":[\#(String(repeating: #"{"id":"g","left":100000},"#, count: 30))0]}"#

    let effort: Measurement.Effort
    /// Whether it goes on to ten million stored events, which takes minutes and 8 GB.
    let isLarge: Bool

    func run() async throws {
        print("| measurement | stored events | p50 ms | p99 ms | a second |")
        print("| --- | ---: | ---: | ---: | ---: |")
        for hasOrderedIDs in [true, false] {
            for stored in [10_000, 1_000_000] + (isLarge ? [10_000_000] : []) {
                try await run(stored: stored, hasOrderedIDs: hasOrderedIDs)
            }
        }
    }

    private func run(stored: Int, hasOrderedIDs: Bool) async throws {
        let folder = try TemporaryDirectory()
        let store = try SQLiteStore(path: "\(folder.path)/store.sqlite", clock: SystemWallClock())
        let ledger = SQLiteBillingLedger(store)
        for _ in 0..<stored / 1000 { try await record(1000, "stored", hasOrderedIDs, in: ledger) }
        let ids = hasOrderedIDs ? "ids in the order of time" : "ids in no order"
        for accounts in [1, 10] {
            let times = try await CallTimes.of(callers: Self.callers, count: 4000 * effort.percent / 100) { index in
                try await record(Self.batch, "batch\(accounts)-\(index % accounts)", hasOrderedIDs, in: ledger)
            }
            report("usage in batches of 100, \(accounts) accounts, \(ids)", stored, times, each: Self.batch)
        }
        if hasOrderedIDs {
            let times = try await CallTimes.of(callers: Self.waiting, count: 20_000 * effort.percent / 100) { index in
                try await pair("pair-\(index % 8)", in: ledger)
            }
            report("reserve and commit, \(Self.waiting) at once, 8 accounts", stored, times, each: 1)
        }
        try store.close()
    }

    // MARK: What is measured

    private func record(
        _ count: Int, _ account: String, _ hasOrderedIDs: Bool, in ledger: SQLiteBillingLedger
    ) async throws {
        let now = SystemWallClock().now()
        let rows = (0..<count).map { _ in Self.usage(Self.id(hasOrderedIDs, now), now) }
        let document = Self.document
        try await ledger.transact(account) { transaction in
            let version = try transaction.accountVersion()
            let repeats = try transaction.usage(
                rows.map { UsageKey(source: $0.source, id: $0.id) }, since: Timestamp(seconds: 0))
            try ContractBroken.hold(repeats.isEmpty)
            try transaction.record(rows)
            try transaction.append(
                rows.enumerated().map { number, row in
                    Self.entry(version * Int64(count) + Int64(number) + 1, key: "usage:\(row.id)", now)
                })
            try transaction.add(Self.windows(rows))
            try transaction.put(AccountRow(account: account, version: version, document: document, dueAt: now))
        }
    }

    private func pair(_ account: String, in ledger: SQLiteBillingLedger) async throws {
        let now = SystemWallClock().now()
        let id = UUIDv7.make(at: now)
        let document = Self.document
        for isOpen in [true, false] {
            try await ledger.transact(account) { transaction in
                let version = try transaction.accountVersion()
                _ = try transaction.reservation(key: "request:\(id)")
                try transaction.put(
                    ReservationRow(
                        id: id, key: "request:\(id)", document: #"{"state":"held","held":100,"grants":[["g",100]]}"#,
                        endsAt: isOpen ? now.adding(seconds: 300) : nil, createdAt: now))
                try transaction.append([
                    Self.entry(version * 2 + 1, key: "\(isOpen ? "hold" : "settle"):\(id)", now),
                    Self.entry(version * 2 + 2, key: "\(isOpen ? "more" : "release"):\(id)", now),
                ])
                try transaction.put(AccountRow(account: account, version: version, document: document, dueAt: now))
            }
        }
    }

    private static func id(_ isOrdered: Bool, _ now: Timestamp) -> String {
        isOrdered ? UUIDv7.make(at: now) : Hex.encode(SystemRandomSource().bytes(16))
    }

    private static func usage(_ id: String, _ now: Timestamp) -> UsageRow {
        var amounts = UsageAmounts()
        amounts.requests = 1
        amounts.input = 1234
        amounts.output = 567
        amounts.listMicroUSD = 17_500
        amounts.chargeMicroUSD = 17_500
        amounts.chargeMicroCredits = 1_750_000
        return UsageRow(
            kind: "tokens", source: source, id: id, digest: String(repeating: "5e", count: 32), at: now,
            receivedAt: now,
            dimensions: UsageDimensions(model: "claude-opus-4-5", agent: "coder", user: "user-1", project: "apollo"),
            amounts: amounts, priceVersion: "2026-11-01")
    }

    private static func entry(_ sequence: Int64, key: String, _ now: Timestamp) -> LedgerEntry {
        LedgerEntry(
            sequence: sequence, id: UUIDv7.make(at: now), key: key, kind: .settle, at: now, recordedAt: now,
            legs: [.init(.grant("019c4690-7c7b-70a1-8b2c-0123456789ab"), -1_750_000), .init(.consumed, 1_750_000)],
            reference: key, listMicroUSD: 17_500, chargeMicroUSD: 17_500, priceVersion: "2026-11-01",
            balanceAfter: 1_000_000_000)
    }

    private static func windows(_ rows: [UsageRow]) -> [UsageWindowDelta] {
        var amounts = UsageAmounts()
        for row in rows { amounts.add(row.amounts) }
        let hour = Timestamp(seconds: rows[0].at.seconds / 3600 * 3600)
        return UsageWindowDelta.Granularity.allCases.map {
            UsageWindowDelta(granularity: $0, start: hour, dimensions: rows[0].dimensions, amounts: amounts)
        }
    }

    private func report(_ name: String, _ stored: Int, _ times: CallTimes, each: Int) {
        let figures = [times.micros(0.5), times.micros(0.99)].map { Measurement.fixed($0 / 1000, 2) }
        let rate = Measurement.fixed(times.rate * Double(each), 0)
        print("| \(name) | \(stored) | \(figures[0]) | \(figures[1]) | \(rate) |")
        // The next row may take minutes.
        fflush(nil)
    }
}
