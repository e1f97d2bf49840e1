// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import TestSupport
internal import Testing

/// What a decision takes: all or nothing, once for its key, and given back whole.
@Suite struct BillingMeteringTests {
    /// 1,000 in and at most 1,000 out of gpt-4o: 1,250,000 micro-credits.
    private static let call = EligibilityRequest.Action.tokens(
        .tokens(UsageAmount.Tokens(model: "gpt-4o", counts: TokenCounts(input: 1000), maxOutput: 1000)))

    private static let taken: [(EligibilityRequest.Action?, Int64)] = [
        (nil, 40_000), (.task(count: 2), 0), (.task(count: 1), 25_000), (call, 0), (call, 9000),
    ]

    private func request(
        _ action: EligibilityRequest.Action?, key: String = "k", fee: Int64 = 0
    ) -> MeteredRequest {
        MeteredRequest(key: key, action: action, feeMicroCredits: fee, user: "ada", project: "p1")
    }

    /// Everything that a request could have changed.
    private struct Figures: Equatable {
        var balance: Int64
        var held: Int64
        var consumed: Int64
        var used: Int64
        var tasks: Int64
        var tokensHeld: Int64
        var open: Int64
        var spent: [Int64]
        var windows: UsageAmounts
    }

    private func figures(_ desk: AccountDesk) async throws -> Figures {
        let book = try await desk.service.view("acme").book
        let windows = try await desk.ledger.read("acme") { reader in
            try reader.windows(.day, from: Timestamp(seconds: 0), to: .latest, by: [])
        }
        return Figures(
            balance: book.balance, held: book.held, consumed: book.totals.consumed,
            used: book.counters.period.usedMicroCredits, tasks: book.counters.period.tasks,
            tokensHeld: book.counters.tokensHeld,
            open: book.openReservations, spent: book.budgets.map(\.spentMicroUSD),
            windows: windows.reduce(into: UsageAmounts()) { $0.add($1.amounts) })
    }

    private func budgeted(_ desk: AccountDesk) async throws {
        try await desk.open("acme", microCredits: 10_000_000)
        let budget = Budget(name: "ada", scope: .user, match: "ada", period: .daily, hardLimitMicroUSD: 1_000_000)
        _ = try await desk.service.put(budget, isNew: true, account: "acme", actor: "test")
    }

    @Test func tokensAreHeldAndTheFeeIsCharged() async throws {
        let desk = try AccountDesk()
        try await budgeted(desk)
        let answer = try await desk.service.meter(request(Self.call, fee: 50_000), account: "acme", actor: "ada")
        #expect(answer.plan == "enterprise")
        #expect(answer.needed == 1_300_000)
        #expect(answer.remaining == 8_700_000)
        #expect(answer.reservation?.held == 1_250_000)
        #expect(answer.charged == 50_000)
        let now = try await figures(desk)
        #expect((now.balance, now.held, now.consumed) == (8_700_000, 1_250_000, 50_000))
        #expect(now.spent == [500])
        #expect(now.windows.chargeMicroCredits == 50_000)
        #expect(now.windows.requests == 0, "the call is counted when it is committed")
        #expect(try await desk.entries("acme").last?.actor == "ada")
    }

    @Test func tasksAreCountedAndPlacesOnlyLookedAt() async throws {
        let desk = try AccountDesk()
        try await desk.open("acme", microCredits: 1_000_000, plan: "pro")
        let tasks = try await desk.service.meter(request(.task(count: 3), fee: 10), account: "acme")
        #expect((tasks.countedTasks, tasks.charged, tasks.reservation == nil) == (3, 10, true))
        #expect(try await figures(desk).windows.tasks == 3)
        for action in [
            EligibilityRequest.Action.hireAgent(id: "a", isPremium: false), .slot(.worker, id: "w"),
            .slot(.workspace, id: nil),
        ] {
            let before = try await figures(desk)
            let answer = try await desk.service.meter(request(action, key: "\(action)"), account: "acme")
            #expect((answer.charged, answer.countedTasks, answer.needed) == (0, 0, 0))
            #expect(try await figures(desk) == before)
        }
        let only = try await desk.service.meter(request(nil, key: "fee", fee: 7), account: "acme")
        #expect((only.charged, only.needed) == (7, 7))
        #expect(try await figures(desk).windows.requests == 2)
    }

    @Test(arguments: BillingMeteringTests.taken)
    func whatIsGivenBackIsAsIfItNeverWas(_ action: EligibilityRequest.Action?, _ fee: Int64) async throws {
        let desk = try AccountDesk()
        try await budgeted(desk)
        let before = try await figures(desk)
        for _ in 0..<3 {
            let answer = try await desk.service.meter(request(action, fee: fee), account: "acme")
            #expect(try await figures(desk) != before)
            #expect(answer.needed == fee + (action == Self.call ? 1_250_000 : 0))
            try await desk.service.takeBack(key: "k", account: "acme")
            try await desk.service.takeBack(key: "k", account: "acme")
            #expect(try await figures(desk) == before, "and its key is free again")
        }
        let entries = try await desk.entries("acme")
        #expect(entries.allSatisfy { $0.legs.reduce(0) { $0 + $1.microCredits } == 0 })
        #expect(entries.last?.balanceAfter == before.balance)
    }

    @Test func theSameKeyIsMeteredOnce() async throws {
        let desk = try AccountDesk()
        try await budgeted(desk)
        let first = try await desk.service.meter(request(Self.call, fee: 5), account: "acme")
        let before = try await figures(desk)
        #expect(try await desk.service.meter(request(Self.call, fee: 5), account: "acme") == first)
        #expect(try await figures(desk) == before)
        await expectRefusal(.requestIdempotencyMismatch) {
            _ = try await desk.service.meter(request(Self.call, fee: 6), account: "acme")
        }
        #expect(try await figures(desk) == before)
    }

    @Test func aRefusalNamesAllThatIsNeededAndTakesNothing() async throws {
        let desk = try AccountDesk()
        try await desk.open("acme", microCredits: 1_260_000)
        let before = try await figures(desk)
        do {
            _ = try await desk.service.meter(request(Self.call, fee: 20_000), account: "acme")
            Issue.record("not refused")
        } catch {
            #expect(error.code == .billingInsufficientCredits)
            #expect(error.details?["required_micro_credits"] == 1_270_000)
            #expect(error.details?["available_micro_credits"] == 1_260_000)
            #expect(error.details?["additional_needed_micro_credits"] == 10_000)
        }
        #expect(try await figures(desk) == before)
        // A fee that can be paid is not kept where the tasks are over.
        try await desk.open("acme", microCredits: 0, plan: "free")
        let all = try await desk.service.meter(request(.task(count: 100), key: "all"), account: "acme")
        #expect(all.countedTasks == 100)
        let full = try await figures(desk)
        await expectRefusal(.billingTaskLimitReached) {
            _ = try await desk.service.meter(request(.task(count: 1), fee: 10), account: "acme")
        }
        #expect(try await figures(desk) == full)
    }

    @Test func whatIsRequiredIsAskedOfTheLedgerToo() async throws {
        let desk = try AccountDesk()
        try await desk.open("acme", microCredits: 1_000_000, plan: "free")
        for (requirements, code) in [
            (EligibilityQuestion.Requirements(plan: "pro"), ErrorCode.billingPlanRequired),
            (EligibilityQuestion.Requirements(modelTier: "expert"), .billingModelTierNotAvailable),
            (EligibilityQuestion.Requirements(premiumAgents: true), .billingPremiumAgentNotAvailable),
        ] {
            for action: EligibilityRequest.Action? in [nil, .task(count: 1), Self.call] {
                var request = request(action, fee: 1)
                request.requirements = requirements
                await expectRefusal(code) { _ = try await desk.service.meter(request, account: "acme") }
            }
        }
    }

    @Test func aPreviewTakesNothing() async throws {
        let desk = try AccountDesk()
        try await budgeted(desk)
        let before = try await figures(desk)
        let seen = try await desk.service.previewMetering(request(Self.call, fee: 5), account: "acme")
        #expect((seen.needed, seen.charged, seen.reservation == nil) == (1_250_005, 0, true))
        #expect(try await figures(desk) == before)
        await expectRefusal(.billingInsufficientCredits) {
            _ = try await desk.service.previewMetering(request(nil, fee: 10_000_001), account: "acme")
        }
    }

    @Test func whatWasSettledSinceIsNotTakenBack() async throws {
        let desk = try AccountDesk()
        try await budgeted(desk)
        let answer = try await desk.service.meter(request(Self.call, fee: 5), account: "acme")
        let id = try #require(answer.reservation?.id)
        let used = UsageAmount.tokens(UsageAmount.Tokens(model: nil, counts: TokenCounts(input: 1000)))
        _ = try await desk.service.commit(id, CommitRequest(amount: used), account: "acme")
        let before = try await figures(desk)
        try await desk.service.takeBack(key: "k", account: "acme")
        #expect(try await figures(desk) == before)
        try await desk.service.takeBack(key: "another", account: "acme")
        #expect(try await figures(desk) == before)
    }

    @Test func aGrantThatTheFeeHasSpentIsOpenAgain() async throws {
        let desk = try AccountDesk()
        try await desk.open("acme", microCredits: 40_000)
        _ = try await desk.service.meter(request(nil, fee: 40_000), account: "acme")
        #expect(try await desk.service.view("acme").book.grants.isEmpty)
        try await desk.service.takeBack(key: "k", account: "acme")
        let book = try await desk.service.view("acme").book
        #expect(book.grants.map(\.remaining) == [40_000])
        #expect(book.grants.map(\.spent) == [0])
        _ = try await desk.service.meter(request(nil, fee: 40_000), account: "acme")
        await expectRefusal(.billingInsufficientCredits) {
            _ = try await desk.service.meter(request(nil, key: "more", fee: 1), account: "acme")
        }
    }

    @Test func debtThatWasPaidSinceComesBackAsCredits() async throws {
        let desk = try AccountDesk()
        let spec = StatedSubscription(
            uid: "uid", plan: "enterprise", anchor: desk.clock.now(),
            overrides: ["credits": 0, "overage": ["maxCredits": 1]])
        _ = try await desk.service.apply(SubscriptionOrder(spec: spec), account: "acme")
        _ = try await desk.service.meter(request(nil, fee: 700_000), account: "acme")
        #expect(try await desk.service.view("acme").book.debt == 700_000)
        let order = GrantOrder(key: "pack", microCredits: 300_000, source: .purchase, reason: "test")
        _ = try await desk.service.grant(order, account: "acme", actor: "test")
        #expect(try await desk.service.view("acme").book.debt == 400_000)
        try await desk.service.takeBack(key: "k", account: "acme")
        let book = try await desk.service.view("acme").book
        #expect((book.debt, book.balance, book.totals.consumed) == (0, 300_000, 0))
    }

    @Test func aThousandAtOnceTakeExactlyWhatIsThere() async throws {
        let desk = try AccountDesk()
        try await desk.open("acme", microCredits: 100 * 20_000)
        let granted = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<1000 {
                group.addTask {
                    let request = MeteredRequest(key: "k\(number)", action: nil, feeMicroCredits: 20_000)
                    return (try? await desk.service.meter(request, account: "acme")) != nil
                }
            }
            return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(granted == 100)
        #expect(try await figures(desk).balance == 0)
    }

    /// The fee fits into the budget, and leaves too little of it for the hold.
    @Test func aBudgetInTheWayTakesNoFee() async throws {
        let desk = try AccountDesk()
        try await desk.open("acme", microCredits: 10_000_000)
        let budget = Budget(
            name: "ada", scope: .user, match: "ada", period: .daily, hardLimitMicroUSD: 12_700,
            actionOnHard: .alertAndBlock)
        _ = try await desk.service.put(budget, isNew: true, account: "acme", actor: "test")
        let before = try await figures(desk)
        let entries = try await desk.entries("acme").count
        await expectRefusal(.billingBudgetExceeded) {
            _ = try await desk.service.meter(request(Self.call, fee: 50_000), account: "acme")
        }
        #expect(try await figures(desk) == before)
        #expect(try await desk.entries("acme").count == entries)
        #expect(try await desk.service.view("acme").book.budgets.first?.isHardTold == true)
        // Without the fee it fits.
        _ = try await desk.service.meter(request(Self.call), account: "acme")
    }

    @Test func whatIsGivenBackIsNotMetered() async throws {
        let world = try ProviderDesk()
        try await world.subscribe("acme")
        let service = world.desk.service
        _ = try await service.meter(request(nil, key: "kept", fee: 30_000), account: "acme")
        let before = try await service.view("acme").book.totals.metered
        #expect(before == 300)
        _ = try await service.meter(request(nil, key: "gone", fee: 50_000), account: "acme")
        #expect(try await service.view("acme").book.totals.metered == 800)
        try await service.takeBack(key: "gone", account: "acme")
        #expect(try await service.view("acme").book.totals.metered == before)
    }
}
