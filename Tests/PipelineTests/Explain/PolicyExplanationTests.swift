// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials
internal import Testing

@testable internal import Pipeline

/// The explanation of every check, as a table: who asks for what, and what is said about it.
@Suite struct PolicyExplanationTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let name: String
        var subject = PolicySubject(id: "u1", roles: ["editor"], tenant: "acme", authSource: "jwt")
        var action = "tasks:read"
        var resource = ResourceAttributes()
        var host = HostPolicy()
        var platform = false
        var ownership = false
        var shares = ShareTable.empty
        var code: ErrorCode?
        /// Lines that are there, and none other that begins with the same word.
        var says: [String] = []
        var mends: [String] = []
        var testDescription: String { name }
    }

    static let rows: [Row] = [
        Row(
            name: "a role grants it",
            says: [
                "permission tasks:read",
                "role: viewer grants tasks:read; roles [editor], effective [editor, viewer]",
                "scope: does not limit, the credential has no scope claim",
            ]),
        Row(
            name: "no role grants it", action: "admin:access", code: .policyPermissionDenied,
            says: ["role: none of the caller's grants admin:access; roles [editor], effective [editor, viewer]"],
            mends: ["Give the caller a role that grants admin:access; the least that does: admin."]),
        Row(
            name: "no role at all grants it", action: "unheard:of", code: .policyPermissionDenied,
            says: ["role: none of the caller's grants unheard:of; roles [editor], effective [editor, viewer]"],
            mends: [
                "No role grants unheard:of: add it to a role (PUT /v1/admin/policy/roles/{role}), or name another permission in the route's rule."
            ]),
        Row(
            name: "roles that are unknown", subject: .init(id: "u1", roles: ["boss"], authSource: "jwt"),
            code: .policyPermissionDenied,
            says: [
                "role: none of the caller's grants tasks:read; roles [], effective []",
                "without effect, because the policy data has no such role: [boss]",
            ], mends: ["Give the caller a role that grants tasks:read; the least that does: a2a-agent, viewer."]),
        Row(
            name: "default roles of a key",
            subject: .init(id: "u1", authSource: "api_key", scopes: ["tasks:read"], scoped: true),
            says: [
                "role: viewer grants tasks:read; roles [editor], effective [editor, viewer]",
                "scope: [tasks:read] covers tasks:read",
            ]),
        Row(
            name: "scopes are the grant",
            subject: .init(id: "t1", authSource: "service_token", scopes: ["tasks:*"], scoped: true),
            says: [
                "role: not asked, the caller is a service token without roles, whose scopes are its grant",
                "scope: [tasks:*] covers tasks:read",
            ]),
        Row(
            name: "scope of a service token",
            subject: .init(id: "t1", authSource: "service_token", scopes: ["tasks:read"], scoped: true),
            action: "tasks:delete", code: .policyScopeDenied,
            says: ["scope: none of [tasks:read] covers tasks:delete"],
            mends: [
                "Give the token the scope tasks:delete: `tollgate token rotate ID --scope tasks:delete` makes one that has it too."
            ]),
        Row(
            name: "scope of a key", subject: .init(id: "u1", authSource: "api_key", scoped: true),
            code: .policyScopeDenied, says: ["scope: none of [] covers tasks:read"],
            mends: [
                "Give the key the scope tasks:read: `tollgate key update ID` with every --scope it shall have."
            ]),
        Row(
            name: "scope of the bootstrap token",
            subject: .init(id: "bootstrap", authSource: "bootstrap", platform: true, scopes: ["a:read"], scoped: true),
            code: .policyScopeDenied, says: ["scope: none of [a:read] covers tasks:read"],
            mends: ["Add tasks:read to TOLLGATE_AUTH_BOOTSTRAP_TOKEN_SCOPES."]),
        Row(
            name: "scope of a JWT where scopes are enforced",
            subject: .init(id: "u1", roles: ["editor"], authSource: "jwt", scopes: ["a:read"], scoped: true),
            host: HostPolicy(scopes: .enforce), code: .policyScopeDenied,
            says: ["scope: none of [a:read] covers tasks:read"],
            mends: [
                "Have the issuer add tasks:read to the token's scopes, or set spec.policy.scopes of the AuthConfig to ignore."
            ]),
        Row(
            name: "scope of a JWT where scopes are ignored",
            subject: .init(id: "u1", roles: ["editor"], authSource: "jwt", scopes: ["a:read"], scoped: true),
            says: ["scope: does not limit, the AuthConfig ignores the scopes of tokens"]),
        Row(
            name: "platform", platform: true, code: .policyPlatformRequired,
            says: ["platform: the route needs a platform principal, the caller is none"],
            mends: [
                "Use a credential of the platform itself: the admin token, or one whose record or issuer entry says platform: true."
            ]),
        Row(
            name: "platform principal",
            subject: .init(id: "u1", roles: ["editor"], authSource: "jwt", platform: true), platform: true,
            says: ["platform: the route needs a platform principal, the caller is one"]),
        Row(name: "tenant unknown", says: ["tenant: the resource's is not known"]),
        Row(
            name: "same tenant", resource: .init(tenant: "acme"),
            says: ["tenant: the resource's is acme, the caller's is acme"]),
        Row(
            name: "another tenant", resource: .init(tenant: "globex"), code: .policyTenantDenied,
            says: ["tenant: the resource's is globex, the caller's is acme"],
            mends: ["Call as somebody of tenant globex; only a platform admin reaches across tenants."]),
        Row(
            name: "a caller of no tenant", subject: .init(id: "u1", roles: ["editor"], authSource: "jwt"),
            resource: .init(tenant: "globex"), code: .policyTenantDenied,
            says: ["tenant: the resource's is globex, the caller has none"],
            mends: ["Call as somebody of tenant globex; only a platform admin reaches across tenants."]),
        Row(
            name: "a platform admin",
            subject: .init(id: "admin", roles: ["admin"], authSource: "static_token", platform: true),
            resource: .init(tenant: "globex"),
            says: ["tenant: the resource's is globex, the caller has none: a platform admin"]),
        Row(
            name: "owner of a read", resource: .init(id: "t1", owner: "u2"),
            says: ["owner: not checked, the permission ends neither in write nor in delete"]),
        Row(
            name: "owner without a resource", action: "tasks:write",
            says: ["owner: not checked, neither owner nor id of the resource is known"]),
        Row(
            name: "the owner itself", action: "tasks:write", resource: .init(id: "t1", owner: "u1"),
            says: ["owner: the resource's is u1, the caller is u1: the same"]),
        Row(
            name: "another owner", action: "tasks:write", resource: .init(id: "t1", owner: "u2"),
            code: .policyNotOwner, says: ["owner: the resource's is u2, the caller is u1"],
            mends: [
                "Call as u2 or as an administrator of the resource's tenant, or have its project share it with `manage`."
            ]),
        Row(
            name: "an owner for deletion",
            subject: .init(id: "u1", roles: ["admin"], tenant: "acme", authSource: "jwt"), action: "tasks:delete",
            resource: .init(id: "t1", owner: "u2", tenant: "acme2"),
            code: .policyTenantDenied, says: ["owner: the resource's is u2, the caller is u1"],
            mends: [
                "Call as somebody of tenant acme2; only a platform admin reaches across tenants.",
                "Call as u2 or as an administrator of the resource's tenant.",
            ]),
        Row(
            name: "an unknown owner", action: "tasks:write", resource: .init(id: "t1"), code: .policyNotOwner,
            says: ["owner: the resource's is not known, the caller is u1"],
            mends: [
                "Have the gateway say who owns the resource (resource.owner, X-Tollgate-Resource-Owner): an unknown owner is nobody."
            ]),
        Row(
            name: "an owner that the rule asks for", ownership: true, code: .policyNotOwner,
            says: ["owner: the resource's is not known, the caller is u1"],
            mends: [
                "Have the gateway say who owns the resource (resource.owner, X-Tollgate-Resource-Owner): an unknown owner is nobody."
            ]),
        Row(
            name: "an administrator of the tenant",
            subject: .init(id: "u1", roles: ["admin"], tenant: "acme", authSource: "jwt"), action: "tasks:write",
            resource: .init(id: "t1", owner: "u2", tenant: "acme", project: "p1"),
            says: [
                "owner: the resource's is u2, the caller is u1: an administrator of the tenant",
                "project: the resource's is p1, the caller has none: an administrator of the tenant",
            ]),
        Row(name: "project unknown", says: ["project: the resource's is not known"]),
        Row(
            name: "same project",
            subject: .init(id: "u1", roles: ["editor"], tenant: "acme", project: "p1", authSource: "jwt"),
            resource: .init(project: "p1"), says: ["project: the resource's is p1, the caller's is p1"]),
        Row(
            name: "a caller of no project", resource: .init(project: "p1"), code: .policyProjectDenied,
            says: ["project: the resource's is p1, the caller has none"],
            mends: ["Call with a credential of project p1: this one belongs to no project."]),
        Row(
            name: "another project",
            subject: .init(id: "u1", roles: ["editor"], tenant: "acme", project: "p2", authSource: "jwt"),
            resource: .init(type: "tasks", id: "t1", project: "p1"),
            shares: ShareTable([
                .init(tenant: "acme", type: "tasks", id: "t1", project: "p2"): [
                    .init(ownerProject: "p3", permissions: .read),
                    .init(ownerProject: "p1", permissions: [.read, .use], expiresAt: Timestamp(seconds: 10)),
                ]
            ]), code: .policyProjectDenied,
            says: [
                "project: the resource's is p1, the caller's is p2",
                "share: from p3, permits [read], does not count: of another project",
                "share: from p1, permits [read, use], does not count: ended 1970-01-01T00:00:10Z",
            ],
            mends: [
                "Have project p1 offer the resource to p2 (POST /v1/projects/{project}/access) and accept it there."
            ]),
    ]

    @Test(arguments: rows) func saysWhatWasComparedAndWhatToChange(row: Row) throws {
        let policy = try PipelineWorld.policy.get()
        let rule = RouteRule(
            index: 0, methods: ["GET"], path: "/x", access: .permission(row.action), platform: row.platform,
            ownershipRequired: row.ownership)
        let match = RouteMatch(rule: rule, display: "GET /x", captures: ResourceAttributes())
        let query = PolicyQuery(
            resource: row.resource, host: row.host, shares: row.shares, now: Timestamp(seconds: 100))
        guard case .open(let question) = policy.prepare(subject: row.subject, query: query, match: match) else {
            Issue.record("decided before the checks")
            return
        }
        let decision = policy.decide(question)
        #expect(decision.refusal?.code == row.code)
        let text = PolicyExplanation.text(question, decision, policy: policy, tokenID: nil)
        let lines = text.compared.map(\.text)
        for line in row.says { #expect(lines.contains(line), "\(lines)") }
        #expect(text.remedies.map(\.text) == row.mends)
    }

    @Test func rulesThatMatchAreNamed() throws {
        let policy = try PipelineWorld.policy.get()
        let rules = try RuleSet(document: [
            [
                "name": "night", "effect": "deny",
                "when": [["attribute": "request.method", "operator": "eq", "value": "PUT"]],
            ],
            [
                "name": "day", "effect": "allow",
                "when": [["attribute": "request.method", "operator": "eq", "value": "GET"]],
            ],
        ])
        let rule = RouteRule(index: 0, methods: ["*"], path: "/x", access: .permission("tasks:read"))
        let match = RouteMatch(rule: rule, display: "* /x", captures: ResourceAttributes())
        func text(_ method: String) throws -> Explanation {
            let query = PolicyQuery(
                host: HostPolicy(rules: rules), facts: RuleFacts(method: method, path: "/x"))
            let subject = PolicySubject(id: "u1", roles: ["editor"], authSource: "jwt")
            guard case .open(let question) = policy.prepare(subject: subject, query: query, match: match) else {
                return Explanation()
            }
            return PolicyExplanation.text(question, policy.decide(question), policy: policy, tokenID: nil)
        }
        #expect(try text("GET").compared.last?.text == "rules that match: day")
        #expect(try text("GET").remedies.isEmpty)
        #expect(try text("PUT").compared.last?.text == "rules that match: night")
        #expect(
            try text("PUT").remedies.map(\.text) == [
                "Change the request so that deny rule night no longer matches, or change the rule.",
                "Change the request so that an allow rule of the AuthConfig matches, or change the rules.",
            ])
        #expect(try text("POST").compared.last?.text == "rules: none matches")
        #expect(try text("POST").remedies.count == 1)
    }

    @Test func anEngineThatDoesNotAnswerIsNamed() throws {
        let policy = try PipelineWorld.policy.get()
        let rule = RouteRule(index: 0, methods: ["GET"], path: "/x", access: .permission("tasks:read"))
        let match = RouteMatch(rule: rule, display: "GET /x", captures: ResourceAttributes())
        let subject = PolicySubject(id: "u1", roles: ["editor"], authSource: "jwt")
        guard case .open(let question) = policy.prepare(subject: subject, query: PolicyQuery(), match: match) else {
            return
        }
        func lines(_ answer: EngineAnswer) -> [String] {
            let decision = policy.decide(question, answer: answer)
            return PolicyExplanation.text(question, decision, policy: policy, tokenID: nil).compared.map(\.text)
        }
        #expect(
            lines(.unavailable(failsOpen: false)) == [
                "permission tasks:read", "the policy engine did not answer, or not in a way that can be read",
            ])
        #expect(lines(.unavailable(failsOpen: true))[1].hasPrefix("role: passes, the policy engine did not answer"))
        #expect(
            lines(.roleCheck(true))[1]
                == "role, by the policy engine: viewer grants tasks:read; roles [editor], effective [editor, viewer]")
        #expect(lines(.roleCheck(false))[1].hasPrefix("role, by the policy engine: none of the caller's grants"))
    }

    @Test func everyReasonOfThePolicyHasARemedy() throws {
        let policy = try PipelineWorld.policy.get()
        let subject = PolicySubject(id: "u1", authSource: "jwt")
        let rule = RouteRule(index: 0, methods: ["GET"], path: "/x", access: .permission("tasks:write"), platform: true)
        let match = RouteMatch(rule: rule, display: "GET /x", captures: ResourceAttributes())
        let rules = try RuleSet(document: [
            ["name": "night", "effect": "deny", "when": [["attribute": "action", "operator": "eq", "value": "x:y"]]]
        ])
        let query = PolicyQuery(
            resource: .init(id: "t1", owner: "o", tenant: "t", project: "p"), host: HostPolicy(rules: rules))
        guard case .open(let question) = policy.prepare(subject: subject, query: query, match: match) else { return }
        for reason in [
            "no matching role permission", "api key scope does not permit action",
            "token scope does not permit action", "platform principal required", "cross-tenant access denied",
            "not resource owner", "project access denied", "denied by rule night", "no allow rule matched",
        ] {
            var decision = policy.decide(question)
            decision.reasons = [reason]
            var limited = subject
            limited.authSource = "api_key"
            let asked = reason.contains("scope") ? question.asked(by: limited, policy: policy, match: match) : question
            let text = PolicyExplanation.text(asked ?? question, decision, policy: policy, tokenID: "t1")
            #expect(text.remedies.count == 1, "\(reason): \(text.remedies)")
        }
    }
}

extension PolicyQuestion {
    /// The same question of somebody else.
    fileprivate func asked(by subject: PolicySubject, policy: CompiledPolicy, match: RouteMatch) -> PolicyQuestion? {
        guard case .open(let question) = policy.prepare(subject: subject, query: query, match: match) else {
            return nil
        }
        return question
    }
}
