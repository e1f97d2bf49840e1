// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials

/// What an account of a development server uses on a day: the same each time that it is asked.
struct DevnetDay {
    /// Numbers that look like chance.
    private struct Noise {
        private var state: UInt64

        init(_ name: String, _ day: Int64) {
            state = name.utf8.reduce(UInt64(truncatingIfNeeded: day) &+ 1) { $0 &* 1_099_511_628_211 ^ UInt64($1) }
        }

        /// From nought to below the bound.
        mutating func below(_ bound: Int64) -> Int64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return Int64((mixed ^ (mixed >> 31)) % UInt64(max(1, bound)))
        }

        mutating func one<Value>(of values: [Value]) -> Value? {
            values.isEmpty ? nil : values[Int(below(Int64(values.count)))]
        }
    }

    private static let thousand = TokenCounts(input: 800, output: 200)
    private static let day: Int64 = 86_400

    private let account: DevnetAccount
    private let catalogue: PlanCatalogue
    /// Models of the plan, and what a thousand tokens of each cost, in micro-credits.
    private let models: [(name: String, price: Int64)]

    init(_ account: DevnetAccount, prices: PriceList, catalogue: PlanCatalogue) {
        self.account = account
        self.catalogue = catalogue
        let limits = account.plan.limits
        models = prices.models.filter { model in
            limits.modelTiers.contains(model.tier) && model.effectiveFrom == nil
                && (!model.isPremium || limits.premiumModels == nil)
        }.prefix(6).compactMap { model in
            // A model without a price of its own is not used.
            let amount = try? prices.rate(
                Self.thousand, model: model.model, provider: model.providers.first,
                creditValueMicroUSD: catalogue.creditValueMicroUSD, at: Timestamp(seconds: 0), unknown: .fail)
            return amount.map { (model.model, max(1, $0.chargeMicroCredits)) }
        }
    }

    /// Events from an instant to before another one of the same day.
    ///
    /// - Parameter day: its number within the month.
    func events(from start: Timestamp, to end: Timestamp, day: Int64) -> [UsageEvent] {
        var noise = Noise(account.name, day)
        let isWeekend = [2, 3].contains(start.seconds / Self.day % 7)
        let count = max(1, isWeekend ? account.eventsPerDay / 3 : account.eventsPerDay)
        let budget = credits(on: day) * (isWeekend ? 45 : 120) / 100
        var events: [UsageEvent] = []
        for number in 0..<count {
            // Most of it between seven and twenty-one o'clock.
            let second = number % 8 == 7 ? noise.below(Self.day) : 25_200 + noise.below(50_400)
            let at = start.adding(seconds: second)
            let share = budget / count * (50 + noise.below(101)) / 100
            guard let event = tokens(worth: share, count: count, at: at, "\(day)-\(number)", &noise) else { continue }
            if at < end { events.append(event) }
        }
        events += others(start, day, &noise).filter { $0.at < end }
        return events.sorted { ($0.at, $0.id) < ($1.at, $1.id) }
    }

    /// What a day's tokens cost, in micro-credits: as a share of the plan's credits, more or less towards the end.
    private func credits(on day: Int64) -> Int64 {
        let perPeriod = account.plan.limits.creditsPerPeriod.map { min($0, 100_000_000_000) } ?? 10_000_000_000
        let daily = perPeriod / 30 * account.percentOfCredits / 100
        let half = DevnetAccount.days / 2
        return daily * (100 + account.growthPercent * (day - half) / (2 * half)) / 100
    }

    private func tokens(
        worth microCredits: Int64, count: Int64, at: Timestamp, _ id: String, _ noise: inout Noise
    ) -> UsageEvent? {
        guard let model = noise.one(of: models) else { return nil }
        // The day's limit is never reached, on no model.
        let most = account.plan.limits.tokensPerDay.map { $0 * 7 / 10 / count } ?? 2_000_000
        let total = max(200, min(most, microCredits * 1000 / model.price))
        let output = total * (10 + noise.below(21)) / 100
        let cached = noise.below(3) == 0 ? total / 5 : 0
        return event(
            .tokens(
                TokenCounts(input: total - output - cached, output: output, cacheRead: cached), model: model.name,
                provider: nil), id, at, &noise)
    }

    /// Calls of agents, and the tasks of the day.
    private func others(_ start: Timestamp, _ day: Int64, _ noise: inout Noise) -> [UsageEvent] {
        let noon = start.adding(seconds: 43_200)
        var events: [UsageEvent] = []
        let tasks = account.plan.limits.tasksPerMonth.map { min($0 / 50, 40) } ?? 60
        if tasks > 0 { events.append(event(.tasks(1 + noise.below(tasks)), "\(day)-tasks", noon, &noise)) }
        if day % 3 == 0, let agent = account.agents.first {
            events.append(
                event(
                    .agent(agent, calls: 1 + noise.below(3), seconds: 0), "\(day)-agent",
                    noon.adding(seconds: noise.below(18_000)), &noise))
        }
        return events
    }

    private func event(
        _ content: UsageEvent.Content, _ id: String, _ at: Timestamp, _ noise: inout Noise
    ) -> UsageEvent {
        var event = UsageEvent(
            source: "devnet", id: id, digest: "\(content)", account: account.name, at: at, content: content)
        event.user = noise.one(of: account.users)
        event.project = noise.one(of: account.projects)
        if case .tokens = content, noise.below(4) == 0 { event.agent = noise.one(of: account.agents) }
        return event
    }
}
