// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Authentication
internal import Essentials
internal import Pipeline
internal import TestSupport
internal import Testing

/// The stages between authorisation and audit: what they take they give back when the request is refused after all.
@Suite struct StageTests {
    private let log = StageLog()

    private func world(refusing step: DecisionStep? = nil, timeout: Duration = .seconds(60)) throws -> PipelineWorld {
        let stages: [any AdmissionStage] = [DecisionStep.requestLimit, .entitlement, .meter].map { name in
            FakeStage(step: name, log: log, refusal: name == step ? Refusal(.authRateLimitedIdentity) : nil)
        }
        return try PipelineWorld(stages: stages, settings: PipelineSettings(timeout: timeout))
    }

    @Test func everyStageRunsInOrderAndKeepsWhatItTook() async throws {
        #expect(try await world().outcome(token: PipelineWorld.adminText) == "200 admin")
        #expect(log.all == ["request_limit admin", "entitlement admin", "meter admin"])
    }

    @Test func aRefusalGivesBackWhatEarlierStagesTook() async throws {
        let world = try world(refusing: .meter)
        #expect(await world.outcome(token: PipelineWorld.adminText) == "429 auth.rate_limited.identity")
        #expect(
            log.all == [
                "request_limit admin", "entitlement admin", "meter admin", "gave back entitlement",
                "gave back request_limit",
            ])
        #expect(world.audit.entries.queued.count == 1)
    }

    @Test func theFirstRefusalEndsTheStages() async throws {
        let world = try world(refusing: .requestLimit)
        _ = await world.outcome(token: PipelineWorld.adminText)
        #expect(log.all == ["request_limit admin"])
    }

    @Test func aTrailThatIsAwayGivesEverythingBack() async throws {
        let world = try world()
        world.audit.become(.away)
        #expect(await world.outcome(token: PipelineWorld.adminText) == "503 audit.unavailable")
        #expect(log.all.suffix(3) == ["gave back meter", "gave back entitlement", "gave back request_limit"])
    }

    @Test func timeThatRanOutGivesEverythingBack() async throws {
        let world = try world(timeout: .zero)
        #expect(await world.outcome(token: PipelineWorld.adminText) == "503 decision.timeout")
        #expect(log.all == ["request_limit admin", "gave back request_limit"])
        #expect(try world.count("tollgate_decisions_total", Self.labels("unavailable", "decision.timeout")) == 1)
    }

    @Test func refusedPublicAndDryRequestsTakeNothing() async throws {
        let world = try world()
        _ = await world.outcome()
        _ = await world.outcome("GET", "api.example.com", "/public/x", token: PipelineWorld.adminText)
        var dry = PipelineWorld.input(token: PipelineWorld.adminText)
        dry.dryRun = true
        dry.explain = true
        let decision = await world.pipeline.decide(dry)
        #expect(decision.refusal == nil)
        #expect(log.all == ["looked at request_limit", "looked at entitlement", "looked at meter"])
        let skipped = decision.steps.filter { $0.outcome == .skip }
        #expect(skipped.map(\.name) == ["request_limit", "entitlement", "meter"])
        #expect(skipped.first?.detail == "left out: a dry run takes nothing")
    }

    @Test func oneTooManyIsRefusedBeforeAnyWork() async throws {
        let world = try PipelineWorld(
            stages: [FakeStage(step: .meter, log: log)], settings: PipelineSettings(maxInFlight: 0))
        let decision = await world.pipeline.decide(PipelineWorld.input(token: PipelineWorld.adminText))
        #expect(PipelineWorld.text(decision) == "503 decision.overloaded")
        #expect(decision.refusal?.retryAfterSeconds == 1)
        #expect(decision.principal.isAnonymous)
        #expect(log.all.isEmpty)
        #expect(world.audit.entries.queued.isEmpty)
        #expect(try world.count("tollgate_decisions_total", Self.labels("unavailable", "decision.overloaded")) == 1)
    }

    private static func labels(_ result: String, _ code: String) -> [(String, String)] {
        [("door", "traefik"), ("result", result), ("code", code)]
    }
}
