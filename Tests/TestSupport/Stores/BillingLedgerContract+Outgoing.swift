// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials

extension BillingLedgerContract {
    /// Webhooks and pending usage.
    static let outgoing: [Behaviour] = [
        Behaviour("deliveries: every member comes back") { try await $0.keepsDeliveries() },
        Behaviour("deliveries: each due one is one worker's", processes: 2) { try await $0.handsOutDeliveries() },
        Behaviour("deliveries: a lease ends, an update ends it at once") { try await $0.endsLeases() },
        Behaviour("pending usage: kept once and in order") { try await $0.keepsPending() },
        Behaviour("pending usage: each is one worker's", processes: 2) { try await $0.handsOutPending() },
        Behaviour("pending usage: goes with its effect or not at all") { try await $0.removesPending() },
    ]

    private func keepsDeliveries() async throws {
        let rows = (0..<5).map { (number: Int) -> DeliveryRow in
            Self.delivery("d\(number)", due: number == 2 ? nil : 7, created: Int64(number / 2))
        }
        try await write { try $0.add(rows) }
        try await ledger.read("acme") { reader in
            try same(try reader.delivery(id: "d2"), rows[2])
            let first = try reader.deliveries(endpoint: "e", before: nil, limit: 2)
            try same(first, [rows[4], rows[3]])
            try same(try reader.deliveries(endpoint: "e", before: first.last, limit: 9), [rows[2], rows[1], rows[0]])
            try hold(try reader.deliveries(endpoint: "f", before: nil, limit: 9).isEmpty)
        }
        try same(await fault { try await write { try $0.add([rows[0]]) } }, .constraint)
        var sent = rows[0]
        sent.attempts = 3
        sent.nextAt = nil
        sent.state = "delivered"
        sent.lastStatus = 204
        try await ledger.update(sent)
        try same(try await ledger.read("acme") { try $0.delivery(id: "d0") } as DeliveryRow?, sent)
        try await ledger.update(Self.delivery("gone"))
        try hold(try await ledger.read("acme") { try $0.delivery(id: "gone") } == nil)
    }

    private func handsOutDeliveries() async throws {
        for account in ["acme", "beta"] {
            try await write(account) { transaction in
                try transaction.add(
                    (0..<20).map { Self.delivery("\(account)-\($0)", account: account, due: Int64($0)) })
            }
        }
        try same(try await ledger.dueDeliveries(at: at(-1), leaseUntil: at(60), limit: 9), [])
        let handed = try await withThrowingTaskGroup(of: [DeliveryRow].self) { group in
            for index in 0..<8 {
                group.addTask {
                    try await ledgers[index % 2].dueDeliveries(at: at(14), leaseUntil: at(60), limit: 3)
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        let rest = try await ledger.dueDeliveries(at: at(14), leaseUntil: at(60), limit: 99)
        try same((handed + rest).map(\.id).sorted(), Set((handed + rest).map(\.id)).sorted())
        try same((handed + rest).count, 30)
        try same(rest.map(\.nextAt), rest.map(\.nextAt).sorted { ($0 ?? at(0)) < ($1 ?? at(0)) })
        try hold((handed + rest).allSatisfy { $0.id.hasPrefix($0.account) })
        try hold(try await ledgers[1].dueDeliveries(at: at(14), leaseUntil: at(60), limit: 9).isEmpty)
    }

    private func endsLeases() async throws {
        try await write { try $0.add([Self.delivery("d")]) }
        let taken = try await ledger.dueDeliveries(at: at(0), leaseUntil: at(60), limit: 9)
        try same(taken, [Self.delivery("d")])
        try hold(try await ledger.dueDeliveries(at: at(59), leaseUntil: at(99), limit: 9).isEmpty)
        try same(try await ledger.dueDeliveries(at: at(60), leaseUntil: at(99), limit: 9).map(\.id), ["d"])
        var later = taken[0]
        later.attempts = 1
        later.lastStatus = 500
        later.nextAt = at(70)
        try await ledger.update(later)
        try hold(try await ledger.dueDeliveries(at: at(69), leaseUntil: at(99), limit: 9).isEmpty)
        try same(try await ledger.dueDeliveries(at: at(70), leaseUntil: at(99), limit: 9), [later])
    }

    // MARK: - Pending usage

    private func keepsPending() async throws {
        let nothing = try await ledger.pendingUsage()
        try hold(nothing.count == 0 && nothing.oldest == nil)
        let places: [(Int64, String)] = [(3, "acme"), (1, "beta"), (2, "acme")]
        let rows = places.map { (number: Int64, account: String) -> PendingUsageRow in
            PendingUsageRow(
                id: "p\(number)", account: account, payload: #"["ä \#(number)"]"#, receivedAt: at(number))
        }
        try same(try await ledger.addPending(rows), [:])
        let repeated = try await ledger.addPending([
            PendingUsageRow(id: "p1", account: "beta", payload: "x", receivedAt: at(0)),
            PendingUsageRow(id: "p2", account: "acme", payload: "y", receivedAt: at(0)),
        ])
        try same(repeated, ["p1": rows[1].payload, "p2": rows[2].payload])
        try same(try await ledger.addPending([]), [:])
        let all = try await ledger.pendingUsage()
        try hold(all.count == 3 && all.oldest == at(1))
        let taken = try await ledger.takePending(at: at(5), leaseUntil: at(65), limit: 2)
        try same(taken.map(\.id), ["p1", "p2"])
        try same(taken.map(\.payload), [rows[1].payload, rows[2].payload])
        try same(taken.map(\.account), ["beta", "acme"])
        try same(taken.map(\.attempts), [1, 1])
        try same(taken.map(\.leaseUntil), [at(65), at(65)])
        try hold(try await ledger.takePending(id: "p1", at: at(64), leaseUntil: at(90)) == nil)
        let again = try found(try await ledger.takePending(id: "p1", at: at(65), leaseUntil: at(90)))
        try same(again.attempts, 2)
        try hold(try await ledger.takePending(id: "nothing", at: at(65), leaseUntil: at(90)) == nil)
        try same(try await ledger.pendingUsage().count, 3)
    }

    private func handsOutPending() async throws {
        try await ledger.addPending(
            (0..<40).map { PendingUsageRow(id: "p\($0)", account: "a\($0 % 3)", payload: "[]", receivedAt: at(0)) })
        let handed = try await withThrowingTaskGroup(of: [PendingUsageRow].self) { group in
            for index in 0..<8 {
                group.addTask { try await ledgers[index % 2].takePending(at: at(1), leaseUntil: at(60), limit: 4) }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        let rest = try await ledger.takePending(at: at(1), leaseUntil: at(60), limit: 99)
        try same((handed + rest).count, 40)
        try same(Set((handed + rest).map(\.id)).count, 40)
    }

    private func removesPending() async throws {
        try await ledger.addPending(
            ["p", "q"].map { PendingUsageRow(id: $0, account: "acme", payload: "[]", receivedAt: at(0)) })
        do {
            try await write { transaction in
                try transaction.removePending(id: "p")
                throw Thrown()
            }
        } catch is Thrown {}
        try same(try await ledger.pendingUsage().count, 2)
        try await write("beta") { try $0.removePending(id: "p") }
        try same(try await ledger.pendingUsage().count, 2)
        try await write { transaction in
            try transaction.removePending(id: "p")
            try transaction.removePending(id: "p")
            try transaction.append([Self.entry(1)])
        }
        try same(try await ledger.takePending(at: at(0), leaseUntil: at(1), limit: 9).map(\.id), ["q"])
    }
}
