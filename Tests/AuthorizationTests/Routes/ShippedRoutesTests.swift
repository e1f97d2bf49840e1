// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Testing

@Suite struct ShippedRoutesTests {
    /// Nothing becomes public without somebody changing this list.
    static let publicRules = [
        "GET /health",
        "GET /healthz",
        "GET /livez",
        "GET /readyz",
        "GET /.well-known/**",
        "GET /a2a/.well-known/**",
        "POST /v1/auth/login",
        "POST /v1/auth/refresh",
        "GET /v1/auth/browser/login",
        "GET /v1/auth/browser/callback",
        "POST /v1/users/register",
        "POST /v1/users/login",
        "POST /v1/users/password-reset/request",
        "POST /v1/users/password-reset/confirm",
        "GET /api/auth/csrf",
        "POST /api/auth/signin/{provider}",
        "GET /api/auth/callback/{provider}",
        "POST /api/auth/dev/login",
        "GET /oauth/authorize",
        "POST /oauth/token",
        "POST /v1/billing/webhooks/stripe",
        "POST /v1/webhooks/stripe",
        "POST /v1/webhooks/github",
        "POST /v1/webhooks/forgejo",
        "POST /v1/webhooks/forgejo/agent-control",
        "GET,POST /ack/link",
    ]

    @Test func publicIsOnlyWhatIsListed() throws {
        let routes = try ShippedPolicy.compiled.get().routes
        let found = routes.rules.filter(\.isPublic).map { "\($0.methods.joined(separator: ",")) \($0.path)" }
        #expect(found == Self.publicRules)
    }

    @Test func everyRuleCanMatch() throws {
        let routes = try ShippedPolicy.compiled.get().routes
        #expect(routes.rules.count == 406)
        #expect(routes.unreachable.map(\.message) == [])
    }

    @Test func everyPermissionIsGrantedBySomeRole() throws {
        let policy = try ShippedPolicy.compiled.get()
        let known = Set(policy.roles.permissions)
        #expect(policy.routes.rules.compactMap(\.permission).filter { !known.contains($0) } == [])
    }

    @Test func theEmbeddedCopiesAreTheFiles() throws {
        #expect(try BuiltInPolicy.rolesJSON + "\n" == ShippedPolicy.file("policies/data.json"))
        #expect(try BuiltInPolicy.routesYAML + "\n" == ShippedPolicy.file("policies/routes.yaml"))
    }
}
