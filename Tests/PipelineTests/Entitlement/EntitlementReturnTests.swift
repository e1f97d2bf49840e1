// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Pipeline
internal import TestSupport
internal import Testing

/// What was taken goes back where the request is refused after all, or nobody gets the answer.
@Suite struct EntitlementReturnTests {
    @Test(arguments: [
        Refusal(.billingPlanRequired, details: ["remaining": 1]), Refusal(.billingModelTierNotAvailable),
        Refusal(.rateLimited, retryAfterSeconds: 9), Refusal(.billingUnavailable),
    ])
    func aRefusalOfTheLedgerIsTheAnswerAndGivesBackThePlaceInTheLimit(_ refusal: Refusal) async throws {
        let gate = try MeteredWorld()
        gate.service.refuse(refusal)
        let token = try await gate.token()
        // Three requests a minute pass: more than three are refused by the ledger, never by the limit.
        for _ in 0..<5 {
            let decision = await gate.decide("GET", "/task", token: token)
            #expect(decision.refusal == refusal)
            #expect(decision.entitlement == nil)
            #expect(!decision.tookSomething)
        }
        #expect(gate.service.returned.isEmpty, "nothing was taken with a refusal")
        gate.service.refuse(nil)
        for _ in 0..<3 { #expect(await gate.decide("GET", "/task", token: token).refusal == nil) }
        #expect(await gate.decide("GET", "/task", token: token).refusal?.code == .rateLimited)
        #expect(gate.service.asked.count == 8, "a refused limit asks nothing")
        let result = refusal.status == 503 ? "unavailable" : "deny"
        #expect(try gate.count("task", result, refusal.code.rawValue) == 5)
    }

    @Test func aLaterRefusalGivesTheReservationBack() async throws {
        let log = StageLog()
        let gate = try MeteredWorld(
            later: FakeStage(step: .meter, log: log, refusal: Refusal(.authRateLimitedIdentity)))
        let decision = await gate.decide("POST", "/chat", token: try await gate.token())
        #expect(decision.refusal?.code == .authRateLimitedIdentity)
        #expect(decision.entitlement == nil)
        #expect(gate.service.returned.map(\.reservation?.id) == ["r-1"])
        #expect(gate.service.returned.map(\.key) == gate.service.asked.map(\.key))
    }

    @Test func aTrailThatIsAwayGivesTheReservationBack() async throws {
        let gate = try MeteredWorld()
        gate.world.audit.become(.away)
        let decision = await gate.decide("POST", "/chat", token: try await gate.token())
        #expect(decision.refusal?.code == .auditUnavailable)
        #expect(decision.entitlement == nil)
        #expect(gate.service.returned.count == 1)
    }

    @Test func aLedgerThatTookTooLongGivesTheReservationBack() async throws {
        let service = FakeEntitlements(before: {
            let watch = Stopwatch()
            while watch.nanoseconds < 30_000_000 {}
        })
        let gate = try MeteredWorld(service: service, timeout: .milliseconds(20))
        let decision = await gate.decide("POST", "/chat", token: try await gate.token())
        #expect(decision.refusal?.code == .decisionTimeout)
        #expect(decision.entitlement == nil)
        #expect(service.returned.count == service.asked.count)
    }

    @Test func whoeverWentAwayGetsNothingTaken() async throws {
        let gate = try MeteredWorld()
        let token = try await gate.token()
        let decision = await withTaskGroup(of: Decision.self) { group in
            group.cancelAll()
            group.addTask { await gate.decide("POST", "/chat", token: token) }
            return await group.next()
        }
        #expect(decision?.refusal?.code == .decisionTimeout)
        #expect(gate.service.asked.count == 1)
        #expect(gate.service.returned.count == 1)
    }

    @Test func anAnswerThatCameTooLateForItsDoorGivesEverythingBack() async throws {
        let gate = try MeteredWorld()
        let runner = DecisionRunner(decider: gate.world.pipeline, timeout: .zero, maximum: 10)
        let token = try await gate.token()
        let input = PipelineWorld.input("POST", MeteredWorld.host, "/chat", token: token)
        let late = await runner.decide(input)
        #expect(late.refusal?.code == .decisionTimeout)
        #expect(late.entitlement == nil)
        #expect(!late.tookSomething)
        #expect(gate.service.returned.count == 1)
        let batch = await runner.decide([input, input])
        #expect(batch.map(\.refusal?.code) == [.decisionTimeout, .decisionTimeout])
        #expect(gate.service.returned.count == 3)
        // The places in the limit of three came back with them.
        for _ in 0..<3 { #expect(await gate.decide("GET", "/task", token: token).refusal == nil) }
    }

    @Test func anAnswerInTimeKeepsWhatItTook() async throws {
        let gate = try MeteredWorld()
        let decision = await gate.decide("POST", "/chat", token: try await gate.token())
        #expect(gate.service.returned.isEmpty)
        #expect(decision.tookSomething)
        await decision.giveBack()
        #expect(gate.service.returned.map(\.reservation?.id) == ["r-1"])
    }

    @Test func whatOnlyChecksHasNothingToGiveBack() async throws {
        let gate = try MeteredWorld()
        let decision = await gate.decide("POST", "/agents/a1", token: try await gate.token())
        await decision.giveBack()
        #expect(gate.service.asked.count == 1)
        #expect(gate.service.returned.isEmpty)
    }
}
