// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Authentication
internal import Authorization
internal import Essentials
internal import Pipeline
internal import TestSupport
internal import Testing

/// Decisions whose checks run in a policy engine outside of the process.
@Suite struct EngineTests {
    private static let allowed = EngineAnswer.decision(allow: true, reasons: [], effectiveRoles: ["editor", "viewer"])
    private static let admin = PipelineWorld.adminText

    private static func denied(_ reasons: String...) -> EngineAnswer {
        .decision(allow: false, reasons: reasons, effectiveRoles: ["viewer"])
    }

    /// A token that may read tasks.
    private static func reader(_ world: PipelineWorld) async throws -> String {
        try await world.token("reader", ServiceTokenGrant(scopes: ["tasks:read"]), expiresIn: 600)
    }

    @Test func theEngineIsAskedInsteadOfTheEvaluator() async throws {
        let engine = FakeEngine(Self.allowed)
        let world = try PipelineWorld(engine: engine)
        let decision = await world.pipeline.decide(PipelineWorld.input(token: try await Self.reader(world)))
        #expect(PipelineWorld.text(decision) == "200 reader")
        #expect(decision.policy?.mode == .sidecar)
        #expect(decision.policy?.effectiveRoles == ["editor", "viewer"])
        let call = try #require(engine.calls.first)
        #expect(engine.calls.count == 1)
        #expect(call.question.input["user"]?["user_id"] == "reader")
        #expect(call.question.input["action"] == "tasks:read")
        #expect(call.expiresIn == .seconds(600))
    }

    @Test(arguments: [
        ("no matching role permission", "403 policy.permission_denied"),
        ("api key scope does not permit action", "403 policy.scope_denied"),
        ("token scope does not permit action", "403 policy.scope_denied"),
        ("platform principal required", "403 policy.platform_required"),
        ("cross-tenant access denied", "403 policy.tenant_denied"), ("not resource owner", "403 policy.not_owner"),
        ("project access denied", "403 policy.project_denied"),
    ]) func theFirstReasonGivesTheCode(reason: String, outcome: String) async throws {
        let world = try PipelineWorld(engine: FakeEngine(Self.denied(reason, "not resource owner")))
        #expect(await world.outcome(token: Self.admin) == outcome)
    }

    @Test func aRoleCheckLeavesTheOtherChecksHere() async throws {
        let engine = FakeEngine(.roleCheck(true))
        let world = try PipelineWorld(engine: engine)
        let token = try await Self.reader(world)
        #expect(await world.outcome("GET", token: token) == "200 reader")
        #expect(await world.outcome("DELETE", token: token) == "403 policy.scope_denied")
        engine.say(.roleCheck(false))
        #expect(await world.outcome("GET", token: token) == "403 policy.permission_denied")
    }

    @Test func withoutAnAnswerNothingPasses() async throws {
        let world = try PipelineWorld(engine: FakeEngine(.unavailable(failsOpen: false)))
        let decision = await world.pipeline.decide(PipelineWorld.input(token: Self.admin))
        #expect(PipelineWorld.text(decision) == "503 policy.unavailable")
        #expect(decision.policy?.reasons == ["policy engine unavailable"])
        #expect(world.audit.entries.queued.last?.metadata["code"] == "policy.unavailable")
        #expect(try world.count("tollgate_policy_fail_open_total") == 0)
    }

    @Test func aFailOpenAllowIsRecordedByItselfAndCounted() async throws {
        let world = try PipelineWorld(engine: FakeEngine(.unavailable(failsOpen: true)))
        let token = try await Self.reader(world)
        let decision = await world.pipeline.decide(PipelineWorld.input(token: token))
        #expect(PipelineWorld.text(decision) == "200 reader")
        #expect(decision.policy?.reasons == ["policy engine unavailable"])
        #expect(world.audit.entries.allowed.isEmpty, "it is not folded with others")
        let entry = try #require(world.audit.entries.queued.last)
        #expect(entry.action == "decision.check")
        #expect(entry.metadata["reasons"] == ["policy engine unavailable"])
        #expect(try world.count("tollgate_policy_fail_open_total") == 1)
        #expect(await world.outcome("DELETE", token: token) == "403 policy.scope_denied", "other checks still bind")
        #expect(try world.count("tollgate_policy_fail_open_total") == 1)
    }

    @Test func aDryRunAsksAndCountsNothing() async throws {
        let engine = FakeEngine(.unavailable(failsOpen: true))
        let world = try PipelineWorld(engine: engine)
        var input = PipelineWorld.input(token: try await Self.reader(world))
        input.dryRun = true
        input.explain = true
        let decision = await world.pipeline.decide(input)
        #expect(decision.refusal == nil)
        #expect(engine.calls.count == 1)
        #expect(try world.count("tollgate_policy_fail_open_total") == 0)
    }

    @Test func whatIsDecidedBeforeIsNotAsked() async throws {
        let engine = FakeEngine(Self.allowed)
        let world = try PipelineWorld(engine: engine)
        #expect(await world.outcome("GET", "api.example.com", "/nowhere/at/all", token: Self.admin) != "200 admin")
        #expect(await world.outcome() == "401 auth.missing_token")
        #expect(await world.outcome("GET", "api.example.com", "/a//b", token: Self.admin) == "400 policy.path_invalid")
        #expect(engine.calls.isEmpty)
    }

    @Test func anEngineThatTookAllTheTimeIsNotTheDecisionsFault() async throws {
        let settings = PipelineSettings(timeout: .milliseconds(20))
        let engine = FakeEngine(.unavailable(failsOpen: true), takes: .milliseconds(30))
        let world = try PipelineWorld(engine: engine, settings: settings)
        #expect(await world.outcome(token: Self.admin) == "200 admin")
        #expect(try #require(engine.calls.first).timeLeft <= .milliseconds(18))
        engine.say(.unavailable(failsOpen: false))
        #expect(await world.outcome(token: Self.admin) == "503 policy.unavailable")
        engine.say(Self.allowed)
        #expect(await world.outcome(token: Self.admin) == "503 decision.timeout", "an answer that came too late")
    }

    // MARK: The own API

    private static func admission(
        _ world: PipelineWorld, _ method: String, _ target: String, token: String
    ) async -> String {
        let request = OwnRequest(
            method: method, target: target, headers: HeaderList([("Authorization", "Bearer \(token)")]),
            clientAddress: IPAddress(ipv4: 0xC000_020A), clientIsTrustedProxy: false, clientCertificate: nil,
            requestID: "request-1")
        switch await world.pipeline.admit(request) {
        case .allowed(let caller): return "200 \(caller.principal.subject) \(caller.holds("tasks:read"))"
        case .refused(let refusal, _, _, _, _): return "\(refusal.status) \(refusal.code.rawValue)"
        }
    }

    @Test func theOwnAPIAsksTheEngineToo() async throws {
        let engine = FakeEngine(Self.allowed)
        let world = try PipelineWorld(engine: engine)
        let token = try await Self.reader(world)
        // Its scopes do not let the reader do this: the engine said so, not the evaluator.
        #expect(await Self.admission(world, "POST", "/v1/service-tokens", token: token) == "200 reader true")
        #expect(engine.calls.count == 1, "what the caller holds is not asked")
        #expect(engine.calls.first?.question.query.surface == .own)
        #expect(engine.calls.first?.expiresIn == .seconds(600))
        engine.say(Self.denied("token scope does not permit action"))
        #expect(await Self.admission(world, "POST", "/v1/service-tokens", token: token) == "403 policy.scope_denied")
        #expect(await Self.admission(world, "GET", "/nothing", token: token) == "403 policy.route_unmapped")
        #expect(await Self.admission(world, "GET", "/health", token: token) == "200 anonymous false")
        #expect(engine.calls.count == 2)
    }

    /// Even an engine that says it may.
    @Test(arguments: [false, true]) func theOwnAPINeverFailsOpen(failsOpen: Bool) async throws {
        let world = try PipelineWorld(engine: FakeEngine(.unavailable(failsOpen: failsOpen)))
        let outcome = await Self.admission(world, "GET", "/v1/service-tokens", token: Self.admin)
        #expect(outcome == "503 policy.unavailable")
    }

    @Test func whatAdministersNeverFailsOpen() async throws {
        let world = try PipelineWorld(engine: FakeEngine(.unavailable(failsOpen: true)))
        let outcome = await world.outcome("POST", "api.example.com", "/admin", token: Self.admin)
        #expect(outcome == "503 policy.unavailable")
    }
}
