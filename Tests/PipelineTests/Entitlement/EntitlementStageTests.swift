// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import MetricsTestKit
internal import Pipeline
internal import RuntimeState
internal import TestSupport
internal import Testing

/// What the step asks of the ledger, and what it answers.
@Suite struct EntitlementStageTests {
    @Test func aModelCallReservesTheEstimateOfItsRoute() async throws {
        let gate = try MeteredWorld()
        let decision = await gate.decide("POST", "/chat", token: try await gate.token())
        #expect(decision.refusal == nil)
        let asked = try #require(gate.service.asked.first)
        #expect(asked.account == "acme")
        #expect(asked.action == .tokens)
        #expect(asked.model == "gpt-4o")
        #expect(asked.estimate == TokenEstimate(input: 1000, maxOutput: 500))
        #expect(asked.microCreditsPerRequest == 7)
        #expect(asked.user == "ci-acme")
        #expect(asked.id == nil)
        #expect(asked.now == gate.world.clock.now())
        #expect(asked.timeLeft > .zero && asked.timeLeft <= .seconds(3600))
        #expect(decision.entitlement?.plan == "pro")
        #expect(decision.entitlement?.reservation?.heldMicroCredits == 1500)
        #expect(gate.service.returned.isEmpty)
        #expect(try gate.count("tokens", "allow") == 1)
    }

    @Test func whereAccountsAreNotMadeTheLedgerSaysWhetherThereIsOne() async throws {
        let service = FakeEntitlements(makesAccounts: false)
        let gate = try MeteredWorld(service: service)
        let token = try await gate.token()
        #expect(await gate.decide("GET", "/pro", token: token).refusal == nil)
        #expect(service.asked.map(\.account) == ["acme"])
        service.refuse(Refusal(.billingAccountNotFound))
        #expect(await gate.decide("GET", "/pro", token: token).refusal?.code == .billingAccountNotFound)
    }

    @Test func whatARouteSaysReplacesWhatTheObjectSays() async throws {
        let gate = try MeteredWorld()
        let token = try await gate.token()
        for (method, path) in [("GET", "/task"), ("POST", "/agents/a1"), ("POST", "/workers/w1")] {
            #expect(await gate.decide(method, path, token: token).refusal == nil, "\(path)")
        }
        let asked = gate.service.asked
        #expect(asked.map(\.action) == [.task, .agentHire, .slot])
        #expect(asked.map(\.id) == [nil, "a1", "w1"])
        #expect(asked.map(\.slot) == [nil, nil, .worker])
        #expect(asked.map(\.count) == [1, 1, 1])
    }

    @Test(arguments: [
        ("GET", "/free", MeteredWorld.host), ("GET", "/public", MeteredWorld.host),
        ("GET", "/task", "plain.example.com"),
    ])
    func nothingIsAskedWhereNothingIsMetered(_ method: String, _ path: String, _ host: String) async throws {
        let gate = try MeteredWorld()
        let decision = await gate.decide(method, path, token: try await gate.token(), host: host)
        #expect(decision.refusal == nil)
        #expect(decision.entitlement == nil)
        #expect(gate.service.asked.isEmpty)
    }

    @Test func aDryRunLooksAndTakesNothing() async throws {
        let gate = try MeteredWorld()
        let decision = await gate.decide("POST", "/chat", token: try await gate.token()) {
            $0.dryRun = true
            $0.explain = true
        }
        #expect(decision.refusal == nil)
        #expect(decision.entitlement == nil)
        #expect(!decision.tookSomething)
        #expect(gate.service.asked.isEmpty)
        #expect(gate.service.previewed.map(\.action) == [.tokens])
        let step = try #require(decision.steps.first { $0.name == "entitlement" })
        #expect(step.outcome == .pass)
        #expect(step.detail == "tokens of gpt-4o on plan pro: 0.001507 credits needed, 5.001507 there")
    }

    @Test func explainSaysWhatWasMissing() async throws {
        let gate = try MeteredWorld()
        gate.service.refuse(
            Refusal(
                .billingPlanRequired, message: "Not enough credits",
                details: ["required_credits": 750_000, "available_credits": 500_000]))
        let decision = await gate.decide("POST", "/chat", token: try await gate.token()) { $0.explain = true }
        let step = try #require(decision.steps.first { $0.name == "entitlement" })
        #expect(step.outcome == .deny)
        #expect(step.code == .billingPlanRequired)
        #expect(
            step.detail == "tokens of gpt-4o: Not enough credits: 0.75 credits needed, 0.5 there")
        #expect(gate.service.previewed.isEmpty, "it was asked already")
    }

    @Test func explainSaysWhereMeteringHappens() async throws {
        let gate = try MeteredWorld()
        let token = try await gate.token()
        let metered = await gate.decide("GET", "/task", token: token) { $0.explain = true }
        #expect(metered.steps.first { $0.name == "meter" }?.detail == "counted with the entitlement, as one")
        let free = await gate.decide("GET", "/free", token: token) { $0.explain = true }
        #expect(
            free.steps.first { $0.name == "entitlement" }?.detail
                == "nothing is metered here: nothing is asked for, nothing is counted")
    }

    @Test func theGatewaysWordReplacesActionAndEstimateOnly() async throws {
        let gate = try MeteredWorld()
        let usage = StatedUsage(
            action: .tokens, provider: "openai", model: "o3", estimate: TokenEstimate(input: 3), account: "globex",
            user: "u9", project: "p1", agent: "writer")
        let token = try await gate.token()
        let refused = await gate.decide("GET", "/all", token: token) { $0.usage = usage }
        #expect(refused.refusal?.code == .billingPlanRequired, "what the route requires stays")
        let decision = await gate.decide("POST", "/chat", token: token) { $0.usage = usage }
        #expect(decision.refusal == nil)
        let asked = try #require(gate.service.asked.first)
        #expect(asked.account == "globex")
        #expect(asked.provider == "openai")
        #expect(asked.model == "o3")
        #expect(asked.estimate == TokenEstimate(input: 3))
        #expect(asked.microCreditsPerRequest == 7)
        #expect([asked.user, asked.project, asked.agent] == ["u9", "p1", "writer"])
    }

    @Test func theGatewaysWordMetersWhereNothingElseDoes() async throws {
        let gate = try MeteredWorld()
        let decision = await gate.decide("GET", "/task", token: try await gate.token(), host: "plain.example.com") {
            $0.usage = StatedUsage(action: .task, count: 4)
        }
        #expect(decision.refusal == nil)
        #expect(gate.service.asked.map(\.count) == [4])
        #expect(decision.entitlement?.countedTasks == 4)
    }

    @Test func eachRequestIsMeteredByItselfUnlessItHasAKey() async throws {
        let gate = try MeteredWorld()
        let token = try await gate.token()
        for key in [nil, nil, "decision:k"] as [String?] {
            // All three are called request-1: who calls may choose that name.
            _ = await gate.decide("GET", "/task", token: token) { $0.meteringKey = key }
        }
        let keys = gate.service.asked.map(\.key)
        #expect(Set(keys).count == 3)
        #expect(keys.last == "decision:k")
        #expect(keys.allSatisfy { (1...100).contains($0.utf8.count) && !$0.contains("request-1") })
    }

    @Test func aBatchIsMeteredInItsOrder() async throws {
        let gate = try MeteredWorld()
        let token = try await gate.token()
        let inputs = ["/agents/a", "/workers/b", "/agents/c"].map {
            PipelineWorld.input("POST", MeteredWorld.host, $0, token: token)
        }
        let decisions = await gate.world.pipeline.decide(inputs)
        #expect(decisions.allSatisfy { $0.refusal == nil })
        #expect(gate.service.asked.map(\.id) == ["a", "b", "c"])
    }

    @Test func withoutALedgerWhatCostsIsRefusedAndWhatIsIncludedIsNot() async throws {
        let gate = try MeteredWorld(service: nil)
        let token = try await gate.token()
        for (method, path) in [("GET", "/task"), ("POST", "/chat"), ("POST", "/agents/a"), ("POST", "/workers/w")] {
            let decision = await gate.decide(method, path, token: token)
            #expect(decision.refusal?.code == .billingUnavailable, "\(path)")
            #expect(decision.status == 503)
        }
        let included = await gate.decide("GET", "/pro", token: token)
        #expect(included.refusal == nil)
        #expect(included.entitlement?.plan == "pro")
        #expect(included.entitlement?.remainingMicroCredits == nil)
        #expect(await gate.decide("GET", "/free", token: token).refusal == nil)
        #expect(try gate.count("task", "unavailable", "billing.unavailable") == 1)
    }
}
