// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials
internal import TestSupport
internal import Testing

@Suite struct DecideTests {
    let policy: CompiledPolicy
    let editor = PolicySubject(id: "u1", roles: ["editor"], tenant: "t1", project: "p1", authSource: "jwt")

    init() throws { policy = try ShippedPolicy.compiled.get() }

    func match(_ method: String, _ path: String, host: HostPolicy? = nil) throws -> RouteMatch? {
        policy.match(method: method, path: try ShippedPolicy.path(path), host: host)
    }

    @Test func everyFailedCheckIsNamed() {
        let query = PolicyQuery(
            action: "tasks:delete", resource: ResourceAttributes(id: "x", owner: "u2", tenant: "t2", project: "p2"))
        let key = PolicySubject(id: "k", roles: ["viewer"], tenant: "t1", authSource: "api_key")
        let decision = policy.decide(subject: key, query: query, match: nil)
        #expect(
            decision.reasons == [
                "no matching role permission", "api key scope does not permit action", "cross-tenant access denied",
                "not resource owner", "project access denied",
            ])
        #expect(decision.refusal?.code == .policyPermissionDenied)
        #expect(decision.refusal?.challenge == "Bearer error=\"insufficient_scope\", scope=\"tasks:delete\"")
        #expect(decision.refusal?.details?["permission"] == "tasks:delete")
    }

    @Test func anIdOfThePathIsEnoughWhereTheHostSaysSo() throws {
        let route = try match("POST", "/v1/agent/tasks/t1/cancel")
        #expect(policy.decide(subject: editor, query: PolicyQuery(host: HostPolicy()), match: route).allow)
        let strict = PolicyQuery(host: HostPolicy(ownership: .required))
        #expect(policy.decide(subject: editor, query: strict, match: route).refusal?.code == .policyNotOwner)
    }

    @Test func theOwnStoreWinsOverThePath() throws {
        let route = try match("GET", "/v1/tenants/t1")
        let resource = ResourceAttributes(tenant: "t2")
        let own = policy.decide(subject: editor, query: PolicyQuery(resource: resource, surface: .own), match: route)
        #expect(own.reasons.contains("cross-tenant access denied"))
        let gateway = policy.decide(subject: editor, query: PolicyQuery(resource: resource), match: route)
        #expect(gateway.refusal?.code == .policyResourceConflict)
    }

    @Test func anOverrideReplacesThePermissionButNotThePublicRule() throws {
        let route = try match("GET", "/v1/agent/tasks")
        let query = PolicyQuery(permissionOverride: "admin:access")
        #expect(policy.decide(subject: editor, query: query, match: route).permission == "admin:access")
        #expect(policy.decide(subject: editor, query: query, match: nil).refusal?.code == .policyRouteUnmapped)
        #expect(policy.decide(subject: nil, query: query, match: try match("GET", "/health")).allow)
        let bad = PolicyQuery(permissionOverride: "tasks:*")
        #expect(policy.decide(subject: editor, query: bad, match: route).refusal?.code == .policyActionInvalid)
    }

    @Test func disabledModeIsForWorkloadsOnly() throws {
        let anonymous = PolicySubject(id: "anonymous", authSource: "anonymous")
        let route = try match("GET", "/v1/agent/tasks")
        func code(_ surface: PolicyQuery.Surface, _ match: RouteMatch?) -> ErrorCode? {
            policy.decide(
                subject: anonymous, query: PolicyQuery(surface: surface, authenticationDisabled: true), match: match
            ).refusal?.code
        }
        #expect(code(.workload, route) == nil)
        #expect(code(.own, route) == .authAuthenticationRequired)
        #expect(code(.workload, nil) == .policyRouteUnmapped)
        #expect(code(.workload, try match("GET", "/v1/audit/events")) == .authAuthenticationRequired)
    }

    @Test func textsAreComparedAsBytes() {
        let subject = PolicySubject(id: "caf\u{e9}", roles: ["editor"], tenant: "caf\u{e9}", authSource: "jwt")
        let resource = ResourceAttributes(id: "x", owner: "cafe\u{301}", tenant: "cafe\u{301}")
        let decision = policy.decide(
            subject: subject, query: PolicyQuery(action: "tasks:write", resource: resource), match: nil)
        #expect(decision.reasons == ["cross-tenant access denied", "not resource owner"])
    }

    @Test func platformAdminsNeedBothMarks() {
        let admin = PolicySubject(id: "a", roles: ["admin"], authSource: "static_token", platform: true)
        var tenantAdmin = admin
        tenantAdmin.platform = false
        let platformEditor = PolicySubject(id: "e", roles: ["editor"], authSource: "jwt", platform: true)
        #expect(policy.isPlatformAdmin(subject: admin))
        #expect(!policy.isPlatformAdmin(subject: tenantAdmin))
        #expect(!policy.isPlatformAdmin(subject: platformEditor))
        #expect(!policy.isPlatformAdmin(subject: nil))
    }

    @Test func aWildcardIsHeldOnlyThroughAWildcard() {
        let token = PolicySubject(
            id: "t", authSource: "service_token", scopes: ["tasks:*", "decisions:evaluate"], scoped: true)
        #expect(policy.holds(subject: token, permission: "tasks:*"))
        #expect(policy.holds(subject: token, permission: "tasks:read"))
        #expect(policy.holds(subject: token, permission: "decisions:evaluate"))
        #expect(!policy.holds(subject: token, permission: "decisions:*"))
        #expect(!policy.holds(subject: nil, permission: "tasks:read"))
        #expect(!policy.holds(subject: editor, permission: "tasks:*"))
    }

    @Test func defaultRolesMustBeKnown() throws {
        #expect(throws: PolicyError.self) {
            try CompiledPolicy(
                roles: policy.roles, routes: policy.routes, settings: PolicySettings(defaultUserRole: "nobody"))
        }
    }

    @Test func theRevisionFollowsTheData() throws {
        #expect(policy.revision.utf8.count == 16)
        let other = try CompiledPolicy(roles: policy.roles, routes: RouteTable(document: []))
        #expect(other.revision != policy.revision)
    }

    /// A figure, not a claim: the bound holds for an optimised build only.
    @Test func tellsWhatADecisionCosts() throws {
        let token = PolicySubject(
            id: "tok", tenant: "t1", authSource: "service_token",
            scopes: ["sessions:read", "tasks:read", "tasks:write"],
            scoped: true)
        let path = try ShippedPolicy.path("/v1/agent/tasks/t-123")
        let host = HostPolicy()
        let rounds = 100_000
        var allowed = 0
        let clock = ContinuousClock()
        let whole = clock.measure {
            for _ in 0..<rounds {
                let match = policy.match(method: "GET", path: path, host: host)
                if policy.decide(subject: token, query: PolicyQuery(host: host), match: match).allow { allowed += 1 }
            }
        }
        let parsing = clock.measure {
            for _ in 0..<rounds {
                if case .success = CanonicalPath.parse("/v1/agent/tasks/t-123") { allowed += 1 }
            }
        }
        #expect(allowed == 2 * rounds)
        print("policy: match and decide \(whole / rounds), canonical path \(parsing / rounds)")
    }
}
