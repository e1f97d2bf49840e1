// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials

extension BillingLedgerContract {
    /// Forgetting.
    static let retention: [Behaviour] = [
        Behaviour("retention: windows by their kind, and no others") { try await $0.forgetsWindows() },
        Behaviour("retention: keys of repeats, and no records") { try await $0.forgetsKeys() },
        Behaviour("retention: ended reservations and sent webhooks") { try await $0.forgetsWhatIsOver() },
        Behaviour("retention: answered events, and none that is folded") { try await $0.forgetsEvents() },
    ]

    /// Forgets until there is no more, and counts the calls.
    private func prune(_ limits: BillingRetention, limit: Int) async throws -> Int {
        var calls = 1
        while try await ledger.prune(limits, limit: limit) {
            calls += 1
            try hold(calls < 1000, "forgetting has no end")
        }
        return calls
    }

    private func forgetsWindows() async throws {
        for account in ["acme", "beta"] {
            try await write(account) { transaction in
                for granularity in UsageWindowDelta.Granularity.allCases {
                    try transaction.add(
                        (0..<20).map { (number: Int) -> UsageWindowDelta in
                            UsageWindowDelta(
                                granularity: granularity, start: at(Int64(number / 2)),
                                dimensions: UsageDimensions(model: "m\(number % 2)"), amounts: UsageAmounts())
                        })
                }
            }
        }
        func left(_ granularity: UsageWindowDelta.Granularity) async throws -> Int {
            var count = 0
            for account in ["acme", "beta"] {
                count += try await ledger.read(account) {
                    try $0.windows(granularity, from: at(0), to: at(99), by: [.model])
                }.count
            }
            return count
        }
        try hold(try await !ledger.prune(BillingRetention(), limit: 9))
        let calls = try await prune(BillingRetention(hours: at(4), days: at(2), weeks: at(1)), limit: 3)
        try hold(calls > 4, "at most three rows a call")
        try same(try await left(.hour), 24)
        try same(try await left(.day), 32)
        try same(try await left(.week), 36)
        try same(try await left(.month), 40)
        try same(try await ledger.read("acme") { try $0.dimensionValues(.model, day: at(1)) }, [])
        try same(try await ledger.read("acme") { try $0.dimensionValues(.model, day: at(2)) }, ["m0", "m1"])
        try hold(try await !ledger.prune(BillingRetention(hours: at(4)), limit: 3))
    }

    private func forgetsKeys() async throws {
        try await write { transaction in
            try transaction.record((0..<20).map { Self.usage("e\($0)", at: Int64($0)) })
            // The same id, taken again later: it is told by the newer record.
            try transaction.record([Self.usage("e3", at: 30)])
        }
        let calls = try await prune(BillingRetention(dedup: at(10)), limit: 3)
        try hold(calls > 3, "at most three rows a call")
        try await ledger.read("acme") { reader in
            for number in 0..<20 {
                let record = try reader.usage(source: "gateway", id: "e\(number)", since: at(0))
                try same(record != nil, number >= 10 || number == 3)
            }
            try same(try reader.usage(UsageQuery(limit: 99)).count, 21)
            // Pages go on where the record is known, its key or not.
            let before = UsageCursor(at: at(5), source: "gateway", id: "e5")
            try same(try reader.usage(UsageQuery(before: before, limit: 2)).map(\.id), ["e4", "e3"])
        }
        try await write { try $0.record([Self.usage("e1", at: 31)]) }
        try hold(try await !ledger.prune(BillingRetention(dedup: at(10)), limit: 30))
        try hold(try await ledger.read("acme") { try $0.usage(source: "gateway", id: "e1", since: at(0)) } != nil)
    }

    private func forgetsEvents() async throws {
        let outcomes = ["processed", "late", "ignored", "stale", nil]
        for number in 0..<20 as Range<Int64> {
            var event = Self.event("e\(number)", number < 15 ? .done : .dead, received: number)
            event.outcome = outcomes[Int(number % 5)]
            event.subscription = number % 2 == 0 ? "sub" : nil
            if case .claimed(let row) = try await ledger.claim(event, at: at(0)) {
                event.leaseUntil = nil
                try same(row.id, event.id)
                try await ledger.finish(event)
            }
        }
        let calls = try await prune(BillingRetention(events: at(12)), limit: 2)
        try hold(calls > 1, "at most two rows a call")
        let left = try await ledger.providerEvents(.done, limit: 99).map(\.id)
        // Facts of the subscription stay however old they are, and what came later.
        try same(Set(left), ["e0", "e6", "e10", "e12", "e13", "e14"])
        try same(try await ledger.providerEvents(.dead, limit: 99).count, 5)
    }

    private func forgetsWhatIsOver() async throws {
        try await write { transaction in
            for number in 0..<12 as Range<Int64> {
                var reservation = Self.reservation("r\(number)", endsAt: number % 2 == 0 ? nil : 5)
                reservation.createdAt = self.at(number)
                try transaction.put(reservation)
                var delivery = Self.delivery("d\(number)", due: number % 3 == 0 ? 0 : nil, created: number)
                delivery.state = ["waiting", "delivered", "failed"][Int(number % 3)]
                try transaction.add([delivery])
            }
        }
        let calls = try await prune(BillingRetention(reservations: at(6), deliveries: at(6)), limit: 2)
        try hold(calls > 1, "at most two rows a call")
        try await ledger.read("acme") { reader in
            for number in 0..<12 as Range<Int64> {
                try same(try reader.reservation(id: "r\(number)") != nil, number % 2 == 1 || number >= 6)
                try same(try reader.delivery(id: "d\(number)") != nil, number % 3 == 0 || number >= 6)
            }
        }
    }
}
