// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Authentication
internal import Essentials
internal import Pipeline
internal import TestSupport
internal import Testing

/// Who gets to the handlers of Tollgate's own API.
@Suite struct OwnAdmissionTests {
    private static func request(_ method: String, _ target: String, token: String?) -> OwnRequest {
        OwnRequest(
            method: method, target: target,
            headers: token.map { HeaderList([("Authorization", "Bearer \($0)")]) } ?? HeaderList(),
            clientAddress: IPAddress(ipv4: 0xC000_020A), clientIsTrustedProxy: false, clientCertificate: nil,
            requestID: "request-1")
    }

    private func outcome(
        _ world: PipelineWorld, _ method: String, _ target: String, token: String? = nil
    ) async -> String {
        switch await world.pipeline.admit(Self.request(method, target, token: token)) {
        case .allowed(let caller):
            return "\(caller.principal.subject)\(caller.admin ? "!" : "") \(caller.action) \(caller.route)"
        case .refused(let refusal, let principal, let action, let route, let path):
            return
                "\(refusal.status) \(refusal.code.rawValue) \(principal.subject) \(action) \(route ?? "-") \(path ?? "-")"
        }
    }

    static let rows: [(method: String, target: String, token: String?, expected: String)] = [
        ("GET", "/health", nil, "anonymous http.public GET /health"),
        ("GET", "/health", "bad", "anonymous http.public GET /health"),
        (
            "GET", "/v1/service-tokens", nil,
            "401 auth.missing_token anonymous admin.tokens.read GET /v1/service-tokens /v1/service-tokens"
        ),
        (
            "GET", "/v1/service-tokens", "bad",
            "401 auth.invalid_token anonymous admin.tokens.read GET /v1/service-tokens /v1/service-tokens"
        ),
        ("GET", "/v1/service-tokens?limit=5", "admin", "admin! admin.tokens.read GET /v1/service-tokens"),
        ("POST", "/v1/service-tokens", "admin", "admin! service_token.create POST /v1/service-tokens"),
        (
            "POST", "/v1/service-tokens", "reader",
            "403 policy.scope_denied reader service_token.create POST /v1/service-tokens /v1/service-tokens"
        ),
        ("GET", "/v1/auth/me", "nothing", "nothing http.authenticated GET /v1/auth/me"),
        ("GET", "/nothing/here", nil, "401 auth.missing_token anonymous http.unknown_route - /nothing/here"),
        ("GET", "/nothing/here", "admin", "403 policy.route_unmapped admin http.unknown_route - /nothing/here"),
        ("GET", "/v1//x", "admin", "400 policy.path_invalid anonymous http.unknown_route - -"),
        ("GET", "/v1/%2e%2e/x", nil, "400 policy.path_invalid anonymous http.unknown_route - -"),
        (
            "GET", "/v1/admin/auth-blocks", "minter",
            "403 policy.platform_required minter admin.access GET /v1/admin/auth-blocks /v1/admin/auth-blocks"
        ),
        ("GET", "/v1/admin/auth-blocks", "platform", "platform admin.access GET /v1/admin/auth-blocks"),
    ]

    @Test(arguments: rows.indices) func admitsOrRefuses(_ index: Int) async throws {
        let row = Self.rows[index]
        let world = try PipelineWorld()
        var tokens = try await world.standardTokens()
        tokens["minter"] = try await world.token("minter", ServiceTokenGrant(scopes: ["admin:access"]))
        tokens["platform"] = try await world.token(
            "platform", ServiceTokenGrant(scopes: ["admin:access"], platform: true))
        let text = row.token.map { tokens[$0] ?? "no-such-token" }
        #expect(await outcome(world, row.method, row.target, token: text) == row.expected)
        #expect(world.audit.entries.queued.isEmpty, "who answers records it")
    }

    /// The mode of workloads plays no part for the own API.
    @Test func aCredentialIsNeededInEveryMode() async throws {
        let world = try PipelineWorld(
            manifests: """
                apiVersion: tollgate.dev/v1alpha1
                kind: AuthConfig
                metadata: {name: all}
                spec: {hosts: ["*"], mode: disabled}
                """, isAdminGenerated: true)
        #expect(await outcome(world, "GET", "/v1/auth/me").hasPrefix("401 auth.missing_token"))
        #expect(await world.outcome("GET", "any.example.com", "/v1/agent/tasks") == "200 anonymous")
    }

    @Test func beforeTheFirstSnapshotNobodyIsAdmitted() async throws {
        let world = try PipelineWorld(manifests: nil)
        #expect(
            await outcome(world, "GET", "/v1/auth/me", token: PipelineWorld.adminText).hasPrefix(
                "503 decision.not_ready"))
    }

    @Test func callersKnowWhatTheyMayGrant() async throws {
        let world = try PipelineWorld()
        let text = try await world.token("ci", ServiceTokenGrant(scopes: ["tasks:read", "vault:*", "admin:access"]))
        let admission = await world.pipeline.admit(Self.request("GET", "/v1/auth/me", token: text))
        guard case .allowed(let caller) = admission else {
            Issue.record("not admitted")
            return
        }
        for (permission, holds) in [
            ("tasks:read", true), ("tasks:write", false), ("vault:read", true), ("vault:*", true), ("tasks:*", false),
            ("*", false), ("admin:access", true), ("admin:tokens:write", false),
        ] {
            #expect(caller.holds(permission) == holds, "\(permission)")
        }
        #expect(!caller.admin)
    }

    @Test func failuresAreLimitedAndRecordedOnce() async throws {
        let world = try PipelineWorld(limits: FailureLimitSettings(perAddress: 2))
        for _ in 0..<4 { _ = await outcome(world, "GET", "/v1/auth/me", token: "bad-token-0") }
        let blocks = world.audit.entries.queued.filter { $0.action == "auth.blocked" }
        #expect(blocks.map(\.resource) == ["ip:192.0.2.10"])
        #expect(
            await outcome(world, "GET", "/v1/auth/me", token: PipelineWorld.adminText).hasPrefix(
                "429 auth.rate_limited.ip"))
        #expect(await outcome(world, "GET", "/health") == "anonymous http.public GET /health")
    }
}
