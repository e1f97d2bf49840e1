// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import Pipeline
internal import TestSupport
internal import Testing

/// The table of modes, with public routes, at the level of a whole decision.
@Suite struct ModeTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let host: String
        let target: String
        let token: String?
        var isAnythingConfigured = true
        let expected: String

        var testDescription: String { "\(host)\(target) \(token ?? "none") → \(expected)" }
    }

    static let rows: [Row] = [
        Row(host: "open", target: "/v1/agent/tasks", token: nil, expected: "200 anonymous"),
        Row(host: "open", target: "/v1/agent/tasks", token: "bad", expected: "200 anonymous"),
        Row(host: "open", target: "/v1/agent/tasks", token: "reader", expected: "200 reader"),
        Row(host: "open", target: "/v1/admin/dashboard", token: nil, expected: "401 auth.authentication_required"),
        Row(host: "open", target: "/nothing/here", token: nil, expected: "403 policy.route_unmapped"),
        Row(host: "open", target: "/health", token: nil, expected: "200 anonymous"),
        Row(
            host: "maybe", target: "/v1/agent/tasks", token: nil, isAnythingConfigured: false,
            expected: "401 auth.authentication_required"),
        Row(
            host: "maybe", target: "/health", token: nil, isAnythingConfigured: false, expected: "200 anonymous"),
        Row(
            host: "maybe", target: "/v1/agent/tasks", token: "bad", isAnythingConfigured: false,
            expected: "401 auth.invalid_token"),
        Row(host: "maybe", target: "/v1/agent/tasks", token: nil, expected: "401 auth.missing_token"),
        Row(host: "maybe", target: "/v1/agent/tasks", token: "bad", expected: "401 auth.invalid_token"),
        Row(host: "maybe", target: "/v1/agent/tasks", token: "reader", expected: "200 reader"),
        Row(host: "maybe", target: "/health", token: nil, expected: "200 anonymous"),
        Row(host: "maybe", target: "/health", token: "bad", expected: "200 anonymous"),
        Row(host: "maybe", target: "/health", token: "reader", expected: "200 reader"),
        Row(host: "api", target: "/tasks/t1", token: nil, expected: "401 auth.missing_token"),
        Row(host: "api", target: "/public/x", token: nil, expected: "200 anonymous"),
        Row(host: "api", target: "/public/x", token: "bad", expected: "200 anonymous"),
        Row(host: "api", target: "/public/x", token: "reader", expected: "200 reader"),
        Row(host: "api", target: "/tasks/t1", token: "reader", expected: "200 reader"),
    ]

    @Test(arguments: rows) func holds(_ row: Row) async throws {
        let world = try PipelineWorld(isAdminGenerated: true)
        var reader = ""
        if row.isAnythingConfigured {
            reader = try await world.token("reader", ServiceTokenGrant(scopes: ["tasks:read", "agent:read"]))
        }
        let text = row.token.map { $0 == "reader" ? reader : "a-token-that-is-none" }
        #expect(await world.outcome("GET", "\(row.host).example.com", row.target, token: text) == row.expected)
    }

    @Test func failuresCountOnPublicRoutesAndNotInModeDisabled() async throws {
        let world = try PipelineWorld(limits: FailureLimitSettings(perAddress: 2))
        for _ in 0..<5 { _ = await world.outcome("GET", "open.example.com", "/v1/agent/tasks", token: "bad-token-0") }
        #expect(world.limiter.blocks(now: world.clock.now()).isEmpty)
        for _ in 0..<2 { _ = await world.outcome("GET", "api.example.com", "/public/x", token: "bad-token-0") }
        #expect(world.limiter.blocks(now: world.clock.now()).count == 1)
        // Blocked: with a credential also on public routes, without one not, and never in mode disabled.
        let admin = PipelineWorld.adminText
        #expect(await world.outcome("GET", "api.example.com", "/public/x", token: admin) == "429 auth.rate_limited.ip")
        #expect(await world.outcome("GET", "api.example.com", "/public/x") == "200 anonymous")
        #expect(await world.outcome("GET", "open.example.com", "/health", token: admin) == "200 admin")
    }

    @Test func theLimitBlocksGoodCredentialsUntilTheWindowMovesOn() async throws {
        let world = try PipelineWorld(limits: FailureLimitSettings(perAddress: 2, intervalSeconds: 60))
        #expect(await world.outcome(token: "bad-token-0") == "401 auth.invalid_token")
        #expect(await world.outcome(token: "bad-token-0") == "401 auth.invalid_token")
        let blocked = await world.pipeline.decide(PipelineWorld.input(token: PipelineWorld.adminText))
        #expect(PipelineWorld.text(blocked) == "429 auth.rate_limited.ip")
        #expect(blocked.refusal?.retryAfterSeconds == 60)
        #expect(blocked.refusal?.message == "Too many authentication attempts from IP 192.0.2.10")
        #expect(await world.outcome(token: PipelineWorld.adminText, address: "192.0.2.11") == "200 admin")
        world.clock.advance(seconds: 60)
        #expect(await world.outcome(token: PipelineWorld.adminText) == "200 admin")
    }

    @Test func failuresOfADescribedRequestCountForTheAskerAndNotAlwaysForTheAddress() async throws {
        let world = try PipelineWorld(limits: FailureLimitSettings(perAddress: 1, perIdentity: 2))
        var input = PipelineWorld.input(token: "bad-token-0", door: .json)
        input.countsFailuresForAddress = false
        input.asker = "gateway"
        _ = await world.pipeline.decide(input)
        #expect(world.limiter.blocks(now: world.clock.now()).isEmpty)
        _ = await world.pipeline.decide(input)
        #expect(world.limiter.blocks(now: world.clock.now()).map(\.key) == ["identity:gateway"])
        input.countsFailuresForAddress = true
        _ = await world.pipeline.decide(input)
        #expect(world.limiter.blocks(now: world.clock.now()).map(\.key).first == "ip:192.0.2.10")
        // Whoever's failures blocked it, an address is blocked at every door.
        input.countsFailuresForAddress = false
        #expect(PipelineWorld.text(await world.pipeline.decide(input)) == "429 auth.rate_limited.ip")
    }
}
