// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import Pipeline
internal import Testing

/// Who may act for a project on Tollgate's own API.
@Suite struct ProjectAdmissionTests {
    private static func outcome(
        _ world: PipelineWorld, _ method: String, _ target: String, _ token: String
    ) async -> String {
        let request = OwnRequest(
            method: method, target: target, headers: HeaderList([("Authorization", "Bearer \(token)")]),
            clientAddress: IPAddress(ipv4: 0xC000_020A), clientIsTrustedProxy: false, clientCertificate: nil,
            requestID: "request-1")
        switch await world.pipeline.admit(request) {
        case .allowed(let caller): return "200 \(caller.action)"
        case .refused(let refusal, _, let action, _, _): return "\(refusal.code.rawValue) \(action)"
        }
    }

    private static func world() throws -> PipelineWorld {
        let world = try PipelineWorld(manifests: nil)
        try world.publish(StandardManifests.text, apiAuthConfig: "default/jwt")
        return world
    }

    /// What a caller of tenant acme with that project and those roles gets at `zeus`.
    private static let rows: [(method: String, target: String, project: String?, role: String, expected: String)] = [
        ("GET", "/v1/projects/zeus", "zeus", "viewer", "200 projects.read"),
        ("GET", "/v1/projects/zeus", "apollo", "viewer", "policy.project_denied projects.read"),
        ("GET", "/v1/projects/zeus", nil, "viewer", "policy.project_denied projects.read"),
        ("GET", "/v1/projects/zeus", nil, "operator", "policy.project_denied projects.read"),
        ("GET", "/v1/projects/zeus", nil, "admin", "200 projects.read"),
        ("GET", "/v1/projects/zeus", "apollo", "admin", "200 projects.read"),
        ("GET", "/v1/projects/zeus", "zeus", "nobody", "policy.permission_denied projects.read"),
        ("PATCH", "/v1/projects/zeus", "zeus", "editor", "200 projects.write"),
        ("PATCH", "/v1/projects/zeus", "zeus", "viewer", "policy.permission_denied projects.write"),
        ("DELETE", "/v1/projects/zeus", "zeus", "editor", "policy.permission_denied projects.delete"),
        ("DELETE", "/v1/projects/zeus", nil, "admin", "200 projects.delete"),
        ("GET", "/v1/projects", nil, "viewer", "200 projects.read"),
        ("POST", "/v1/projects", nil, "editor", "200 projects.write"),
        ("POST", "/v1/projects", nil, "viewer", "policy.permission_denied projects.write"),
        ("POST", "/v1/projects/zeus/access", "zeus", "editor", "200 project.access.offer"),
        ("POST", "/v1/projects/zeus/access", "apollo", "editor", "policy.project_denied project.access.offer"),
        ("POST", "/v1/projects/zeus/access", "zeus", "viewer", "policy.permission_denied project.access.offer"),
        ("GET", "/v1/projects/zeus/access", "zeus", "viewer", "200 projects.read"),
        ("GET", "/v1/projects/zeus/access/s1", "apollo", "viewer", "policy.project_denied projects.read"),
        ("GET", "/v1/projects/zeus/shared", "apollo", "viewer", "policy.project_denied projects.read"),
        ("PATCH", "/v1/projects/zeus/access/s1", "zeus", "editor", "200 project.access.update"),
        ("POST", "/v1/projects/zeus/access/s1/accept", "zeus", "editor", "200 project.access.accept"),
        (
            "POST", "/v1/projects/zeus/access/s1/accept", "apollo", "editor",
            "policy.project_denied project.access.accept"
        ),
        ("POST", "/v1/projects/zeus/access/s1/decline", "zeus", "editor", "200 project.access.decline"),
        ("POST", "/v1/projects/zeus/access/s1/revoke", "zeus", "editor", "200 project.access.revoke"),
        ("POST", "/v1/projects/zeus/access/s1/revoke", nil, "admin", "200 project.access.revoke"),
        ("POST", "/v1/projects/zeus/access/s1/revoke", nil, "editor", "policy.project_denied project.access.revoke"),
        ("GET", "/v1/resources/agent/m1/projects", nil, "viewer", "200 projects.read"),
    ]

    @Test(arguments: rows.indices) func letsTheSidesOfAProjectIn(_ index: Int) async throws {
        let row = Self.rows[index]
        let world = try Self.world()
        var claims: JSONObject = ["roles": [.string(row.role)], "tenant_id": "acme"]
        if let project = row.project { claims["project_id"] = .string(project) }
        let outcome = await Self.outcome(world, row.method, row.target, try world.jwt(claims))
        #expect(outcome == row.expected, "\(row)")
    }

    @Test func aTokenOfTheTenantIsNoProject() async throws {
        let world = try Self.world()
        let scopes = ["projects:read", "projects:write"]
        let plain = try await world.token("plain", ServiceTokenGrant(scopes: scopes, tenantID: "acme"))
        let admin = try await world.token(
            "adm", ServiceTokenGrant(scopes: scopes, roles: ["admin"], tenantID: "acme"))
        #expect(
            await Self.outcome(world, "POST", "/v1/projects/zeus/access", plain)
                == "policy.project_denied project.access.offer")
        #expect(
            await Self.outcome(world, "POST", "/v1/projects/zeus/access", admin) == "200 project.access.offer")
        #expect(await Self.outcome(world, "GET", "/v1/projects", plain) == "200 projects.read")
        #expect(
            await Self.outcome(world, "DELETE", "/v1/projects/zeus", admin)
                == "policy.scope_denied projects.delete")
        #expect(
            await Self.outcome(world, "DELETE", "/v1/projects/zeus", PipelineWorld.adminText)
                == "200 projects.delete")
    }
}
