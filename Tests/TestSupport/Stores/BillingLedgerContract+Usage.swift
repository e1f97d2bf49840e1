// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials

extension BillingLedgerContract {
    /// Recorded usage.
    static let usage: [Behaviour] = [
        Behaviour("usage: every member comes back") { try await $0.keepsEveryMemberOfUsage() },
        Behaviour("usage: a repeat is told until its time is over") { try await $0.tellsRepeats() },
        Behaviour("usage: pages are the newest first and complete") { try await $0.pagesUsage() },
        Behaviour("usage: is picked by time and dimensions") { try await $0.picksUsage() },
        Behaviour("usage: what was quarantined is rated anew") { try await $0.ratesAnew() },
    ]

    private func keepsEveryMemberOfUsage() async throws {
        let rows = Self.identifiers.enumerated().map { (number: Int, identifier: String) -> UsageRow in
            var row = Self.usage(
                identifier, source: "https://gateway/\(number % 2)", at: Int64(number), received: 100,
                UsageDimensions(model: "m", agent: "", user: "ü", project: "p\(number)"))
            row.kind = number % 2 == 0 ? "tokens" : "agent"
            var next = Int64(number)
            row.amounts = UsageAmounts(filledBy: {
                next += 1
                return next
            })
            row.uncollectedMicroCredits = .max
            row.isQuarantined = number == 3
            row.priceVersion = number == 4 ? nil : "2026"
            row.reservation = number == 5 ? identifier : nil
            row.session = number == 6 ? identifier : nil
            row.task = number == 1 ? identifier : nil
            row.digest = number == 2 ? "no digest" : String(repeating: "0f", count: 32)
            return row
        }
        try await write { try $0.record(rows) }
        try await ledger.read("acme") { reader in
            for row in rows {
                try same(try reader.usage(source: row.source, id: row.id, since: row.receivedAt), row)
            }
            try same(try reader.usage(UsageQuery(limit: 99)), rows.reversed())
            let keys = rows.map { UsageKey(source: $0.source, id: $0.id) }
            let missing = UsageKey(source: keys[0].source, id: keys[1].id)
            let found = try reader.usage(keys + [missing], since: at(0))
            try same(found, Dictionary(uniqueKeysWithValues: zip(keys, rows)))
            try hold(try reader.usage(keys, since: at(101)).isEmpty)
            try hold(try reader.usage([], since: at(0)).isEmpty)
        }
    }

    private func tellsRepeats() async throws {
        let first = Self.usage("e", at: 10, received: 20)
        try await write { try $0.record([first]) }
        try await ledger.read("acme") { reader in
            try same(try reader.usage(source: "gateway", id: "e", since: at(20)), first)
            try hold(try reader.usage(source: "gateway", id: "e", since: at(21)) == nil)
            try hold(try reader.usage(source: "other", id: "e", since: at(0)) == nil)
            try hold(try reader.usage(source: "gateway", id: "f", since: at(0)) == nil)
        }
        // Its time is over: the same id is another event, and both records stay.
        let second = Self.usage("e", at: 50, received: 60)
        try await write { try $0.record([second]) }
        try await ledger.read("acme") { reader in
            try same(try reader.usage(source: "gateway", id: "e", since: at(0)), second)
            try same(try reader.usage(UsageQuery(limit: 9)), [second, first])
        }
    }

    private func pagesUsage() async throws {
        // Many at one instant, and none in the order in which it came.
        let rows = (0..<40).map { (number: Int) -> UsageRow in
            Self.usage("e\(number * 7 % 40)", source: "s\(number % 3)", at: Int64(number % 5))
        }
        try await write { try $0.record(rows) }
        var read: [UsageRow] = []
        while true {
            let before = read.last.map { UsageCursor(at: $0.at, source: $0.source, id: $0.id) }
            let page = try await ledger.read("acme") { try $0.usage(UsageQuery(before: before, limit: 7)) }
            if page.isEmpty { break }
            try hold(page.count <= 7)
            read += page
        }
        try same(read.count, 40)
        try same(Set(read), Set(rows))
        try same(read.map(\.at), read.map(\.at).sorted(by: >))
    }

    private func picksUsage() async throws {
        let rows = (0..<12).map { (number: Int) -> UsageRow in
            Self.usage(
                "e\(number)", at: Int64(number),
                UsageDimensions(
                    model: "m\(number % 2)", agent: "a\(number % 3)", user: number < 6 ? "" : "u", project: "p"))
        }
        try await write { try $0.record(rows) }
        func ids(_ query: UsageQuery) async throws -> [String] {
            try await ledger.read("acme") { try $0.usage(query).map(\.id) }
        }
        try same(try await ids(UsageQuery(from: at(3), to: at(6), limit: 9)), ["e5", "e4", "e3"])
        try same(try await ids(UsageQuery(dimensions: [.model: "m1", .agent: "a0"], limit: 9)), ["e9", "e3"])
        try same(try await ids(UsageQuery(from: at(4), dimensions: [.user: ""], limit: 9)), ["e5", "e4"])
        try same(try await ids(UsageQuery(dimensions: [.project: "nowhere"], limit: 9)), [])
        let before = UsageCursor(at: at(9), source: "gateway", id: "e9")
        try same(try await ids(UsageQuery(dimensions: [.model: "m1"], before: before, limit: 2)), ["e7", "e5"])
    }

    private func ratesAnew() async throws {
        let rows = (0..<6).map { (number: Int) -> UsageRow in
            let dimensions = UsageDimensions(model: number == 5 ? "other" : "new")
            return Self.usage("e\(number)", at: Int64(number / 2), dimensions, quarantined: number != 1)
        }
        try await write { try $0.record(rows) }
        let first = try await ledger.read("acme") { try $0.quarantined(model: "new", after: nil, limit: 2) }
        try same(first.map(\.id), ["e0", "e2"])
        var rated = first
        for index in rated.indices {
            rated[index].isQuarantined = false
            rated[index].priceVersion = "2026-12"
            rated[index].amounts.chargeMicroUSD = 99
        }
        let changed = rated
        try await write { transaction in for row in changed { try transaction.update(row) } }
        let rest = try await ledger.read("acme") { try $0.quarantined(model: "new", after: changed[1], limit: 9) }
        try same(rest.map(\.id), ["e3", "e4"])
        let all = try await ledger.read("acme") { try $0.quarantined(model: "new", after: nil, limit: 9) }
        try same(all, rest)
        let again = try await ledger.read("acme") { try $0.usage(source: "gateway", id: "e2", since: at(0)) }
        try same(again, changed[1])
        let unknown = Self.usage("never recorded")
        try same(await fault { try await write { try $0.update(unknown) } }, .constraint)
    }
}

extension UsageAmounts {
    /// Every amount as the body gives it.
    init(filledBy value: () -> Int64) {
        self.init()
        for path in Self.paths { self[keyPath: path] = value() }
    }

    private static var paths: [WritableKeyPath<UsageAmounts, Int64>] {
        [
            \.requests, \.input, \.output, \.cacheRead, \.cacheWrite, \.reasoning, \.agentCalls, \.agentSeconds,
            \.tasks,
            \.listMicroUSD, \.chargeMicroUSD, \.chargeMicroCredits,
        ]
    }
}
