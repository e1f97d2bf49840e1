// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import Logging
internal import Metrics
internal import Pipeline
internal import RuntimeState
internal import TestSupport
internal import Testing

/// The real pipeline over the real engine: what a decision takes, and what its headers are made of.
@Suite struct LedgerEntitlementsTests {
    private struct Desk {
        let billing: BillingService
        let gate: MeteredWorld

        init(microCredits: Int64, plan: String = "enterprise", later: (any AdmissionStage)? = nil) async throws {
            let clock = ManualClock()
            let catalogue = try PlanCatalogue.read(YAMLText.json(BuiltInPlans.plansYAML))
            let prices = try PriceList.read(YAMLText.json(BuiltInPrices.pricesYAML))
            billing = BillingService(
                ledger: MemoryBillingLedger(), plans: PlanBook(catalogue), prices: PriceBook(prices), clock: clock,
                metricsFactory: NOOPMetricsHandler.instance)
            let spec = StatedSubscription(
                uid: "uid", plan: plan, anchor: clock.now(), overrides: ["credits": 0])
            _ = try await billing.apply(SubscriptionOrder(spec: spec), account: "acme")
            if microCredits > 0 {
                let order = GrantOrder(key: "opening", microCredits: microCredits, source: .purchase, reason: "test")
                _ = try await billing.grant(order, account: "acme", actor: "test")
            }
            gate = try MeteredWorld(
                ledger: LedgerEntitlements(billing, logger: Logger(label: "test")), later: later)
        }
    }

    @Test func aCallHoldsItsEstimateAndPaysItsFee() async throws {
        let desk = try await Desk(microCredits: 5_000_000)
        let decision = await desk.gate.decide("POST", "/chat", token: try await desk.gate.token())
        #expect(decision.refusal == nil)
        let granted = try #require(decision.entitlement)
        // 1,000 in at 2.5 and 500 out at 10 dollars the million, and the fee of the route.
        #expect(granted.reservation?.heldMicroCredits == 750_000)
        #expect(granted.chargedMicroCredits == 7)
        #expect(granted.neededMicroCredits == 750_007)
        #expect(granted.remainingMicroCredits == 4_249_993)
        #expect(granted.plan == "enterprise")
        let held = try await desk.billing.reservation(try #require(granted.reservation).id, account: "acme")
        #expect(held.reservation.subject.model == "gpt-4o")
        await decision.giveBack()
        #expect(try await desk.billing.view("acme").spendableMicroCredits == 5_000_000)
    }

    @Test func tasksAreCountedAndPlacesLookedAt() async throws {
        let desk = try await Desk(microCredits: 5_000_000)
        let token = try await desk.gate.token()
        #expect(await desk.gate.decide("GET", "/task", token: token).entitlement?.countedTasks == 1)
        #expect(await desk.gate.decide("POST", "/agents/a1", token: token).refusal == nil)
        #expect(await desk.gate.decide("POST", "/workers/w1", token: token).refusal == nil)
        let counters = try await desk.billing.view("acme").book.counters
        #expect((counters.period.tasks, counters.agents, counters.workers) == (1, 0, 0))
    }

    @Test func whatCannotBePaidIsRefusedWithWhatIsMissing() async throws {
        let desk = try await Desk(microCredits: 100)
        let refusal = await desk.gate.decide("POST", "/chat", token: try await desk.gate.token()).refusal
        #expect(refusal?.code == .billingInsufficientCredits)
        #expect(refusal?.status == 402)
        #expect(refusal?.details?["required_micro_credits"] == 750_007)
        #expect(refusal?.details?["available_micro_credits"] == 100)
        #expect(try await desk.billing.view("acme").spendableMicroCredits == 100)
    }

    @Test func aLaterRefusalGivesEverythingBack() async throws {
        let stage = FakeStage(step: .meter, log: StageLog(), refusal: Refusal(.authRateLimitedIdentity))
        let desk = try await Desk(microCredits: 5_000_000, later: stage)
        let token = try await desk.gate.token()
        let decision = await desk.gate.decide("POST", "/chat", token: token)
        #expect(decision.refusal?.code == .authRateLimitedIdentity)
        let view = try await desk.billing.view("acme")
        #expect((view.spendableMicroCredits, view.book.openReservations) == (5_000_000, 0))
    }

    @Test func whoeverWentAwayPaysNothing() async throws {
        let desk = try await Desk(microCredits: 5_000_000)
        let token = try await desk.gate.token()
        let gate = desk.gate
        let decision = await withTaskGroup(of: Decision.self) { group in
            group.cancelAll()
            group.addTask { await gate.decide("POST", "/chat", token: token) }
            return await group.next()
        }
        #expect(decision?.refusal?.code == .decisionTimeout)
        #expect(try await desk.billing.view("acme").spendableMicroCredits == 5_000_000)
    }

    @Test func anExplanationTakesNothing() async throws {
        let desk = try await Desk(microCredits: 5_000_000)
        let decision = await desk.gate.decide("POST", "/chat", token: try await desk.gate.token()) {
            $0.explain = true
            $0.dryRun = true
        }
        #expect(decision.refusal == nil)
        #expect(decision.steps.contains { $0.name == "entitlement" && $0.outcome == .pass })
        #expect(try await desk.billing.view("acme").spendableMicroCredits == 5_000_000)
    }

    @Test func nobodySaysWhichAgent() async throws {
        let desk = try await Desk(microCredits: 5_000_000)
        let usage = StatedUsage(action: .agentHire)
        let decision = await desk.gate.decide("GET", "/free", token: try await desk.gate.token()) { $0.usage = usage }
        #expect(decision.refusal?.code == .requestInvalid)
        #expect(decision.refusal?.details?["field"] == "usage.id")
        #expect(decision.refusal?.message.contains("usage.id") == true)
    }
}
