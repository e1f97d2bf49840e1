// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials

extension BillingLedgerContract {
    /// Reservations.
    static let reservations: [Behaviour] = [
        Behaviour("reservations: found by id and key, once each") { try await $0.keepsReservations() },
        Behaviour("reservations: those whose end has come") { try await $0.findsEndedReservations() },
    ]

    /// The ledger.
    static let entries: [Behaviour] = [
        Behaviour("entries: every member comes back") { try await $0.keepsEveryMember() },
        Behaviour("entries: sequence and key are new") { try await $0.refusesRepeatedEntries() },
        Behaviour("entries: pages are the newest first") { try await $0.pagesEntries() },
    ]

    /// Identifiers of every kind: short, of time, long, alike in the beginning, and looking like each other.
    static let identifiers = [
        "r", "019c4690-7c7b-70a1-8b2c-0123456789ab", "r:019c4690-7c7b-70a1-8b2c-0123456789ab",
        "019C4690-7C7B-70A1-8B2C-0123456789AB", "019c4690-7c7b-70a1-8b2c-0123456789abc", "ä 'quoted' \"twice\"",
        String(repeating: "long", count: 100), String(repeating: "long", count: 100) + "er", "",
    ]

    private func keepsReservations() async throws {
        let rows = Self.identifiers.map { Self.reservation($0) }
        try await write { transaction in for row in rows { try transaction.put(row) } }
        try await ledger.read("acme") { reader in
            for row in rows {
                try same(try reader.reservation(id: row.id), row)
                try same(try reader.reservation(key: row.key), row)
            }
            try hold(try reader.reservation(id: "nothing") == nil)
        }
        var changed = rows[1]
        changed.document = #"{"state":"released"}"#
        changed.endsAt = nil
        let row = changed
        try await write { try $0.put(row) }
        try same(try await ledger.read("acme") { try $0.reservation(id: row.id) } as ReservationRow?, row)
        let twice = Self.reservation("another", key: rows[2].key)
        try same(await fault { try await write { try $0.put(twice) } }, .constraint)
        try hold(try await ledger.read("acme") { try $0.reservation(id: "another") } == nil)
        // Another key frees the one before.
        var renamed = rows[2]
        renamed.key = "renamed"
        let (freed, next) = (renamed, Self.reservation("next", key: rows[2].key))
        try await write { transaction in
            try transaction.put(freed)
            try transaction.put(next)
        }
        try same(try await ledger.read("acme") { try $0.reservation(key: next.key) } as ReservationRow?, next)
        try same(try await ledger.read("acme") { try $0.reservation(key: "renamed") } as ReservationRow?, freed)
    }

    private func findsEndedReservations() async throws {
        for (account, ends) in [("a", [50, 20, nil]), ("b", [10]), ("c", [nil, 90])] as [(String, [Int64?])] {
            try await write(account) { transaction in
                for (number, end) in ends.enumerated() {
                    try transaction.put(Self.reservation("r\(number)", endsAt: end))
                }
            }
        }
        try same(try await ledger.accountsWithEndedReservations(at: at(9), limit: 9), [])
        try same(try await ledger.accountsWithEndedReservations(at: at(60), limit: 9), ["b", "a"])
        try same(try await ledger.accountsWithEndedReservations(at: at(60), limit: 1), ["b"])
        try await ledger.read("a") { reader in
            try same(try reader.endedReservations(at: at(19), limit: 9), [])
            try same(try reader.endedReservations(at: at(60), limit: 9).map(\.id), ["r1", "r0"])
            try same(try reader.endedReservations(at: at(60), limit: 1).map(\.id), ["r1"])
        }
        try await write("b") { try $0.put(Self.reservation("r0", endsAt: nil)) }
        try same(try await ledger.accountsWithEndedReservations(at: at(60), limit: 9), ["a"])
    }

    // MARK: - Ledger

    private func keepsEveryMember() async throws {
        let buckets: [LedgerEntry.Bucket] = [
            .issued, .grant("019c4690-7c7b-70a1-8b2c-0123456789ab"), .held("h:\"1\""), .consumed, .expired, .voided,
            .overage,
        ]
        let kinds = LedgerEntry.Kind.allCases
        var entries = kinds.indices.map { number -> LedgerEntry in
            var entry = Self.entry(Int64(number + 1))
            entry.kind = kinds[number]
            entry.legs = buckets.map { .init($0, Int64(number - 3)) }
            return entry
        }
        entries[0].reference = "event:gateway/019c4690-7c7b-70a1-8b2c-0123456789ab"
        entries[0].listMicroUSD = .max
        entries[0].chargeMicroUSD = 0
        entries[0].priceVersion = "2026-11"
        entries[0].actor = "user:olga"
        entries[0].balanceAfter = .min
        for (number, identifier) in Self.identifiers.enumerated() {
            entries[number].key = "usage:" + identifier
            entries[number].id = identifier
        }
        let rows = entries
        try await write { try $0.append(rows) }
        try await ledger.read("acme") { reader in
            try same(try reader.entries(before: nil, limit: 99), rows.reversed())
            for entry in rows { try same(try reader.entry(key: entry.key), entry) }
            try hold(try reader.entry(key: "nothing") == nil)
        }
    }

    private func refusesRepeatedEntries() async throws {
        try await write { try $0.append([Self.entry(1), Self.entry(2)]) }
        for entry in [Self.entry(2, key: "new"), Self.entry(3, key: "key-1"), Self.entry(0), Self.entry(-1)] {
            try same(await fault { try await write { try $0.append([entry]) } }, .constraint)
        }
        try same(try await ledger.read("acme") { try $0.entries(before: nil, limit: 9).count }, 2)
        try await write("beta") { try $0.append([Self.entry(1), Self.entry(2)]) }
    }

    private func pagesEntries() async throws {
        let all = (1...25).map { Self.entry($0) }
        try await write { try $0.append(all) }
        var read: [LedgerEntry] = []
        while true {
            let before = read.last?.sequence
            let page = try await ledger.read("acme") { try $0.entries(before: before, limit: 10) }
            if page.isEmpty { break }
            read += page
        }
        try same(read, all.reversed())
        try hold(try await ledger.read("acme") { try $0.entries(before: 1, limit: 9) }.isEmpty)
    }
}
