// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials
internal import TestSupport

/// Makes questions that reach every check from both sides: what a resource has is often the caller's own, and often nearly so.
struct QuestionGenerator {
    /// One question under one of the policies.
    struct Made {
        var policy: Int
        var question: PolicyQuestion
    }

    private let policies: [CompiledPolicy]
    private let random: SeededRandom
    private let hosts: [HostPolicy]
    private let paths: [CanonicalPath]

    private static let now = Timestamp(seconds: 1_772_366_400)
    /// The fourth and the fifth look alike and are not the same bytes.
    private static let identifiers = ["u1", "u2", "U1", "caf\u{E9}", "cafe\u{301}", "u 1\"\\", ""]
    private static let names = ["acme", "globex", "Acme", "caf\u{E9}", "cafe\u{301}", "_platform"]
    private static let sources = [
        "keycloak", "jwt", "api_key", "service_token", "bootstrap", "static_token", "self-service", "oauth", "spiffe",
        "mtls", "kubernetes", "anonymous",
    ]
    private static let strangeGrants = [
        "*", "*:*", "*:read", ":*", "tasks", "tasks:", "tasks:re*", "TASKS:READ", "tasks:read ", "admin:*", "",
        "tasks::*", "admin:tokens", "\u{212A}ey:read",
    ]

    init(policies: [CompiledPolicy], seed: UInt64) throws {
        self.policies = policies
        random = SeededRandom(seed: seed)
        let routes = try RouteTable(
            document: [
                ["methods": ["GET"], "path": "/me", "authenticated": true],
                ["methods": ["GET"], "path": "/me/{id}", "authenticated": true, "ownership": "required"],
                ["methods": ["GET"], "path": "/ops/{tenant}", "permission": "tenants:read", "platform": true],
                ["methods": ["GET", "POST"], "path": "/ops", "permission": "tasks:read", "platform": true],
                ["methods": ["GET"], "path": "/own/{id}", "permission": "tasks:read", "ownership": "required"],
                ["methods": ["POST"], "path": "/own/{id}", "permission": "tasks:write", "ownership": "required"],
                ["methods": ["POST"], "path": "/p/{project}/t/{id}", "permission": "tasks:write", "type": "jobs"],
                ["methods": ["DELETE"], "path": "/u/{user}/{type}/{id}", "permission": "tasks:delete"],
            ], source: .authConfig)
        hosts = [HostPolicy.ScopeEnforcement.ignore, .enforce].flatMap { scopes in
            [HostPolicy.OwnershipRule.standard, .required].map { ownership in
                HostPolicy(routes: routes, scopes: scopes, ownership: ownership)
            }
        }
        paths = try [
            "/me", "/me/u1", "/ops", "/ops/acme", "/own/t1", "/own/t2", "/p/acme/t/t1", "/p/globex/t/t1",
            "/u/u1/tasks/t1",
            "/u/u2/tasks/t1", "/v1/agent/tasks/t1", "/v1/tenants/acme", "/v1/agent/codebases/c1", "/v1/projects",
        ].map { try CanonicalPath.parse($0).get() }
    }

    /// The next question; some draws end before there is one.
    func next() -> Made {
        while true {
            let number = random.below(policies.count)
            let policy = policies[number]
            var query = PolicyQuery(
                surface: random.below(5) == 0 ? .own : .workload, host: hosts[random.below(hosts.count)], now: Self.now)
            let match = random.below(3) == 0 ? match(policy, query.host) : nil
            if match == nil { query.action = action(policy) }
            // Half of them may do what they ask for, so that the other checks are what decides.
            let asked = query.action ?? match?.rule.permission
            let subject = asked.flatMap { random.below(2) == 0 ? friend(policy, $0) : nil } ?? subject(policy)
            query.authenticationDisabled = subject.isAnonymous
            query.resource = resource(of: subject, isFree: match == nil)
            query.shares = shares(subject: subject, query: query, match: match)
            guard case .open(let question) = policy.prepare(subject: subject, query: query, match: match) else {
                continue
            }
            return Made(policy: number, question: question)
        }
    }

    private func match(_ policy: CompiledPolicy, _ host: HostPolicy?) -> RouteMatch? {
        policy.match(
            method: ["GET", "POST", "DELETE", "PUT"][random.below(4)], path: paths[random.below(paths.count)],
            host: host)
    }

    private func any(_ texts: [String]) -> String { texts[random.below(texts.count)] }
    private func maybe(_ texts: [String]) -> String? { random.below(3) == 0 ? nil : any(texts) }

    private func action(_ policy: CompiledPolicy) -> String {
        switch random.below(10) {
        case 0: "unknown:read"
        case 1: any(["admin:tokens:read", "admin:access", "admin:manage_policies"])
        case 2...4:
            any(["tasks:write", "tasks:delete", "codebases:write", "workers:delete", "x:y:write", "x:y:delete"])
        default: any(policy.roles.permissions.filter { !$0.hasSuffix("*") })
        }
    }

    private func subject(_ policy: CompiledPolicy) -> PolicySubject {
        let source = any(Self.sources)
        var roles: [String] = []
        for _ in 0..<random.below(4) {
            roles.append(
                random.below(5) == 0
                    ? any(["nobody", "Admin", "default-roles-x", "offline_access", ""])
                    : random.below(4) == 0 ? "admin" : policy.roles.roles[random.below(policy.roles.roles.count)].name)
        }
        var scopes: [String] = []
        for _ in 0..<random.below(4) {
            scopes.append(random.below(4) == 0 ? any(Self.strangeGrants) : grant(action(policy)))
        }
        return PolicySubject(
            id: any(Self.identifiers), roles: roles, tenant: maybe(Self.names), project: maybe(Self.names),
            authSource: source, platform: random.below(4) == 0, scopes: scopes,
            scoped: random.below(2) == 0)
    }

    /// A caller with a role that grants the action, where there is one, and a scope that covers it.
    private func friend(_ policy: CompiledPolicy, _ action: String) -> PolicySubject {
        var friend = subject(policy)
        if friend.isAnonymous { friend.authSource = "jwt" }
        let role = policy.roles.roles.map(\.name).filter {
            $0 != "admin"
                && policy.allPermissions(ofRole: $0).contains { PermissionName.matches(grant: $0, action: action) }
        }
        if !role.isEmpty { friend.roles = [any(role)] }
        friend.scopes.append(grant(action))
        return friend
    }

    /// The action, or the wildcard over it.
    private func grant(_ action: String) -> String {
        guard random.below(3) == 0, let colon = action.lastIndex(of: ":") else { return action }
        return action[...colon] + "*"
    }

    private func resource(of subject: PolicySubject, isFree: Bool) -> ResourceAttributes {
        guard isFree, random.below(6) > 0 else { return ResourceAttributes() }
        func own(_ text: String?, _ others: [String]) -> String? {
            switch random.below(4) {
            case 0: nil
            case 1: any(others)
            default: text
            }
        }
        return ResourceAttributes(
            type: maybe(["tasks", "codebases"]), id: maybe(["t1", "t2"]),
            owner: own(subject.id, Self.identifiers), tenant: own(subject.tenant, Self.names),
            project: random.below(3) == 0 ? subject.project : maybe(Self.names))
    }

    /// Shares of the resource, and some that only look like it.
    private func shares(subject: PolicySubject, query: PolicyQuery, match: RouteMatch?) -> ShareTable {
        guard random.below(4) > 0, let project = subject.project,
            let resource = CompiledPolicy.resource(query: query, match: match), let id = resource.id
        else { return .empty }
        let type = resource.type ?? query.action.map { String($0.prefix { $0 != ":" }) } ?? ""
        let key = ShareTable.Key(
            tenant: subject.tenant ?? "", type: random.below(8) == 0 ? "other" : type, id: id,
            project: random.below(8) == 0 ? any(Self.names) : project)
        let shares = (0...random.below(2)).map { _ in
            AcceptedShare(
                ownerProject: random.below(6) == 0 ? any(Self.names) : resource.project ?? "acme",
                permissions: [.read, .use, .manage, [.read, .manage]][random.below(4)],
                expiresAt: [nil, Self.now.adding(seconds: 60), Self.now, Self.now.adding(seconds: -1)][random.below(4)])
        }
        return ShareTable([key: shares])
    }
}
