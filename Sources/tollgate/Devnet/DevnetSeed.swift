// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import Metrics
internal import Synchronization

/// Gives the accounts of a development server their month: the same operations as ever, day after day, on a clock that is set back.
struct DevnetSeed {
    /// A clock that the seed moves.
    private final class PastClock: WallClock {
        private let instant: Mutex<Timestamp>

        init(_ start: Timestamp) { instant = Mutex(start) }

        func now() -> Timestamp { instant.withLock(\.self) }

        func set(_ value: Timestamp) { instant.withLock { $0 = value } }
    }

    private static let day: Int64 = 86_400

    private let billing: BillingService
    private let clock: PastClock
    private let end: Timestamp
    private let start: Timestamp

    /// - Parameter now: where the month ends.
    init(
        ledger: any BillingLedger, plans: PlanBook, prices: PriceBook, settings: BillingSettings, now: Timestamp
    ) {
        end = now
        start = Timestamp(seconds: (now.seconds / Self.day - DevnetAccount.days + 1) * Self.day)
        clock = PastClock(start)
        billing = BillingService(
            ledger: ledger, plans: plans, prices: prices, settings: settings, clock: clock,
            metricsFactory: NOOPMetricsHandler.instance)
    }

    /// Writes everything.
    ///
    /// - Throws: `Refusal`.
    func run(_ accounts: [DevnetAccount]) async throws(Refusal) {
        for account in accounts { try await begin(account) }
        var time = start
        while time < end {
            let dayEnd = min(time.adding(seconds: Self.day), end)
            clock.set(dayEnd)
            for account in accounts {
                let events = DevnetDay(account, prices: billing.prices.prices, catalogue: billing.plans.catalogue)
                    .events(from: time, to: dayEnd, day: (time.seconds - start.seconds) / Self.day)
                _ = try await billing.record(events.map { UsageCandidate($0) }, account: account.name)
            }
            time = dayEnd
        }
    }

    /// Its subscription, places and budget.
    private func begin(_ account: DevnetAccount) async throws(Refusal) {
        _ = try await billing.apply(account.order, account: account.name)
        let limits = account.plan.limits
        for (kind, ids) in [
            (SlotRow.Kind.agent, account.agents), (.worker, account.projects.map { "worker-\($0)" }),
            (.workspace, account.projects),
        ] {
            // A plan of another catalogue may have fewer places.
            let room = kind == .agent ? limits.agentSlots.included : limits.slots(kind)
            for id in ids.prefix(Int(min(room ?? 100, 100))) {
                _ = try await billing.take(SlotRequest(kind: kind, id: id), account: account.name)
            }
        }
        guard let project = account.projects.first else { return }
        let credits = limits.creditsPerPeriod ?? 0
        let worth = billing.plans.catalogue.creditValueMicroUSD * (credits / 1_000_000)
        guard worth > 0 else { return }
        _ = try await billing.put(
            Budget(
                name: "\(project)-monthly", scope: .project, match: project, period: .monthly,
                softLimitMicroUSD: worth / 4, hardLimitMicroUSD: worth), isNew: true, account: account.name,
            actor: "devnet")
    }
}
