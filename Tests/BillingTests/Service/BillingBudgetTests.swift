// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import TestSupport
internal import Testing

@Suite struct BillingBudgetTests {
    private func desk(_ budget: Budget) async throws -> AccountDesk {
        let desk = try AccountDesk()
        try await desk.open("acme", microCredits: 1_000_000_000)
        _ = try await desk.service.put(budget, isNew: true, account: "acme", actor: "test")
        return desk
    }

    @Test func holdsCountAndExactlyAtTheLimitIsAllowed() async throws {
        let desk = try await desk(
            Budget(name: "b", scope: .tenant, period: .daily, hardLimitMicroUSD: 100, actionOnHard: .alertAndBlock))
        // One micro-dollar is a hundred micro-credits.
        let held = try await desk.reserve("acme", 6000, key: "1")
        _ = try await desk.reserve("acme", 4000, key: "2")
        do {
            _ = try await desk.reserve("acme", 100, key: "3")
            Issue.record("the budget is full")
        } catch let refusal as Refusal {
            #expect(refusal.code == .billingBudgetExceeded)
            #expect(refusal.details?["budget"] == "b")
            #expect(refusal.details?["remaining"] == 0)
            #expect(refusal.details?["upgrade"] == .null)
        }
        #expect(desk.told.count(.budgetExceeded) == 1)
        await expectRefusal(.billingBudgetExceeded) { _ = try await desk.reserve("acme", 100, key: "4") }
        #expect(desk.told.count(.budgetExceeded) == 1)
        _ = try await desk.service.release(held.reservation.id, account: "acme")
        _ = try await desk.reserve("acme", 6000, key: "5")
        let budget = try await desk.service.budget("b", account: "acme")
        #expect(budget.heldMicroUSD == 100)
        #expect(budget.spentMicroUSD == 0)
    }

    @Test func theWindowBeginsAnewAndThresholdsFireOnceEach() async throws {
        let desk = try await desk(
            Budget(
                name: "b", scope: .tenant, period: .daily, softLimitMicroUSD: 60, hardLimitMicroUSD: 100,
                actionOnHard: .throttle))
        for (index, used) in [4000, 2000, 2000, 2000, 1000].enumerated() {
            _ = try await desk.service.settle(Int64(used), account: "acme", key: "\(index)")
        }
        #expect(desk.told.count(.thresholdCrossed) == 3)
        #expect(desk.told.count(.alert) == 1)
        #expect(desk.told.count(.budgetExceeded) == 1)
        let view = try await desk.service.view("acme")
        #expect(view.book.throttledUntil == BillingPeriod.day(containing: desk.clock.now()).end)
        desk.clock.advance(seconds: 86_400)
        let after = try await desk.service.view("acme")
        #expect(after.book.throttledUntil == nil)
        #expect(after.book.budgets.first?.spentMicroUSD == 0)
    }

    @Test func aBudgetOfAUserCountsHimAlone() async throws {
        let desk = try await desk(
            Budget(
                name: "b", scope: .user, match: "ann", period: .monthly, hardLimitMicroUSD: 0, actionOnHard: .block))
        await expectRefusal(.billingBudgetExceeded) {
            let request = ReservationRequest(key: "1", amount: .microCredits(100), user: "ann")
            _ = try await desk.service.reserve(request, account: "acme")
        }
        _ = try await desk.service.reserve(
            ReservationRequest(key: "2", amount: .microCredits(100), user: "bob"), account: "acme")
    }

    @Test func whatIsNotThereIsNotFoundAndWhatTheObjectHasIsItsOwn() async throws {
        let desk = try await desk(Budget(name: "b", scope: .tenant, period: .daily))
        let other = Budget(name: "c", scope: .tenant, period: .daily)
        await expectRefusal(.billingNotFound) {
            _ = try await desk.service.put(other, isNew: false, account: "acme", actor: "test")
        }
        await expectRefusal(.billingNotFound) {
            try await desk.service.removeBudget("c", account: "acme", actor: "test")
        }
        await expectRefusal(.requestInvalid) {
            let same = Budget(name: "b", scope: .tenant, period: .weekly)
            _ = try await desk.service.put(same, isNew: true, account: "acme", actor: "test")
        }
        let spec = StatedSubscription(uid: "uid", plan: "pro", anchor: desk.clock.now())
        _ = try await desk.service.apply(SubscriptionOrder(spec: spec, budgets: [other]), account: "acme")
        await expectRefusal(.requestInvalid) {
            try await desk.service.removeBudget("c", account: "acme", actor: "test")
        }
        _ = try await desk.service.apply(SubscriptionOrder(spec: spec), account: "acme")
        #expect(try await desk.service.budgets("acme").map(\.budget.name) == ["b"])
    }
}
