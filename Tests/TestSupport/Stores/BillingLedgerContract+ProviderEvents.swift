// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials

extension BillingLedgerContract {
    /// Events of the payment provider, and customers.
    static let providerEvents: [Behaviour] = [
        Behaviour("events: claimed by one of many", processes: 2) { try await $0.claimsOnce() },
        Behaviour("events: a claim ends with its lease") { try await $0.endsClaims() },
        Behaviour("events: a claim over each state") { try await $0.claimsOverEachState() },
        Behaviour("events: every member comes back") { try await $0.keepsEveryMemberOfEvents() },
        Behaviour("events: those that are due") { try await $0.findsDueEvents() },
        Behaviour("events: parked ones wait for their customer") { try await $0.parksEvents() },
        Behaviour("events: facts of a subscription, with the effect or not at all") { try await $0.keepsFacts() },
        Behaviour("customers: linked once", processes: 2) { try await $0.linksOnce() },
        Behaviour("purchases: tied once over all accounts", processes: 2) { try await $0.tiesOnce() },
    ]

    private func claimed(_ claim: ProviderEventClaim) -> ProviderEventRow? {
        if case .claimed(let row) = claim { return row }
        return nil
    }

    private func claimsOnce() async throws {
        let claims = try await withThrowingTaskGroup(of: ProviderEventClaim.self) { group in
            for index in 0..<16 {
                group.addTask { try await ledgers[index % 2].claim(Self.event("evt"), at: at(0)) }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        try same(claims.filter { $0 == .claimed(Self.event("evt")) }.count, 1)
        try same(claims.filter { $0 == .busy(until: at(60)) }.count, 15)
    }

    private func endsClaims() async throws {
        _ = try await ledger.claim(Self.event("evt"), at: at(0))
        var again = Self.event("evt", received: 60)
        again.leaseUntil = at(120)
        try same(try await ledger.claim(again, at: at(59)), .busy(until: at(60)))
        let taken = try found(claimed(try await ledger.claim(again, at: at(60))))
        try same(taken.leaseUntil, at(120))
        try same(taken.receivedAt, at(0))
        try same(try await ledger.claim(Self.event("evt"), at: at(60)), .busy(until: at(120)))
    }

    private func claimsOverEachState() async throws {
        for state in [ProviderEventRow.State.failed, .parked, .dead] {
            var stored = Self.event(state.rawValue, state)
            stored.customer = "cus"
            stored.attempts = 3
            stored.nextAt = at(600)
            try await ledger.finish(stored)
            var claim = Self.event(state.rawValue, received: 9)
            claim.account = "acme"
            let row = try found(claimed(try await ledger.claim(claim, at: at(1))))
            try same(row.state, .claimed)
            try same(row.attempts, 3)
            try same(row.customer, "cus")
            try same(row.account, "acme")
            try same(row.receivedAt, at(0))
            try hold(row.nextAt == nil)
            try same(try await ledger.providerEvents(.claimed, limit: 9).first { $0.id == row.id }, row)
        }
        var done = Self.event("done", .done)
        done.outcome = "processed"
        try await ledger.finish(done)
        try same(try await ledger.claim(Self.event("done"), at: at(900)), .done(done))
    }

    private func keepsEveryMemberOfEvents() async throws {
        for (number, state) in ProviderEventRow.State.allCases.enumerated() {
            let full = ProviderEventRow(
                id: "full-\(state)", type: "t", created: at(1), state: state, outcome: "late", account: "acme",
                customer: "cus", subscription: "sub", document: #"{"ä":"\""}"#, leaseUntil: at(2), nextAt: at(3),
                attempts: 4, receivedAt: at(5))
            let bare = ProviderEventRow(
                id: "bare-\(state)", type: "t", created: at(1), state: state, document: "{}", receivedAt: at(6))
            if number % 2 == 0 {
                try await ledger.finish(full)
                try await ledger.finish(bare)
            } else {
                try await write { transaction in
                    try transaction.put(full)
                    try transaction.put(bare)
                }
            }
            try same(try await ledger.providerEvents(state, limit: 9), [bare, full])
            try same(try await ledger.providerEvents(state, limit: 1), [bare])
        }
    }

    private func findsDueEvents() async throws {
        for (id, state, next) in [
            ("late", .failed, 50), ("soon", .failed, 20), ("never", .failed, nil), ("dead", .dead, 1),
            ("parked", .parked, 1), ("done", .done, 1),
        ] as [(String, ProviderEventRow.State, Int64?)] {
            var event = Self.event(id, state)
            event.nextAt = next.map(Self.at)
            try await ledger.finish(event)
        }
        // Whoever claimed it has ended: its lease ends at 60.
        _ = try await ledger.claim(Self.event("left"), at: at(0))
        func due(_ seconds: Int64, _ limit: Int = 9) async throws -> [String] {
            try await ledger.dueProviderEvents(at: at(seconds), limit: limit).map(\.id)
        }
        try same(try await due(19), [])
        try same(try await due(20), ["soon"])
        try same(try await due(59), ["soon", "late"])
        try same(try await due(60), ["soon", "late", "left"])
        try same(try await due(60, 2), ["soon", "late"])
    }

    private func parksEvents() async throws {
        let parked: [(String, String, Int64)] = [("b", "cus", 2), ("a", "cus", 1), ("c", "other", 1)]
        for (id, customer, created) in parked {
            var event = Self.event(id, .parked, created: created)
            event.customer = customer
            try await ledger.finish(event)
        }
        try same(try await ledger.parkedEvents(ofCustomer: "cus", limit: 9).map(\.id), ["a", "b"])
        try same(try await ledger.parkedEvents(ofCustomer: "cus", limit: 1).map(\.id), ["a"])
        _ = try await ledger.claim(Self.event("a"), at: at(0))
        try same(try await ledger.parkedEvents(ofCustomer: "cus", limit: 9).map(\.id), ["b"])
    }

    private func keepsFacts() async throws {
        func event(_ id: String, _ account: String?, _ state: ProviderEventRow.State = .done) -> ProviderEventRow {
            var event = Self.event(id, state)
            event.subscription = "sub"
            event.account = account
            return event
        }
        try await ledger.finish(event("foreign", "beta"))
        try await ledger.finish(event("unknown", nil, .parked))
        try await ledger.finish(Self.event("without", .done))
        let (first, second) = (event("a", "acme"), event("b", "acme"))
        try await write { transaction in
            try transaction.put(first)
            try transaction.put(second)
            let seen = try transaction.providerEvents(subscription: "sub").map(\.id).sorted()
            try self.same(seen, ["a", "b", "unknown"])
            try self.same(try transaction.providerEvents(subscription: "none"), [])
        }
        let failed = event("c", "acme")
        do {
            try await write { transaction in
                try transaction.put(failed)
                throw Thrown()
            }
        } catch is Thrown {}
        let seen = try await ledger.read("acme") { try $0.providerEvents(subscription: "sub").map(\.id).sorted() }
        try same(seen, ["a", "b", "unknown"])
    }

    private func tiesOnce() async throws {
        let tied = try await withThrowingTaskGroup(of: String?.self) { group in
            for index in 0..<8 {
                group.addTask {
                    let account = "a\(index)"
                    return try await ledgers[index % 2].transact(account) {
                        try $0.tie(purchases: ["pi:1"], to: "cs:1") ? account : nil
                    }
                }
            }
            return try await group.reduce(into: [String]()) { if let account = $1 { $0.append(account) } }
        }
        try same(tied.count, 1)
        let owner = tied[0]
        try await ledger.transact(owner) { transaction in
            try self.hold(try transaction.tie(purchases: ["pi:1"], to: "cs:1"))
            try self.hold(try !transaction.tie(purchases: ["pi:1"], to: "pi:1"))
            try self.hold(try transaction.tie(purchases: ["pi:2"], to: "cs:1"))
        }
        try await ledger.transact("stranger") { transaction in
            try self.hold(try !transaction.tie(purchases: ["pi:2"], to: "cs:1"))
        }
        _ = await fault {
            try await ledger.transact("stranger") { transaction in
                try self.hold(try transaction.tie(purchases: ["pi:3"], to: "pi:3"))
                throw Thrown()
            }
        }
        try await ledger.transact(owner) { transaction in
            try self.hold(try transaction.tie(purchases: ["pi:3"], to: "cs:3"))
        }
        // One that is another's leaves the ones beside it free, whichever of them comes first.
        for purchases in [["cs:4", "pi:3"], ["pi:3", "cs:4"]] {
            try await ledger.transact("stranger") { transaction in
                try self.hold(try !transaction.tie(purchases: purchases, to: "cs:4"))
            }
        }
        try await ledger.transact(owner) { transaction in
            try self.hold(try !transaction.tie(purchases: ["cs:4", "pi:1"], to: "cs:4"))
            try self.hold(try transaction.tie(purchases: ["cs:4", "pi:4"], to: "cs:4"))
            try self.hold(try transaction.tie(purchases: ["cs:4", "pi:4"], to: "cs:4"))
        }
    }

    private func linksOnce() async throws {
        try hold(try await ledger.account(ofCustomer: "cus") == nil)
        let linked = await withTaskGroup(of: Bool.self) { group in
            for index in 0..<8 {
                group.addTask {
                    await fault {
                        try await ledgers[index % 2].transact("a\(index)") { try $0.link(customer: "cus") }
                    } == nil
                }
            }
            return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        try same(linked, 1)
        let owner = try found(try await ledger.account(ofCustomer: "cus"))
        try await ledger.transact(owner) { transaction in
            try transaction.link(customer: "cus")
            try transaction.link(customer: "another")
        }
        try same(try await ledger.read(owner) { try $0.customers() }, ["another", "cus"])
        try same(try await ledger.read("stranger") { try $0.account(ofCustomer: "cus") } as String?, owner)
        try same(try await ledger.read("stranger") { try $0.customers() }, [])
        let refused = await fault { try await ledger.transact("stranger") { try $0.link(customer: "another") } }
        try same(refused, .constraint)
    }
}
