// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import MetricsTestKit
internal import TestSupport
internal import Testing

@Suite struct BillingReservationTests {
    private func tokens(_ input: Int64, _ output: Int64) -> UsageAmount {
        .tokens(UsageAmount.Tokens(model: nil, counts: TokenCounts(input: input, output: output)))
    }

    private func reserve(_ desk: AccountDesk, key: String) async throws -> String {
        let amount = UsageAmount.tokens(
            UsageAmount.Tokens(model: "gpt-4o", counts: TokenCounts(input: 1000), maxOutput: 1000))
        let answer = try await desk.service.reserve(ReservationRequest(key: key, amount: amount), account: "acme")
        #expect(answer.reservation.held == 1_250_000)
        #expect(answer.reservation.heldTokens == 2000)
        return answer.reservation.id
    }

    @Test func aStreamOfTokensIsCountedOnceByItsClasses() async throws {
        let desk = try AccountDesk()
        try await desk.open("acme", microCredits: 1_000_000_000)
        let id = try await reserve(desk, key: "r")
        let step = try await desk.service.increment(
            id, IncrementRequest(amount: tokens(1000, 100)), account: "acme")
        #expect(step.outcome?.charged == 350_000)
        #expect(step.reservation.held == 1_250_000)
        _ = try await desk.service.commit(id, CommitRequest(amount: tokens(1000, 300)), account: "acme")
        let view = try await desk.service.view("acme")
        #expect(view.book.totals.consumed == 550_000)
        #expect(view.book.counters.tokensToday == 1300)
        #expect(view.book.counters.tokensHeld == 0)
        let days = try await desk.ledger.read("acme") { reader in
            try reader.windows(.day, from: Timestamp(seconds: 0), to: .latest, by: [.model])
        }
        #expect(days.map(\.dimensions.model) == ["gpt-4o"])
        #expect(days.first?.amounts.input == 1000)
        #expect(days.first?.amounts.output == 300)
        #expect(days.first?.amounts.requests == 1)
        #expect(days.first?.amounts.chargeMicroCredits == 550_000)
    }

    @Test func aStreamThatItsEventCommitsIsCountedOnce() async throws {
        let desk = try AccountDesk()
        try await desk.open("acme", microCredits: 1_000_000_000)
        let id = try await reserve(desk, key: "r")
        _ = try await desk.service.increment(id, IncrementRequest(amount: tokens(1000, 0)), account: "acme")
        // The second says the same of the same call under another id: it has its charge already.
        for (name, charge) in [("e1", Int64(250_000)), ("e2", 0)] {
            let event = desk.event(name, "acme", input: 2000, model: "gpt-4o", reservation: id)
            let result = try await desk.service.record([event], account: "acme").first
            #expect(result?.outcome == .accepted(chargeMicroCredits: charge))
        }
        let days = try await desk.ledger.read("acme") { reader in
            try reader.windows(.day, from: Timestamp(seconds: 0), to: .latest, by: [])
        }
        let view = try await desk.service.view("acme")
        #expect(days.map(\.amounts.requests) == [1])
        #expect(days.map(\.amounts.input) == [2000])
        #expect(days.map(\.amounts.chargeMicroCredits) == [view.book.totals.consumed])
    }

    @Test func anEventOfAnAgentCommitsToo() async throws {
        let desk = try AccountDesk()
        try await desk.open("acme", microCredits: 1_000_000_000)
        let id = try await desk.reserve("acme", 900_000_000, key: "r").reservation.id
        var charges: [Int64?] = []
        for name in ["e1", "e2"] {
            let event = UsageEvent(
                source: "gw", id: name, digest: name, account: "acme", at: desk.clock.now(),
                content: .agent("coder", calls: 0, seconds: 3600), reservation: id)
            let result = try await desk.service.record([UsageCandidate(event)], account: "acme").first
            guard case .accepted(let charge) = result?.outcome else { throw Refusal(.requestInvalid) }
            charges.append(charge)
        }
        let answer = try await desk.service.reservation(id, account: "acme")
        let book = try await desk.service.view("acme").book
        #expect(answer.reservation.state == .committed && book.held == 0)
        #expect(book.totals.consumed == 1_000_000 && charges == [1_000_000, 0])
    }

    /// What was settled stays as it was charged; what comes after it is rated by what holds then.
    @Test(arguments: [(0, 20), (20, 0)])
    func anotherMarkupReachesWhatComesAfterIt(_ before: Int64, _ after: Int64) async throws {
        let desk = try AccountDesk()
        func put(_ markup: Int64) async throws {
            let spec = StatedSubscription(
                uid: "uid", plan: "enterprise", anchor: Timestamp(seconds: 1_700_000_000),
                overrides: ["credits": 0, "markupPercent": .int(markup)])
            _ = try await desk.service.apply(SubscriptionOrder(spec: spec), account: "acme")
        }
        try await put(before)
        let grant = GrantOrder(key: "opening", microCredits: 1_000_000_000, source: .purchase, reason: "test")
        _ = try await desk.service.grant(grant, account: "acme", actor: "test")
        let amount = UsageAmount.tokens(
            UsageAmount.Tokens(model: "gpt-4o", counts: TokenCounts(input: 1000), maxOutput: 1000))
        let request = ReservationRequest(key: "r", amount: amount)
        let id = try await desk.service.reserve(request, account: "acme").reservation.id
        _ = try await desk.service.increment(id, IncrementRequest(amount: tokens(1000, 0)), account: "acme")
        try await put(after)
        for _ in 0..<2 {
            _ = try await desk.service.commit(id, CommitRequest(amount: tokens(1000, 100)), account: "acme")
        }
        let consumed = try await desk.service.view("acme").book.totals.consumed
        #expect(consumed == 250_000 * (100 + before) / 100 + 100_000 * (100 + after) / 100)
    }

    @Test func whatCannotBeCollectedIsCountedOnce() async throws {
        let metrics = TestMetrics()
        let desk = try AccountDesk(metrics: metrics)
        try await desk.open("acme", microCredits: 100, plan: "free")
        let id = try await desk.reserve("acme", 100, key: "r").reservation.id
        let step = IncrementRequest(amount: .microCredits(150), holdMicroCredits: 0)
        _ = try await desk.service.increment(id, step, account: "acme")
        for _ in 0..<2 {
            _ = try await desk.service.commit(id, CommitRequest(amount: .microCredits(160)), account: "acme")
        }
        func sum(_ label: String, _ dimensions: [(String, String)] = []) throws -> Int64 {
            try metrics.expectCounter(label, dimensions).values.reduce(0, +)
        }
        #expect(try sum("tollgate_billing_uncollected_micro_credits_total") == 60)
        #expect(try sum("tollgate_billing_reservations_total", [("state", "committed")]) == 1)
    }

    @Test func otherTokensOfTheSamePriceAreAnotherTotal() async throws {
        let desk = try AccountDesk()
        try await desk.open("acme", microCredits: 1_000_000_000)
        let amount = UsageAmount.tokens(
            UsageAmount.Tokens(model: "gpt-4o-mini", counts: TokenCounts(input: 100)))
        let request = ReservationRequest(key: "r", amount: amount)
        let id = try await desk.service.reserve(request, account: "acme").reservation.id
        for _ in 0..<2 {
            _ = try await desk.service.commit(id, CommitRequest(amount: tokens(10, 0)), account: "acme")
        }
        await expectRefusal(.billingReservationCommitted) {
            _ = try await desk.service.commit(id, CommitRequest(amount: tokens(11, 0)), account: "acme")
        }
    }

    @Test func aHoldThatIsFilledUpKeepsTheTokensOfTheDay() async throws {
        let desk = try AccountDesk()
        let spec = StatedSubscription(
            uid: "uid", plan: "enterprise", anchor: desk.clock.now(), overrides: ["tokensPerDay": 2500])
        _ = try await desk.service.apply(SubscriptionOrder(spec: spec), account: "acme")
        let id = try await reserve(desk, key: "r")
        let step = try await desk.service.increment(
            id, IncrementRequest(amount: tokens(1000, 0), holdMicroCredits: 12_500_000), account: "acme")
        #expect(step.refusal?.code == .billingDailyTokenLimitExceeded)
        #expect(step.outcome?.charged == 250_000)
        let counters = try await desk.service.view("acme").book.counters
        #expect(counters.tokensToday == 1000 && counters.tokensHeld <= 1500)
    }

    @Test func runningTotalsNeverFall() async throws {
        let desk = try AccountDesk()
        try await desk.open("acme", microCredits: 1_000_000_000)
        let id = try await reserve(desk, key: "r")
        _ = try await desk.service.increment(id, IncrementRequest(amount: tokens(1000, 100)), account: "acme")
        await expectRefusal(.billingNotMonotonic) {
            _ = try await desk.service.increment(id, IncrementRequest(amount: tokens(999, 200)), account: "acme")
        }
        await expectRefusal(.billingNotMonotonic) {
            _ = try await desk.service.commit(id, CommitRequest(amount: tokens(1000, 99)), account: "acme")
        }
    }

    @Test func anIncrementThatCannotBeFilledKeepsWhatItSettled() async throws {
        let desk = try AccountDesk()
        try await desk.open("acme", microCredits: 150)
        let id = try await desk.reserve("acme", 100, key: "r").reservation.id
        let answer = try await desk.service.increment(
            id, IncrementRequest(amount: .microCredits(90), holdMicroCredits: 100), account: "acme")
        #expect(answer.refusal?.code == .billingInsufficientCredits)
        #expect(answer.refusal?.status == 402)
        let view = try await desk.service.view("acme")
        #expect(view.book.totals.consumed == 90)
        #expect(view.book.held == 10)
    }

    @Test func reservationsOfOthersAreNotFound() async throws {
        let desk = try AccountDesk()
        try await desk.open("acme", microCredits: 100)
        let id = try await desk.reserve("acme", 100, key: "r").reservation.id
        await expectRefusal(.billingNotFound) { _ = try await desk.service.reservation(id, account: "globex") }
        await expectRefusal(.billingNotFound) { _ = try await desk.service.release(id, account: "globex") }
    }

    @Test func aReservationEndsAfterADayWhateverIsAdded() async throws {
        let desk = try AccountDesk()
        try await desk.open("acme", microCredits: 100)
        let start = desk.clock.now()
        let request = ReservationRequest(key: "r", ttl: .seconds(3600), amount: .microCredits(10))
        let id = try await desk.service.reserve(request, account: "acme").reservation.id
        for hour in 1...30 {
            desk.clock.set(start.adding(seconds: Int64(hour) * 3590))
            let used = IncrementRequest(amount: .microCredits(Int64(hour)))
            guard hour * 3590 < 86_400 else {
                await expectRefusal(.billingReservationExpired) {
                    _ = try await desk.service.increment(id, used, account: "acme")
                }
                continue
            }
            let answer = try await desk.service.increment(id, used, account: "acme")
            #expect(answer.reservation.expiresAt <= start.adding(seconds: 86_400))
        }
    }

    @Test(arguments: [9, 3601] as [Int64])
    func otherTimesAreRefused(seconds: Int64) async throws {
        let desk = try AccountDesk()
        try await desk.open("acme", microCredits: 100)
        await expectRefusal(.requestInvalid) {
            let request = ReservationRequest(key: "r", ttl: .seconds(seconds), amount: .microCredits(10))
            _ = try await desk.service.reserve(request, account: "acme")
        }
    }

    @Test func premiumModelsThatAreHeldCount() async throws {
        let desk = try AccountDesk()
        try await desk.open("acme", microCredits: 1_000_000_000, plan: "pro")
        func reserve(_ model: String) async throws {
            let amount = UsageAmount.tokens(UsageAmount.Tokens(model: model, counts: TokenCounts(input: 10)))
            _ = try await desk.service.reserve(ReservationRequest(key: model, amount: amount), account: "acme")
        }
        for model in ["o3", "gpt-5.2", "gemini-3-pro"] { try await reserve(model) }
        await expectRefusal(.billingPremiumModelLimitReached) { try await reserve("claude-sonnet-4") }
    }
}
