// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Authorization
internal import Essentials
internal import Pipeline
internal import RuntimeState
internal import TestSupport
internal import Testing

/// What the bootstrap token may do follows the policy data that judges the request.
@Suite struct BootstrapPolicyTests {
    private static let text = "bootstrap-secret-bootstrap-secret-1"

    private func scopes(_ world: PipelineWorld) async -> [String] {
        let request = OwnRequest(
            method: "GET", target: "/v1/auth/me",
            headers: HeaderList([("authorization", "Bearer \(Self.text)")]), clientAddress: IPAddress(ipv4: 1),
            clientIsTrustedProxy: false, clientCertificate: nil, requestID: "request-1")
        guard case .allowed(let caller) = await world.pipeline.admit(request) else { return [] }
        return caller.principal.scopes
    }

    private func policy(adminPermission: String) throws -> CompiledPolicy {
        let roles: JSONValue = [
            "roles": [
                "admin": ["inherits": "editor", "permissions": [.string(adminPermission)]],
                "editor": ["permissions": ["tasks:read"]],
            ]
        ]
        return try PolicyDocuments(roles: roles, routes: YAMLText.json(BuiltInPolicy.routesYAML))
            .compile(PolicySettings())
    }

    @Test func itsScopesFollowTheRoleAdmin() async throws {
        let world = try PipelineWorld(bootstrap: BootstrapSettings(token: Redacted(Self.text)))
        #expect(await scopes(world).contains("admin:manage_policies"))
        for permission in ["novel:read", "novel:write"] {
            world.snapshots.replace(policy: try policy(adminPermission: permission))
            let held = await scopes(world)
            #expect(held == ASCII.sortedByBytes(Set(BootstrapCredential.ownScopes + [permission, "tasks:read"])))
        }
    }

    @Test func scopesOfTheSettingsStay() async throws {
        let world = try PipelineWorld(
            bootstrap: BootstrapSettings(token: Redacted(Self.text), scopes: ["admin:tokens:write"]))
        world.snapshots.replace(policy: try policy(adminPermission: "novel:read"))
        #expect(await scopes(world) == ["admin:tokens:write"])
    }
}
