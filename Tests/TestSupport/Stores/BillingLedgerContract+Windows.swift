// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials

extension BillingLedgerContract {
    /// Windows of usage.
    static let windows: [Behaviour] = [
        Behaviour("windows: add up, in one call and in many") { try await $0.addsUp() },
        Behaviour("windows: are summed up by dimensions") { try await $0.sumsUp() },
        Behaviour("windows: do not grow beyond the largest number") { try await $0.saturates() },
        Behaviour("windows: a day knows the values of its dimensions", processes: 2) { try await $0.knowsValues() },
    ]

    private static func delta(
        _ granularity: UsageWindowDelta.Granularity = .hour, _ start: Int64 = 0, _ dimensions: UsageDimensions,
        _ input: Int64 = 1
    ) -> UsageWindowDelta {
        var amounts = UsageAmounts()
        amounts.requests = 1
        amounts.input = input
        return UsageWindowDelta(
            granularity: granularity, start: at(start), dimensions: dimensions, amounts: amounts)
    }

    private func addsUp() async throws {
        let place = UsageDimensions(model: "m", agent: "a", user: "u", project: "p")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    try await write { transaction in
                        try transaction.add([Self.delta(.hour, 0, place, 3), Self.delta(.hour, 0, place, -1)])
                        try transaction.add(UsageWindowDelta.Granularity.allCases.map { Self.delta($0, 0, place) })
                    }
                }
            }
            try await group.waitForAll()
        }
        for granularity in UsageWindowDelta.Granularity.allCases {
            let windows = try await ledger.read("acme") {
                try $0.windows(granularity, from: at(0), to: at(1), by: Set(UsageDimension.allCases))
            }
            var expected = Self.delta(granularity, 0, place, granularity == .hour ? 60 : 20)
            expected.amounts.requests = granularity == .hour ? 60 : 20
            try same(windows, [expected])
        }
        let all = try await ledger.read("acme") { try $0.windows(.hour, from: at(0), to: at(1), by: []) }
        try same(all.map(\.dimensions), [UsageDimensions()])
    }

    private func sumsUp() async throws {
        let deltas = (0..<24).map { (number: Int) -> UsageWindowDelta in
            let place = UsageDimensions(model: "m\(number % 2)", agent: "a", user: "u\(number / 12)", project: "")
            return Self.delta(.hour, Int64(number % 3) * 3600, place, Int64(number))
        }
        try await write { try $0.add(deltas) }
        func sums(_ from: Int64, _ to: Int64, _ by: Set<UsageDimension>) async throws -> [String] {
            let windows = try await ledger.read("acme") { reader in
                try reader.windows(.hour, from: at(from), to: at(to), by: by)
            }
            return windows.map { window -> String in
                let (place, amounts) = (window.dimensions, window.amounts)
                let hour = (window.start.seconds - at(0).seconds) / 3600
                return "\(hour) \(place.model)/\(place.agent)/\(place.user) \(amounts.requests) \(amounts.input)"
            }
        }
        try same(try await sums(0, 10_800, []), ["0 // 8 84", "1 // 8 92", "2 // 8 100"])
        try same(try await sums(3600, 7200, []), ["1 // 8 92"])
        try same(try await sums(0, 3600, [.model]).sorted(), ["0 m0// 4 36", "0 m1// 4 48"])
        try same(
            try await sums(0, 3600, [.user, .agent]).sorted(), ["0 /a/u0 4 18", "0 /a/u1 4 66"])
        try same(try await sums(10_800, 90_000, []), [])
        let first = try await ledger.read("acme") { reader in
            try reader.windows(.hour, from: at(0), to: at(10_800), by: [], limit: 2)
        }
        try same(first.map(\.start), [at(0), at(3600)])
        try hold(
            try await ledger.read("acme") { try $0.windows(.day, from: at(0), to: at(90_000), by: []) }.isEmpty)
    }

    private func saturates() async throws {
        let large = Int64.max - 5
        try await write { transaction in
            try transaction.add([Self.delta(.hour, 0, UsageDimensions(model: "a"), large)])
            try transaction.add([Self.delta(.hour, 0, UsageDimensions(model: "a"), 9)])
            try transaction.add([Self.delta(.hour, 0, UsageDimensions(model: "b"), 9)])
            try transaction.add([Self.delta(.hour, 3600, UsageDimensions(model: "a"), -7)])
            try transaction.add([Self.delta(.hour, 3600, UsageDimensions(model: "a"), -8)])
        }
        let windows = try await ledger.read("acme") { try $0.windows(.hour, from: at(0), to: at(7200), by: [.model]) }
        try same(Set(windows.map(\.amounts.input)), [.max, 9, -15])
        let sums = try await ledger.read("acme") { try $0.windows(.hour, from: at(0), to: at(7200), by: []) }
        try same(sums.map(\.amounts.input), [.max, -15])
    }

    private func knowsValues() async throws {
        let day: Int64 = 86_400
        for (number, model) in ["a", "b", "a", "c"].enumerated() {
            try await ledgers[number % 2].transact("acme") { transaction in
                let place = UsageDimensions(model: model, agent: "", user: "u")
                try transaction.add([Self.delta(.day, number == 3 ? day : 0, place)])
                try transaction.add([Self.delta(.hour, 0, UsageDimensions(model: "hour"))])
            }
        }
        try await ledger.read("acme") { reader in
            try same(try reader.dimensionValues(.model, day: at(0)), ["a", "b"])
            try same(try reader.dimensionValues(.model, day: at(day)), ["c"])
            try same(try reader.dimensionValues(.user, day: at(0)), ["u"])
            // An event that does not say is no value.
            try same(try reader.dimensionValues(.agent, day: at(0)), [])
            let (count, known) = try reader.dimensionValues(.model, day: at(0), among: ["b", "c", "hour"])
            try same(count, 2)
            try same(known, ["b"])
            try same(try reader.dimensionValues(.agent, day: at(0), among: ["x"]).count, 0)
        }
        try same(try await ledger.read("beta") { try $0.dimensionValues(.model, day: at(0)) }, [])
    }
}
