// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import HTTPService
internal import Persistence
internal import TestSupport

/// What the engine of accounts costs: its arithmetic in memory, and whole operations over a file with every answer durable.
struct AccountBenchmarks {
    private static let (batch, callers, waiting, accounts) = (100, 16, 64, 8)
    let effort: Measurement.Effort

    func run() async throws {
        print("| operation | p50 µs | p99 µs | a second |")
        print("| --- | ---: | ---: | ---: |")
        try arithmetic()
        let folder = try TemporaryDirectory()
        let store = try SQLiteStore(path: "\(folder.path)/store.sqlite", clock: SystemWallClock())
        let billing = try Self.service(over: SQLiteBillingLedger(store))
        try await pairs(billing)
        // One user adds to four windows of an account, fifty to two hundred.
        for users in [1, 50] { try await usage(billing, users: users) }
        try store.close()
    }

    private static func catalogues() throws -> (PlanCatalogue, PriceList) {
        (
            try PlanCatalogue.read(YAMLText.json(BuiltInPlans.plansYAML)),
            try PriceList.read(YAMLText.json(BuiltInPrices.pricesYAML))
        )
    }

    private static func service(over ledger: any BillingLedger) throws -> BillingService {
        let (plans, prices) = try catalogues()
        return BillingService(
            ledger: ledger, plans: PlanBook(plans), prices: PriceBook(prices), clock: SystemWallClock(),
            metricsFactory: PrometheusRegistry())
    }

    // MARK: What is measured

    /// A pair on an account with thirty grants: the books only, no store.
    private func arithmetic() throws {
        let terms = BillingTerms(catalogue: try Self.catalogues().0)
        let clock = SystemWallClock()
        var book = AccountBook(account: "acme", at: clock.now())
        var changes = AccountChanges(recordedAt: clock.now())
        var standing = book.advance(to: clock.now(), terms: terms, into: &changes)
        for number in 0..<30 {
            let grant = Grant(
                id: "g\(number)", key: "g\(number)", digest: "", microCredits: 1_000_000_000_000, source: .purchase,
                createdAt: clock.now(), effectiveAt: clock.now(), reason: "benchmark")
            try book.grant(grant, standing: standing, into: &changes)
        }
        var times: [Int64] = []
        let whole = Stopwatch()
        for number in 0..<200_000 * effort.percent / 100 {
            let watch = Stopwatch()
            changes = AccountChanges(recordedAt: clock.now())
            standing = book.advance(to: clock.now(), terms: terms, into: &changes)
            let charge = Charge(microCredits: 66_000, creditValueMicroUSD: 10_000)
            let use = EligibilityQuestion.TokenUse(subject: ChargeSubject(user: "u"), charge: charge)
            let request = HoldRequest(id: "r\(number)", key: "k\(number)", digest: "", use: use)
            var held = try book.reserve(request, standing: standing, terms: terms, into: &changes)
            let total = Charge(microCredits: 54_700, creditValueMicroUSD: 10_000)
            _ = try book.commit(&held, total: total, standing: standing, into: &changes)
            times.append(watch.nanoseconds)
        }
        report("reserve and commit, arithmetic alone", CallTimes(times, whole: whole.nanoseconds), each: 1)
    }

    private func pairs(_ billing: BillingService) async throws {
        let times = try await CallTimes.of(callers: Self.waiting, count: 30_000 * effort.percent / 100) { index in
            let account = "pairs-\(index % Self.accounts)"
            let held = try await billing.reserve(
                ReservationRequest(key: "k\(index)", amount: .microCredits(1000)), account: account)
            _ = try await billing.commit(
                held.reservation.id, CommitRequest(amount: .microCredits(500)), account: account)
        }
        report("reserve and commit, durable, \(Self.waiting) at once", times, each: 1)
    }

    private func usage(_ billing: BillingService, users: Int) async throws {
        let clock = SystemWallClock()
        let times = try await CallTimes.of(callers: Self.callers, count: 4000 * effort.percent / 100) { index in
            let (account, now) = ("usage-\(users)-\(index % Self.accounts)", clock.now())
            let events = (0..<Self.batch).map { number in
                UsageCandidate(
                    UsageEvent(
                        source: "gateway", id: "\(index)-\(number)", digest: "5e", account: account, at: now,
                        content: .tokens(TokenCounts(input: 12, output: 3), model: "gpt-4o-mini", provider: nil),
                        user: "u\(number % users)"))
            }
            _ = try await billing.record(events, account: account)
        }
        let name = "usage in batches of 100, users in each: \(users), durable, \(Self.callers) callers"
        report(name, times, each: Self.batch)
    }

    private func report(_ name: String, _ times: CallTimes, each: Int) {
        let figures = [times.micros(0.5), times.micros(0.99)].map { Measurement.fixed($0, 1) }
        print("| \(name) | \(figures[0]) | \(figures[1]) | \(Measurement.fixed(times.rate * Double(each), 0)) |")
    }
}
