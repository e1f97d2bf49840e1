// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials

extension BillingLedgerContract {
    /// What transactions do.
    static let transactions: [Behaviour] = [
        Behaviour("transactions: what one wrote it reads") { try await $0.readsWhatItWrote() },
        Behaviour("transactions: what a body throws takes everything back") { try await $0.takesEverythingBack() },
        Behaviour("transactions: who fails fails alone") { try await $0.failsAlone() },
        Behaviour("transactions: none is lost, from two processes", processes: 2) { try await $0.losesNothing() },
        Behaviour("transactions: a reader sees one state", processes: 2) { try await $0.readsOneState() },
        Behaviour("transactions: accounts see nothing of each other") { try await $0.keepsAccountsApart() },
        Behaviour("transactions: a name that is none is refused") { try await $0.refusesNUL() },
    ]

    private func readsWhatItWrote() async throws {
        try await write { transaction in
            try transaction.put(AccountRow(account: "acme", version: 0, document: "{}", dueAt: nil))
            try self.same(try transaction.accountVersion(), 1)
            try transaction.put(GrantRow(id: "g", key: "k", document: "{}", createdAt: self.at(0)))
            try self.hold(try transaction.grant(key: "k") != nil)
            try transaction.put(Self.reservation("r"))
            try self.hold(try transaction.reservation(id: "r") != nil)
            try transaction.append([Self.entry(1)])
            try self.same(try transaction.entries(before: nil, limit: 9), [Self.entry(1)])
            try transaction.record([Self.usage("e")])
            try self.hold(try transaction.usage(source: "gateway", id: "e", since: self.at(0)) != nil)
            try transaction.put(SlotRow(kind: .agent, id: "s", order: 1, document: "{}"))
            try transaction.remove(.agent, id: "s")
            try self.hold(try transaction.slot(.agent, id: "s") == nil)
            try transaction.put(NamedRow(kind: .meterReport, name: "n", document: "{}"))
            try self.hold(try transaction.named(.meterReport, "n") != nil)
            try transaction.put(Self.event("evt", .done))
            try transaction.link(customer: "cus")
            try self.same(try transaction.customers(), ["cus"])
            try transaction.add([Self.delivery("d")])
            try self.hold(try transaction.delivery(id: "d") != nil)
        }
    }

    private func takesEverythingBack() async throws {
        do {
            try await write { transaction in
                try Self.fill(transaction)
                throw Thrown()
            }
            try hold(false, "the body threw")
        } catch is Thrown {}
        try await holdsNothing("acme")
        let refused = await fault {
            try await write { transaction in
                try Self.fill(transaction)
                try transaction.append([Self.entry(1, key: "again")])
                // Where writes wait for the end, what they break is told there.
                _ = try transaction.account()
            }
        }
        try same(refused, .constraint)
        try await holdsNothing("acme")
        try await write { try Self.fill($0) }
        try hold(try await ledger.read("acme") { try $0.account() } != nil)
    }

    static func fill(_ transaction: any BillingTransaction) throws {
        try transaction.put(AccountRow(account: "acme", version: 0, document: "{}", dueAt: nil))
        try transaction.put(reservation("r"))
        try transaction.append([entry(1)])
        try transaction.record([usage("e")])
        try transaction.link(customer: "cus")
        try transaction.add([delivery("d")])
    }

    private func holdsNothing(_ account: String) async throws {
        try await ledger.read(account) { reader in
            try hold(try reader.account() == nil)
            try same(try reader.accountVersion(), 0)
            try hold(try reader.reservation(id: "r") == nil)
            try same(try reader.entries(before: nil, limit: 9), [])
            try same(try reader.usage(UsageQuery(limit: 9)), [])
            try same(try reader.customers(), [])
            try hold(try reader.delivery(id: "d") == nil)
        }
        try hold(try await ledger.accounts(after: nil, limit: 9).isEmpty)
    }

    /// Of writes that wait together some throw, some break a rule and some refuse: the others are kept, each once.
    private func failsAlone() async throws {
        let kept = await withTaskGroup(of: Bool.self) { group in
            for index in 0..<60 {
                group.addTask {
                    do {
                        return try await ledger.transact("a\(index % 3)") { transaction in
                            let next = (try transaction.entries(before: nil, limit: 1).first?.sequence ?? 0) + 1
                            if index % 5 == 4 { return false }
                            try transaction.append([Self.entry(next, key: "key of \(index)")])
                            if index % 5 == 1 { throw Thrown() }
                            if index % 5 == 2 { try transaction.append([Self.entry(next, key: "twice")]) }
                            return true
                        }
                    } catch {
                        return false
                    }
                }
            }
            return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        try same(kept, 24)
        var entries = 0
        for index in 0..<3 {
            let sequences = try await ledger.read("a\(index)") { reader in
                try reader.entries(before: nil, limit: 100).map(\.sequence)
            }
            let expected: [Int64] = (0..<Int64(sequences.count)).map { Int64(sequences.count) - $0 }
            try same(sequences, expected)
            entries += sequences.count
        }
        try same(entries, 24)
    }

    /// As many increments as were asked for, on two accounts, from every process at once.
    private func losesNothing() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<200 {
                group.addTask {
                    let account = "a\(index % 2)"
                    try await ledgers[index / 2 % 2].transact(account) { transaction in
                        let present = try transaction.account()
                        let count = Int64(present?.document ?? "0") ?? 0
                        try transaction.put(
                            AccountRow(
                                account: account, version: present?.version ?? 0, document: "\(count + 1)", dueAt: nil))
                        try transaction.append([Self.entry(count + 1)])
                    }
                }
            }
            try await group.waitForAll()
        }
        for account in ["a0", "a1"] {
            let (row, first) = try await ledgers[1].read(account) {
                (try $0.account(), try $0.entries(before: nil, limit: 1).first)
            }
            try same(row?.document, "100")
            try same(row?.version, 100)
            try same(first?.sequence, 100)
        }
    }

    private func readsOneState() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for count in 0..<60 as Range<Int64> {
                    try await ledgers[0].transact("acme") { transaction in
                        try transaction.append([Self.entry(count + 1)])
                        try transaction.put(
                            AccountRow(account: "acme", version: count, document: "\(count + 1)", dueAt: nil))
                    }
                }
            }
            group.addTask {
                for _ in 0..<60 {
                    let (row, entry) = try await ledgers[1].read("acme") {
                        (try $0.account(), try $0.entries(before: nil, limit: 1).first)
                    }
                    try same(row?.version ?? 0, entry?.sequence ?? 0)
                }
            }
            try await group.waitForAll()
        }
    }

    private func keepsAccountsApart() async throws {
        try await write { try Self.fill($0) }
        try await holdsNothingOf("acme", seenBy: "beta")
        // The same names in another account are others.
        try await write("beta") { transaction in
            try transaction.put(AccountRow(account: "beta", version: 0, document: "{}", dueAt: nil))
            try transaction.put(Self.reservation("r"))
            try transaction.append([Self.entry(1)])
            try transaction.record([Self.usage("e")])
            try transaction.put(GrantRow(id: "g", key: "k", document: "beta", createdAt: self.at(0)))
        }
        try await write { try $0.put(GrantRow(id: "g", key: "k", document: "acme", createdAt: self.at(0))) }
        for account in ["acme", "beta"] {
            let document = try await ledger.read(account) { try $0.grant(key: "k")?.document }
            try same(document, account)
        }
        let foreign = await fault {
            try await write("beta") { transaction in
                try transaction.put(AccountRow(account: "acme", version: 1, document: "beta's", dueAt: nil))
                _ = try transaction.account()
            }
        }
        try same(foreign, .constraint)
        let sent = await fault { try await write("beta") { try $0.add([Self.delivery("foreign", account: "acme")]) } }
        try same(sent, .constraint)
    }

    private func holdsNothingOf(_ owner: String, seenBy account: String) async throws {
        try await ledger.read(account) { reader in
            try hold(try reader.account() == nil)
            try hold(try reader.reservation(id: "r") == nil)
            try hold(try reader.reservation(key: "key of r") == nil)
            try hold(try reader.entry(key: "key-1") == nil)
            try same(try reader.entries(before: nil, limit: 9), [])
            try hold(try reader.usage(source: "gateway", id: "e", since: at(0)) == nil)
            try same(try reader.usage(UsageQuery(limit: 9)), [])
            try same(try reader.customers(), [])
            try hold(try reader.delivery(id: "d") == nil)
            try same(try reader.deliveries(endpoint: "e", before: nil, limit: 9), [])
            // Whose a customer is may be asked by everybody.
            try hold(try reader.account(ofCustomer: "cus") == owner)
        }
    }

    /// What the databases would cut or refuse is refused by both, and nothing is kept.
    private func refusesNUL() async throws {
        for write in [
            { try $0.record([Self.usage("e\0f")]) },
            { try $0.record([Self.usage("e", UsageDimensions(model: "m\0"))]) },
            { try $0.append([Self.entry(1, key: "k\0")]) },
            { try $0.put(Self.reservation("r\0")) },
        ] as [@Sendable (any BillingTransaction) throws -> Void] {
            try same(await fault { try await ledger.transact("acme", write) }, .constraint)
        }
        try await holdsNothing("acme")
    }
}
