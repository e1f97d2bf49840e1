// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Authentication
internal import Essentials
internal import MetricsTestKit
internal import Pipeline
internal import TestSupport
internal import Testing

/// What a decision leaves in the trail and in the metrics.
@Suite struct RecordTests {
    @Test func allowedDecisionsAreFolded() async throws {
        let world = try PipelineWorld()
        let tokens = try await world.standardTokens()
        #expect(
            await world.outcome("GET", "api.example.com", "/tasks/t1?q=secret", token: tokens["reader"]) == "200 reader"
        )
        let entry = try #require(world.audit.entries.allowed.first)
        #expect(world.audit.entries.queued.isEmpty)
        #expect(entry.actor == "reader")
        #expect(entry.tenant == "acme")
        #expect(entry.host == "api.example.com")
        #expect(entry.route == "GET /tasks/{id}")
        #expect(entry.path == "/tasks/t1")
        #expect(entry.authSource == "service_token")
        #expect(entry.ip == IPAddress("192.0.2.10"))
    }

    @Test func refusalsAreRecordedWhole() async throws {
        let world = try PipelineWorld()
        let tokens = try await world.standardTokens()
        var input = PipelineWorld.input("DELETE", "api.example.com", "/tasks/t1?token=hidden", token: tokens["viewer"])
        input.headers.append(name: "user-agent", value: "curl/8")
        _ = await world.pipeline.decide(input)
        let entry = try #require(world.audit.entries.queued.last)
        #expect(entry.actor == "viewer")
        #expect(entry.action == "decision.check")
        #expect(entry.resource == "/tasks/t1")
        #expect(entry.outcome == .denied)
        #expect(entry.ip == "192.0.2.10")
        #expect(entry.tenant == "acme")
        #expect(entry.requestID == "request-1")
        let expected: [(String, JSONValue)] = [
            ("method", "DELETE"), ("route", "DELETE /tasks/{id}"), ("status", 403),
            ("code", "policy.permission_denied"), ("door", "traefik"), ("host", "api.example.com"),
            ("auth_config", "default/api"), ("permission", "tasks:delete"), ("auth_source", "service_token"),
            ("token_id", "viewer"), ("user_agent", "curl/8"),
        ]
        for (name, value) in expected { #expect(entry.metadata[name] == value, "\(name)") }
        #expect(entry.metadata["duration_ms"]?.intValue != nil)
        #expect(!JSONValue.object(entry.metadata).jsonText.contains("hidden"))
    }

    @Test func theRouteIsRecordedAlsoWhereNobodyWasKnown() async throws {
        let world = try PipelineWorld()
        _ = await world.outcome()
        let entry = try #require(world.audit.entries.queued.first)
        #expect(entry.actor == "anonymous")
        #expect(entry.metadata["route"] == "GET /tasks/{id}")
    }

    @Test func aFullQueueIsWaitedForAndALostTrailRefuses() async throws {
        let world = try PipelineWorld()
        world.audit.become(.slow)
        #expect(await world.outcome(token: PipelineWorld.adminText) == "200 admin")
        #expect(world.audit.entries.queued.map(\.outcome) == [.success])
        world.audit.become(.away)
        var explained = PipelineWorld.input(token: PipelineWorld.adminText)
        explained.explain = true
        let decision = await world.pipeline.decide(explained)
        #expect(PipelineWorld.text(decision) == "503 audit.unavailable")
        #expect(decision.steps.last?.outcome == .unavailable)
        #expect(await world.outcome() == "503 audit.unavailable", "also what is refused anyway")
    }

    @Test func reachedFailureLimitsAreRecordedOnce() async throws {
        let world = try PipelineWorld(limits: FailureLimitSettings(perAddress: 3, perIdentity: 2))
        let text = try await world.token("ci", ServiceTokenGrant())
        try await world.registry.revokeFamily("ci", reason: "test")
        for _ in 0..<5 { _ = await world.outcome(token: text) }
        let blocks = world.audit.entries.queued.filter { $0.action == "auth.blocked" }
        #expect(blocks.map(\.resource) == ["identity:ci", "ip:192.0.2.10"])
        let entry = try #require(blocks.first)
        #expect(entry.actor == "system")
        #expect(entry.outcome == .denied)
        #expect(entry.ip == nil)
        #expect(entry.metadata["kind"] == "identity")
        #expect(entry.metadata["count"] == 2)
        #expect(!JSONValue.object(entry.metadata).jsonText.contains(text.suffix(20)))
        // A new window is a new block.
        world.clock.advance(seconds: 61)
        world.registry.table.heard(at: world.clock.now())
        for _ in 0..<5 { _ = await world.outcome(token: text) }
        #expect(world.audit.entries.queued.filter { $0.action == "auth.blocked" }.count == 4)
    }

    @Test func metricsHaveTheirNamesAndLabels() async throws {
        let world = try PipelineWorld()
        for door in Door.allCases {
            #expect(try world.count("tollgate_decisions_total", Self.labels(door, "allow", "")) == 0)
            _ = await world.pipeline.decide(PipelineWorld.input(token: PipelineWorld.adminText, door: door))
            _ = await world.pipeline.decide(PipelineWorld.input(door: door))
            _ = await world.pipeline.decide(PipelineWorld.input("GET", "broken.apps.example.com", door: door))
            #expect(try world.count("tollgate_decisions_total", Self.labels(door, "allow", "")) == 1)
            #expect(try world.count("tollgate_decisions_total", Self.labels(door, "deny", "auth.missing_token")) == 1)
            #expect(
                try world.count("tollgate_decisions_total", Self.labels(door, "unavailable", "config.invalid")) == 1)
            let timer = try world.metrics.expectTimer("tollgate_decision_seconds", [("door", door.rawValue)])
            #expect(timer.values.count == 3)
            #expect(timer.values.allSatisfy { $0 > 0 })
        }
        // The first decision of a process is one of those whose steps are timed.
        for step in ["normalise", "select", "failure_limit", "authenticate", "authorise", "audit"] {
            let timer = try world.metrics.expectTimer("tollgate_decision_step_seconds", [("step", step)])
            #expect(timer.values.count == 1, "\(step)")
        }
        #expect(try world.metrics.expectGauge("tollgate_snapshot_generation").lastValue == 1)
    }

    private static func labels(_ door: Door, _ result: String, _ code: String) -> [(String, String)] {
        [("door", door.rawValue), ("result", result), ("code", code)]
    }
}
