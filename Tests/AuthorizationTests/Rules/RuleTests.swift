// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials
internal import TestSupport
internal import Testing

@Suite struct RuleTests {
    private let policy: CompiledPolicy
    private static let now = Timestamp(seconds: 1_772_366_400)  // 2026-03-01T12:00:00Z

    init() throws { policy = try ShippedPolicy.compiled.get() }

    private static let subject = PolicySubject(
        id: "u1", roles: ["editor"], tenant: "t1", authSource: "jwt", platform: false,
        scopes: ["tasks:read", "tasks:write"], scoped: true)

    private static let facts = RuleFacts(
        method: "POST", path: "/v1/agent/tasks", host: "api.example", scheme: "https", remoteIP: IPAddress("10.1.2.3"),
        headers: HeaderList([("X-Env", "prod"), ("X-Many", "a"), ("X-Many", "b")]),
        query: "q=a+b&n=%C3%A9&q=c&empty",
        claims: [
            "level": 5, "half": .double(0.5), "realm": ["groups": ["dev", "ops"], "on": true], "mixed": [1, "x"],
            "nothing": nil, "none": [],
        ])

    private func decide(_ rules: JSONValue, subject: PolicySubject = subject) throws -> PolicyDecision {
        let host = HostPolicy(rules: try RuleSet(document: try #require(rules.arrayValue)))
        let path = try ShippedPolicy.path("/v1/agent/tasks")
        let query = PolicyQuery(
            resource: ResourceAttributes(id: "x", owner: "u1", tenant: "t1"), host: host, now: Self.now,
            facts: Self.facts)
        return policy.decide(
            subject: subject, query: query, match: policy.match(method: "POST", path: path, host: host))
    }

    /// What a condition comes to in an allow rule and in a deny rule.
    private func outcome(_ attribute: String, _ test: String, _ operand: JSONValue) throws -> (Bool, Bool) {
        let name = ["in", "notIn", "cidr"].contains(test) ? "values" : "value"
        let condition: JSONValue = .object(
            JSONObject([("attribute", .string(attribute)), ("operator", .string(test)), (name, operand)]))
        func rules(_ effect: String) -> JSONValue {
            [["name": "r", "effect": .string(effect), "when": [condition]]]
        }
        return (try decide(rules("allow")).allow, !(try decide(rules("deny")).allow))
    }

    struct Row: Sendable, CustomStringConvertible {
        let attribute: String
        let test: String
        let operand: JSONValue
        /// Met in an allow rule, and in a deny rule.
        let met: (Bool, Bool)
        var description: String { "\(attribute) \(test) \(operand.jsonText)" }

        init(_ attribute: String, _ test: String, _ operand: JSONValue, _ met: Bool, inDeny: Bool? = nil) {
            self.attribute = attribute
            self.test = test
            self.operand = operand
            self.met = (met, inDeny ?? met)
        }
    }

    static let rows: [Row] = [
        // Attributes.
        Row("request.method", "eq", "POST", true), Row("request.path", "eq", "/v1/agent/tasks", true),
        Row("request.host", "eq", "api.example", true), Row("request.scheme", "eq", "https", true),
        Row("request.remoteIp", "eq", "10.1.2.3", true), Row("request.remoteIp", "eq", "::ffff:10.1.2.3", true),
        Row("request.time", "eq", "2026-03-01T13:00:00+01:00", true), Row("request.headers.x-env", "eq", "prod", true),
        Row("request.headers.x-many", "eq", "b", true), Row("request.query.q", "eq", "a b", true),
        Row("request.query.q", "eq", "c", true), Row("request.query.n", "eq", "é", true),
        Row("request.query.empty", "eq", "", true), Row("principal.id", "eq", "u1", true),
        Row("principal.tenant", "eq", "t1", true), Row("principal.project", "exists", false, true),
        Row("principal.auth_source", "eq", "jwt", true), Row("principal.platform", "eq", false, true),
        Row("principal.roles", "eq", "viewer", true), Row("principal.scopes", "eq", "tasks:write", true),
        Row("principal.claims.realm.groups", "eq", "ops", true), Row("principal.claims.realm.on", "eq", true, true),
        Row("resource.type", "eq", "tasks", true), Row("resource.id", "eq", "x", true),
        Row("resource.owner", "eq", "u1", true), Row("resource.tenant", "eq", "t1", true),
        Row("resource.project", "exists", false, true), Row("action", "eq", "tasks:write", true),
        Row("tool.id", "exists", false, true),
        // Operators.
        Row("request.method", "neq", "POST", false), Row("request.method", "neq", "GET", true),
        Row("request.headers.x-many", "neq", "a", false), Row("request.headers.x-many", "neq", "c", true),
        Row("request.method", "in", ["GET", "POST"], true), Row("request.method", "in", ["GET"], false),
        Row("request.method", "notIn", ["GET"], true), Row("request.headers.x-many", "notIn", ["c", "a"], false),
        Row("principal.claims.level", "eq", 5, true), Row("principal.claims.level", "eq", .double(5), true),
        Row("principal.claims.level", "eq", "5", false), Row("principal.claims.realm.on", "eq", "true", false),
        Row("request.path", "prefix", "/v1/", true), Row("request.path", "prefix", "/v2/", false),
        Row("request.path", "matches", "/v1/.*", true), Row("request.path", "matches", "/v1/", false),
        Row("principal.claims.level", "gt", 4, true), Row("principal.claims.level", "gt", 5, false),
        Row("principal.claims.half", "lt", 1, true), Row("principal.claims.half", "lt", .double(0.5), false),
        Row("request.time", "gt", "2026-03-01T11:59:59Z", true),
        Row("request.time", "lt", "2026-03-01T12:00:00Z", false),
        Row("request.remoteIp", "cidr", ["192.0.2.0/24", "10.0.0.0/8"], true),
        Row("request.remoteIp", "cidr", ["192.0.2.0/24"], false),
        // Missing.
        Row("request.headers.gone", "eq", "x", false), Row("request.headers.gone", "neq", "x", true),
        Row("request.headers.gone", "in", ["x"], false), Row("request.headers.gone", "notIn", ["x"], true),
        Row("request.headers.gone", "prefix", "", false), Row("request.headers.gone", "matches", ".*", false),
        Row("request.headers.gone", "exists", true, false), Row("request.headers.gone", "exists", false, true),
        Row("principal.claims.gone", "gt", 0, false), Row("principal.claims.gone", "lt", 0, false),
        Row("request.headers.gone", "cidr", ["0.0.0.0/0"], false),
        Row("principal.claims.nothing", "exists", true, false),
        Row("principal.claims.none", "exists", true, true), Row("principal.claims.none", "eq", "x", false),
        Row("principal.claims.none", "neq", "x", true), Row("principal.claims.realm.gone.deep", "exists", false, true),
        // Of the wrong kind.
        Row("request.method", "gt", 1, false, inDeny: true), Row("request.method", "lt", 1, false, inDeny: true),
        Row("principal.claims.level", "prefix", "5", false, inDeny: true),
        Row("principal.claims.level", "matches", "5", false, inDeny: true),
        Row("request.method", "cidr", ["10.0.0.0/8"], false, inDeny: true),
        Row("principal.claims.realm", "matches", ".*", false, inDeny: true),
        Row("principal.claims.mixed", "gt", 5, false, inDeny: true), Row("principal.claims.mixed", "gt", 0, true),
        Row("principal.claims.realm", "eq", "x", false), Row("principal.claims.realm", "neq", "x", true),
    ]

    @Test(arguments: rows) func conditionsHold(_ row: Row) throws {
        let met = try outcome(row.attribute, row.test, row.operand)
        #expect(met.0 == row.met.0, "in an allow rule")
        #expect(met.1 == row.met.1, "in a deny rule")
    }

    @Test func everyDenyIsNamedInOrderAndOneAllowIsEnough() throws {
        func rule(_ name: String, _ effect: String, _ method: String) -> JSONValue {
            [
                "name": .string(name), "effect": .string(effect),
                "when": [["attribute": "request.method", "operator": "eq", "value": .string(method)]],
            ]
        }
        let all = try decide([
            rule("d1", "deny", "POST"), rule("a1", "allow", "GET"), rule("d2", "deny", "GET"),
            rule("d3", "deny", "POST"),
        ])
        #expect(all.reasons == ["denied by rule d1", "denied by rule d3", "no allow rule matched"])
        #expect(all.refusal?.code == .policyRuleDenied && all.refusal?.status == 403)
        #expect(all.refusal?.message == "Denied by rule")
        #expect(try decide([rule("a1", "allow", "GET"), rule("a2", "allow", "POST")]).allow)
        let other = PolicySubject(id: "u1", roles: ["viewer"], tenant: "t1", authSource: "jwt")
        let later = try decide([rule("d1", "deny", "POST")], subject: other)
        #expect(later.refusal?.code == .policyPermissionDenied)
        #expect(later.reasons == ["no matching role permission", "denied by rule d1"])
    }

    @Test func conditionsOfARuleMustAllHold() throws {
        let both: JSONValue = [
            [
                "name": "r", "effect": "deny",
                "when": [
                    ["attribute": "request.method", "operator": "eq", "value": "POST"],
                    ["attribute": "principal.id", "operator": "eq", "value": "u2"],
                ],
            ]
        ]
        #expect(try decide(both).allow)
    }

    /// However many parameters stand before it, none is passed over.
    @Test func everyParameterIsRead() throws {
        let facts = RuleFacts(
            method: "GET", path: "/", query: String(repeating: "x=1&", count: 3000) + "evil=1")
        let rules = try RuleSet(document: [
            [
                "name": "r", "effect": "deny",
                "when": [["attribute": "request.query.evil", "operator": "exists", "value": true]],
            ]
        ])
        let query = PolicyQuery(action: "tasks:read", host: HostPolicy(rules: rules), facts: facts)
        #expect(policy.decide(subject: Self.subject, query: query, match: nil).reasons == ["denied by rule r"])
    }

    @Test func listsEveryProblemWithItsField() throws {
        let good: JSONValue = ["attribute": "action", "operator": "eq", "value": "x"]
        let error = #expect(throws: RuleSetError.self) {
            try RuleSet(document: [
                "text", ["name": "a", "effect": "maybe", "when": [good]], ["name": "a", "effect": "deny", "when": []],
                ["name": "b", "effect": "deny", "when": [good], "more": 1],
                [
                    "name": "c", "effect": "allow",
                    "when": [
                        ["attribute": "request.body", "operator": "eq", "value": "x"],
                        ["attribute": "action", "operator": "like", "value": "x"],
                        ["attribute": "action", "operator": "eq", "values": ["x"]],
                        ["attribute": "action", "operator": "in", "value": "x"],
                        ["attribute": "action", "operator": "matches", "value": "(?=x)"],
                        ["attribute": "request.remoteIp", "operator": "cidr", "values": ["10.0.0.0/33"]],
                        ["attribute": "request.time", "operator": "gt", "value": 5],
                        ["attribute": "principal.claims.n", "operator": "gt", "value": "5"],
                        ["attribute": "action", "operator": "exists", "value": "yes"],
                        ["attribute": "action", "operator": "eq", "value": nil],
                        ["attribute": "request.headers.X-Env", "operator": "eq", "value": "x"],
                        ["attribute": "request.remoteIp", "operator": "eq", "value": "here"],
                        ["attribute": "request.time", "operator": "in", "values": ["noon"]],
                    ],
                ],
            ])
        }
        let places = Set(error?.problems.map(\.path) ?? [])
        #expect(
            places.isSuperset(of: [
                "[0]", "[1].effect", "[2].name", "[2].when", "[3].more", "[4].when[0].attribute",
                "[4].when[1].operator", "[4].when[2].value", "[4].when[3].values", "[4].when[4].value",
                "[4].when[5].values[0]", "[4].when[6].value", "[4].when[7].value", "[4].when[8].value",
                "[4].when[9].value", "[4].when[10].attribute", "[4].when[11].value", "[4].when[12].values",
            ]), "\(places.sorted())")
        #expect(error?.problems.allSatisfy { !$0.message.isEmpty } == true)
        #expect(throws: RuleSetError.self) {
            try RuleSet(
                document: (0..<65).map { ["name": .string("r\($0)"), "effect": "deny", "when": [good]] })
        }
    }

    /// Any document is read or refused, and what is read can be asked.
    @Test func readsAnyDocument() throws {
        let random = SeededRandom(seed: 5)
        let attributes = ["request.method", "principal.roles", "principal.claims.a.b", "request.time", "bad", ""]
        let operators = ["eq", "neq", "in", "notIn", "prefix", "matches", "exists", "gt", "lt", "cidr", "no"]
        let values: [JSONValue] = [
            "x", 1, true, nil, ["10.0.0.0/8"], [1, "a"], "2026-03-01T12:00:00Z", "a*", [:], .double(0.5),
        ]
        func pick<Value>(_ list: [Value]) -> Value { list[random.below(list.count)] }
        var read = 0
        for _ in 0..<FuzzCases.count(3000) {
            var condition = JSONObject()
            condition["attribute"] = .string(pick(attributes))
            condition["operator"] = .string(pick(operators))
            if random.below(4) > 0 { condition[pick(["value", "values"])] = pick(values) }
            let document: JSONValue = [
                "name": "r", "effect": .string(pick(["allow", "deny"])), "when": [.object(condition)],
            ]
            do {
                let rules = try RuleSet(document: [document])
                let query = PolicyQuery(action: "tasks:read", host: HostPolicy(rules: rules), facts: Self.facts)
                _ = policy.decide(subject: Self.subject, query: query, match: nil)
                read += 1
            } catch {
                #expect(!error.problems.isEmpty)
            }
        }
        #expect(read > 100)
    }
}
