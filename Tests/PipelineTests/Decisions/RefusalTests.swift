// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Authorization
internal import Essentials
internal import Pipeline
internal import TestSupport
internal import Testing

/// What each step refuses, and with what.
@Suite struct RefusalTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var method: String? = "GET"
        var host: String? = "api.example.com"
        var target: String? = "/tasks/t1"
        var token: String?
        let expected: String

        var testDescription: String {
            "\(method ?? "-") \(host ?? "-") \((target ?? "-").prefix(40)) \(token ?? "none") → \(expected)"
        }
    }

    static let rows: [Row] = [
        // Normalise: method, host, path, in this order.
        Row(method: nil, host: nil, target: nil, expected: "400 request.bad_method"),
        Row(method: "", expected: "400 request.bad_method"),
        Row(method: "GE T", expected: "400 request.bad_method"),
        Row(method: String(repeating: "A", count: 33), expected: "400 request.bad_method"),
        Row(host: nil, target: nil, expected: "400 request.bad_host"),
        Row(host: "user@api.example.com", expected: "400 request.bad_host"),
        Row(host: "api.example.com:0", expected: "400 request.bad_host"),
        Row(target: nil, expected: "400 policy.path_invalid"),
        Row(target: "tasks", expected: "400 policy.path_invalid"),
        Row(target: "/tasks/%2e%2e/admin", expected: "400 policy.path_invalid"),
        Row(target: "/tasks/a%2Fb", expected: "400 policy.path_invalid"),
        Row(target: "/t?" + String(repeating: "q", count: 16_384), expected: "431 request.headers_too_large"),
        // Select.
        Row(host: "nobody.example.com", expected: "404 auth.no_config"),
        Row(host: "apps.example.com", expected: "404 auth.no_config"),
        Row(host: "broken.apps.example.com", token: "admin", expected: "503 config.invalid"),
        // Authenticate.
        Row(expected: "401 auth.missing_token"),
        Row(token: "bad", expected: "401 auth.invalid_token"),
        Row(token: "expired", expected: "401 auth.token_expired"),
        Row(token: "revoked", expected: "401 auth.token_revoked"),
        Row(token: "elsewhere", expected: "403 auth.ip_forbidden"),
        // Authorise.
        Row(target: "/nothing", token: "reader", expected: "403 policy.route_unmapped"),
        Row(method: "DELETE", token: "reader", expected: "403 policy.scope_denied"),
        Row(method: "DELETE", token: "viewer", expected: "403 policy.permission_denied"),
        Row(target: "/platform", token: "reader", expected: "403 policy.platform_required"),
        Row(target: "/tenants/other/tasks", token: "reader", expected: "403 policy.tenant_denied"),
        Row(host: "strict.example.com", target: "/v1/agent/tasks", token: "reader", expected: "403 auth.missing_scope"),
        Row(
            host: "strict.example.com", target: "/v1/agent/tasks", token: "flows",
            expected: "403 auth.workspace_forbidden"),
        Row(host: "blank.example.com", target: "/v1/agent/tasks", expected: "401 auth.authentication_required"),
        // Let through.
        Row(token: "reader", expected: "200 reader"),
        Row(host: "API.Example.com.:443", token: "reader", expected: "200 reader"),
        Row(host: "deep.er.apps.example.com", token: "reader", expected: "200 reader"),
        Row(target: "https://api.example.com/tasks/t1?x=%2F", token: "reader", expected: "200 reader"),
        Row(method: "HEAD", token: "reader", expected: "200 reader"),
        Row(target: "/me", token: "nothing", expected: "200 nothing"),
        Row(target: "/tenants/acme/tasks", token: "reader", expected: "200 reader"),
        Row(target: "/platform", token: "admin", expected: "200 admin"),
        Row(host: "strict.example.com", target: "/v1/agent/tasks", token: "admin", expected: "200 admin"),
        Row(host: "strict.example.com", target: "/v1/agent/tasks", token: "member", expected: "200 member"),
    ]

    @Test(arguments: rows) func refusesOrLetsThrough(_ row: Row) async throws {
        let world = try PipelineWorld()
        let tokens = try await world.standardTokens()
        let text = row.token.map { tokens[$0] ?? "no-such-token-\($0)" }
        #expect(await world.outcome(row.method, row.host, row.target, token: text) == row.expected)
    }

    @Test func pathFaultsNameTheirReason() async throws {
        let world = try PipelineWorld()
        let decision = await world.pipeline.decide(PipelineWorld.input("GET", "api.example.com", "/a//b"))
        #expect(decision.refusal?.details?["reason"] == "empty_segment")
        #expect(decision.canonicalPath == nil)
        #expect(try world.count("tollgate_path_rejected_total", [("reason", "empty_segment")]) == 1)
        #expect(try world.count("tollgate_path_rejected_total", [("reason", "dot_segment")]) == 0)
    }

    @Test func tooManyOrTooLargeHeadersAreRefused() async throws {
        let world = try PipelineWorld()
        var many = PipelineWorld.input()
        for index in 0..<129 { many.headers.append(name: "x-\(index)", value: "1") }
        #expect(PipelineWorld.text(await world.pipeline.decide(many)) == "431 request.headers_too_large")
        var large = PipelineWorld.input()
        large.headers.append(name: "x-large", value: String(repeating: "x", count: 65_536))
        #expect(PipelineWorld.text(await world.pipeline.decide(large)) == "431 request.headers_too_large")
    }

    @Test func refusalsCarryWhatAClientNeeds() async throws {
        let world = try PipelineWorld()
        let tokens = try await world.standardTokens()
        let missing = await world.pipeline.decide(PipelineWorld.input()).refusal
        #expect(missing?.challenge == "Bearer")
        let denied = await world.pipeline.decide(PipelineWorld.input("DELETE", token: tokens["viewer"])).refusal
        #expect(denied?.details?["permission"] == "tasks:delete")
        #expect(denied?.challenge?.contains("tasks:delete") == true)
        let scopes = await world.pipeline.decide(
            PipelineWorld.input("GET", "strict.example.com", "/v1/agent/tasks", token: tokens["reader"]))
        #expect(scopes.refusal?.message == "Missing required scopes: workflows:read")
        #expect(scopes.refusal?.details?["missing"] == ["workflows:read"])
        #expect(scopes.refusal?.challenge == #"Bearer error="insufficient_scope", scope="workflows:read""#)
        #expect(scopes.principal.subject == "reader")
        #expect(scopes.route == "GET /v1/agent/tasks")
    }

    @Test func requirementsOfTheCallAddToThoseOfTheHost() async throws {
        let world = try PipelineWorld()
        let tokens = try await world.standardTokens()
        var input = PipelineWorld.input("GET", "strict.example.com", "/v1/agent/tasks", token: tokens["member"])
        input.requiredScopes = ["tasks:read", " "]
        input.requiredWorkspaces = ["ws-a"]
        #expect(PipelineWorld.text(await world.pipeline.decide(input)) == "200 member")
        input.requiredWorkspaces = ["ws-b"]
        #expect(PipelineWorld.text(await world.pipeline.decide(input)) == "403 auth.workspace_forbidden")
        input.requiredScopes = ["tasks:write"]
        let decision = await world.pipeline.decide(input)
        #expect(decision.refusal?.message == "Missing required scopes: tasks:write")
        var blank = PipelineWorld.input("GET", "open.example.com", "/v1/agent/tasks")
        blank.requiredScopes = [" "]
        #expect(PipelineWorld.text(await world.pipeline.decide(blank)) == "200 anonymous")
    }

    @Test func thePermissionOfTheCallReplacesThatOfTheRoute() async throws {
        let world = try PipelineWorld()
        let tokens = try await world.standardTokens()
        var input = PipelineWorld.input(token: tokens["reader"])
        input.permission = "tasks:delete"
        let decision = await world.pipeline.decide(input)
        #expect(PipelineWorld.text(decision) == "403 policy.scope_denied")
        #expect(decision.policy?.permission == "tasks:delete")
        input.permission = "not a permission"
        #expect(PipelineWorld.text(await world.pipeline.decide(input)) == "400 policy.action_invalid")
        var open = PipelineWorld.input("GET", "api.example.com", "/public/x")
        open.permission = "tasks:delete"
        #expect(PipelineWorld.text(await world.pipeline.decide(open)) == "200 anonymous")
    }

    @Test func platformAdministratorsOfAnIssuerAreAdmin() async throws {
        let world = try PipelineWorld()
        let input = PipelineWorld.input(
            "GET", "jwt.example.com", "/v1/agent/tasks", token: try world.jwt(["roles": ["admin"]]))
        let decision = await world.pipeline.decide(input)
        #expect(PipelineWorld.text(decision) == "200 u1")
        #expect(decision.admin)
        let viewer = await world.pipeline.decide(
            PipelineWorld.input(
                "GET", "jwt.example.com", "/v1/agent/tasks", token: try world.jwt(["roles": ["viewer"]])))
        #expect(PipelineWorld.text(viewer) == "200 u1")
        #expect(!viewer.admin)
        let elsewhere = await world.outcome(
            "GET", "api.example.com", "/tasks/t1", token: try world.jwt(["roles": ["admin"]]))
        #expect(elsewhere == "401 auth.invalid_token")
    }
}

extension PipelineWorld {
    /// The tokens of the tables, by name.
    func standardTokens() async throws -> [String: String] {
        var tokens = ["admin": Self.adminText]
        let scopes = ["tasks:read"]
        tokens["reader"] = try await token("reader", ServiceTokenGrant(scopes: scopes, tenantID: "acme"))
        tokens["viewer"] = try await token(
            "viewer", ServiceTokenGrant(scopes: ["tasks:*"], roles: ["viewer"], tenantID: "acme"))
        tokens["flows"] = try await token("flows", ServiceTokenGrant(scopes: ["tasks:read", "workflows:read"]))
        tokens["member"] = try await token(
            "member", ServiceTokenGrant(scopes: ["tasks:read", "workflows:read"], workspaceIDs: ["ws-a"]))
        tokens["nothing"] = try await token("nothing", ServiceTokenGrant())
        tokens["elsewhere"] = try await token(
            "elsewhere", ServiceTokenGrant(scopes: scopes, allowedCIDRs: ["10.0.0.0/8"]))
        tokens["expired"] = try await token("expired", ServiceTokenGrant(scopes: scopes), expiresIn: 60)
        tokens["revoked"] = try await token("revoked", ServiceTokenGrant(scopes: scopes))
        try await registry.revokeFamily("revoked", reason: "test")
        clock.advance(seconds: 60)
        registry.table.heard(at: clock.now())
        return tokens
    }
}
