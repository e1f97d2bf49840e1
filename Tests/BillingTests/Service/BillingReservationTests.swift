// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
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
        _ = try await desk.service.increment(id, IncrementRequest(amount: tokens(1000, 100)), account: "acme")
        for name in ["e1", "e2"] {
            // The second says the same of the same call under another id: it has its charge already.
            let event = desk.event(name, "acme", input: 2000, model: "gpt-4o", reservation: id)
            _ = try await desk.service.record([event], account: "acme")
        }
        let days = try await desk.ledger.read("acme") { reader in
            try reader.windows(.day, from: Timestamp(seconds: 0), to: .latest, by: [])
        }
        let view = try await desk.service.view("acme")
        #expect(days.map(\.amounts.requests) == [1])
        #expect(days.map(\.amounts.input) == [2000])
        #expect(days.map(\.amounts.chargeMicroCredits) == [view.book.totals.consumed])
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
