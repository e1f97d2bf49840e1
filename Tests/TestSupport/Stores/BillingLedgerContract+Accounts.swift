// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials

extension BillingLedgerContract {
    /// Accounts, grants, places and documents.
    static let accounts: [Behaviour] = [
        Behaviour("accounts: a version is put once", processes: 2) { try await $0.putsAVersionOnce() },
        Behaviour("accounts: pages are in the order of ids") { try await $0.pagesAccounts() },
        Behaviour("accounts: the longest due come first") { try await $0.findsDueAccounts() },
        Behaviour("grants: kept, replaced and listed") { try await $0.keepsGrants() },
        Behaviour("slots: in the order of hiring") { try await $0.keepsSlots() },
        Behaviour("documents: found by their names") { try await $0.keepsDocuments() },
        Behaviour("counts: open reservations") { try await $0.countsOpenReservations() },
    ]

    private func putsAVersionOnce() async throws {
        let row = AccountRow(account: "acme", version: 0, document: #"{"ä":1}"#, dueAt: at(5))
        try await write { try $0.put(row) }
        let stored = try await ledgers[1].read("acme") { (try $0.account(), try $0.accountVersion()) }
        var expected = row
        expected.version = 1
        try same(stored.0, expected)
        try same(stored.1, 1)
        for version in [0, 2] as [Int64] {
            let stale = AccountRow(account: "acme", version: version, document: "{}", dueAt: nil)
            try same(await fault { try await write { try $0.put(stale) } }, .constraint)
        }
        try same(try await ledger.read("acme") { try $0.account() } as AccountRow?, expected)
        try await write { transaction in
            try transaction.put(AccountRow(account: "acme", version: 1, document: "2", dueAt: nil))
            try transaction.put(AccountRow(account: "acme", version: 2, document: "3", dueAt: nil))
        }
        try same(try await ledger.read("acme") { try $0.accountVersion() }, 3)
    }

    private func pagesAccounts() async throws {
        // By their bytes, as everywhere; and an account of which only other things are kept is none.
        for account in ["b", "a", "Z", "ä"] {
            try await write(account) {
                try $0.put(AccountRow(account: account, version: 0, document: account, dueAt: nil))
            }
        }
        try await write("only usage") { try $0.record([Self.usage("e")]) }
        try hold(try await ledger.read("only usage") { try $0.account() == nil && $0.accountVersion() == 0 })
        let first = try await ledger.accounts(after: nil, limit: 3)
        try same(first.map(\.account), ["Z", "a", "b"])
        try same(first.map(\.version), [1, 1, 1])
        try same(first.map(\.document), ["Z", "a", "b"])
        try same(try await ledger.accounts(after: "b", limit: 3).map(\.account), ["ä"])
        try hold(try await ledger.accounts(after: "ä", limit: 3).isEmpty)
        try await write("a") { try $0.put(AccountRow(account: "a", version: 1, document: "a", dueAt: nil)) }
        let versions = try await ledger.accountVersions(after: "Z", limit: 2)
        try same(versions.map(\.account), ["a", "b"])
        try same(versions.map(\.version), [2, 1])
        try hold(try await ledger.accountVersions(after: "ä", limit: 3).isEmpty)
    }

    private func findsDueAccounts() async throws {
        for (account, due) in [("a", 30), ("b", 10), ("c", 20), ("d", nil)] as [(String, Int64?)] {
            try await write(account) {
                try $0.put(AccountRow(account: account, version: 0, document: "{}", dueAt: due.map(Self.at)))
            }
        }
        try same(try await ledger.dueAccounts(at: at(9), limit: 9), [])
        try same(try await ledger.dueAccounts(at: at(20), limit: 9), ["b", "c"])
        try same(try await ledger.dueAccounts(at: at(90), limit: 2), ["b", "c"])
        try await write("b") { try $0.put(AccountRow(account: "b", version: 1, document: "{}", dueAt: nil)) }
        try same(try await ledger.dueAccounts(at: at(90), limit: 9), ["c", "a"])
    }

    private func keepsGrants() async throws {
        let grants = (0..<5).map { (number: Int) -> GrantRow in
            GrantRow(id: "g\(number)", key: "k\(number)", document: "\(number)", createdAt: at(Int64(number / 2)))
        }
        try await write { transaction in for grant in grants { try transaction.put(grant) } }
        try await ledger.read("acme") { reader in
            try same(try reader.grant(key: "k3"), grants[3])
            try same(try reader.grant(id: "g3"), grants[3])
            try hold(try reader.grant(key: "g3") == nil)
            try hold(try reader.grant(id: "k3") == nil)
            let first = try reader.grants(before: nil, limit: 2)
            try same(first, [grants[4], grants[3]])
            let second = try reader.grants(before: first.last, limit: 9)
            try same(second, [grants[2], grants[1], grants[0]])
        }
        var changed = grants[1]
        changed.document = "void"
        let row = changed
        try await write { try $0.put(row) }
        try same(try await ledger.read("acme") { try $0.grant(id: "g1") } as GrantRow?, changed)
        let twice = GrantRow(id: "g9", key: "k1", document: "{}", createdAt: at(0))
        try same(await fault { try await write { try $0.put(twice) } }, .constraint)
        try same(try await ledger.read("acme") { try $0.grant(key: "k1") } as GrantRow?, changed)
    }

    private func keepsSlots() async throws {
        try await write { transaction in
            for number in 0..<4 as Range<Int64> {
                try transaction.put(
                    SlotRow(kind: .agent, id: "a\(9 - number)", order: number + 1, document: "\(number)"))
            }
            try transaction.put(SlotRow(kind: .worker, id: "a9", order: 1, document: "worker"))
        }
        try await ledger.read("acme") { reader in
            try same(try reader.slots(.agent, after: 0, limit: 3).map(\.id), ["a9", "a8", "a7"])
            try same(try reader.slots(.agent, after: 3, limit: 3).map(\.id), ["a6"])
            try same(try reader.slot(.worker, id: "a9")?.document, "worker")
            try hold(try reader.slot(.workspace, id: "a9") == nil)
        }
        try await write { transaction in
            try transaction.remove(.agent, id: "a9")
            try transaction.remove(.agent, id: "a9")
            try transaction.put(SlotRow(kind: .agent, id: "a8", order: 2, document: "suspended"))
        }
        try await ledger.read("acme") { reader in
            try hold(try reader.slot(.agent, id: "a9") == nil)
            try same(try reader.slot(.agent, id: "a8")?.document, "suspended")
            try hold(try reader.slot(.worker, id: "a9") != nil)
        }
    }

    private func keepsDocuments() async throws {
        try await write { transaction in
            for name in ["b", "a", "c"] {
                try transaction.put(NamedRow(kind: .webhookEndpoint, name: name, document: name))
            }
            try transaction.put(NamedRow(kind: .meterReport, name: "a", document: "report"))
            try transaction.put(NamedRow(kind: .webhookEndpoint, name: "b", document: "B"))
        }
        try await ledger.read("acme") { reader in
            try same(try reader.named(.webhookEndpoint, after: nil, limit: 2).map(\.document), ["a", "B"])
            try same(try reader.named(.webhookEndpoint, after: "b", limit: 2).map(\.name), ["c"])
            try same(try reader.named(.meterReport, "a")?.document, "report")
            try hold(try reader.named(.meterReport, "b") == nil)
        }
        try await write { try $0.remove(.webhookEndpoint, "a") }
        try await ledger.read("acme") { reader in
            try hold(try reader.named(.webhookEndpoint, "a") == nil)
            try hold(try reader.named(.meterReport, "a") != nil)
        }
    }

    private func countsOpenReservations() async throws {
        try same(try await ledger.openReservations(), 0)
        try await write { transaction in
            try transaction.put(AccountRow(account: "acme", version: 0, document: "{}", dueAt: nil))
            for id in ["open", "next"] { try transaction.put(Self.reservation(id)) }
            try transaction.put(Self.reservation("over", endsAt: nil))
        }
        try await write("other") { try $0.put(Self.reservation("open")) }
        try same(try await ledger.openReservations(), 3)
    }
}
