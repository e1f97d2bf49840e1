// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport
internal import Testing

@testable internal import Authorization

/// Runs every case of `Tests/Cases/policy*.json`.
@Suite struct PolicyCases {
    @Test(arguments: CaseFile.all(area: "policy"))
    func holds(_ record: CaseRecord) throws {
        let run = PolicyCaseRun(json: record.json)
        let expect = record.expect
        if expect["code"] == "policy.roles_invalid" {
            try run.expectRefusedRoles(expect)
            return
        }
        let decision = try run.decision()
        #expect(PolicyCaseRun.differences(decision, expect) == [])
        #expect(decision.json.names.count == 8)
    }

    @Test func thereAreCases() {
        #expect(CaseFile.all(area: "policy").count >= 141)
    }
}

/// One case, brought to the types of the policy.
struct PolicyCaseRun {
    let json: JSONValue
    /// What is put in the place of the rules of the evaluator.
    var fault = SeededFault.none

    private static let routes = Result { try RouteTable(document: try YAMLText.json(BuiltInPolicy.routesYAML)) }

    /// What of a decision is not as the case expects it.
    static func differences(_ decision: PolicyDecision, _ expect: JSONValue) -> [String] {
        var found: [String] = []
        func compare(_ name: String, _ value: JSONValue, isOptional: Bool = true) {
            // What the case leaves out of these is null: absent codes are no codes.
            let wanted = isOptional ? expect[name] : Optional(expect[name] ?? JSONValue.null)
            guard let wanted, wanted != value else { return }
            found.append("\(name): \(value.jsonText), not \(wanted.jsonText)")
        }
        compare("allow", .bool(decision.allow), isOptional: false)
        compare("code", .optional(decision.refusal?.code.rawValue), isOptional: false)
        compare("reasons", .strings(decision.reasons), isOptional: false)
        compare("permission", .optional(decision.permission))
        compare("matched_route", .optional(decision.matchedRoute))
        compare("effective_roles", .strings(decision.effectiveRoles))
        return found
    }

    private var settings: JSONValue { json["settings"] ?? [:] }

    /// The shipped roles with those of the case merged by name.
    private func rolesDocument() throws -> JSONValue {
        var document = try #require(try JSONParser.parse(text: BuiltInPolicy.rolesJSON).objectValue)
        var roles = try #require(document["roles"]?.objectValue)
        for member in settings["roles"]?.objectValue?.members ?? [] { roles[member.name] = member.value }
        document["roles"] = .object(roles)
        return .object(document)
    }

    func expectRefusedRoles(_ expect: JSONValue) throws {
        let document = try rolesDocument()
        let error = #expect(throws: RoleTableError.self) { try RoleTable(document: document) }
        #expect(error?.refusal.details?["problems"] == expect["problems"])
        #expect(error?.refusal.code.rawValue == expect["code"]?.stringValue)
    }

    func decision() throws -> PolicyDecision {
        let (policy, progress) = try progress()
        switch progress {
        case .decided(let decision): return decision
        case .open(let question): return policy.decide(question)
        }
    }

    /// The case up to the question of rights.
    ///
    /// - Parameter withRules: whether the AuthConfig's rules are there.
    func progress(withRules: Bool = true) throws -> (policy: CompiledPolicy, progress: PolicyProgress) {
        let user = settings["DEFAULT_USER_ROLE"]?.stringValue ?? "editor"
        let policy = try CompiledPolicy(
            roles: try RoleTable(document: try rolesDocument()), routes: try Self.routes.get(),
            settings: PolicySettings(
                defaultUserRole: user,
                defaultKeycloakTenantRole: settings["DEFAULT_KEYCLOAK_TENANT_ROLE"]?.stringValue,
                roleCheckEnabled: settings["OPA_ENABLED"]?.boolValue ?? true),
            checks: fault.checks)
        let host = HostPolicy(
            routes: try settings["routes"].map { try RouteTable(document: $0, source: .authConfig) },
            builtinRoutes: settings["builtinRoutes"]?.boolValue ?? true,
            scopes: settings["scopes"] == "enforce" ? .enforce : .ignore,
            ownership: settings["ownership"] == "required" ? .required : .standard,
            rules: try !withRules ? nil : settings["rules"]?.arrayValue.map { try RuleSet(document: $0) })
        let resource = json["resource"]
        let query = PolicyQuery(
            action: json["action"]?.stringValue,
            resource: ResourceAttributes(
                type: resource?["type"]?.stringValue, id: resource?["id"]?.stringValue,
                owner: resource?["owner"]?.stringValue, tenant: resource?["tenant"]?.stringValue,
                project: resource?["project"]?.stringValue),
            surface: settings["surface"] == "own" ? .own : .workload,
            authenticationDisabled: settings["mode"] == "disabled", host: host, shares: try shares(), now: try now(),
            facts: facts())
        var match: RouteMatch?
        if let request = json["request"] {
            switch CanonicalPath.parse(try #require(request["path"]?.stringValue)) {
            case .failure(let fault): return (policy, .decided(policy.decision(for: fault)))
            case .success(let path):
                match = policy.match(
                    method: fault.method(try #require(request["method"]?.stringValue)), path: path, host: host)
            }
        }
        return (policy, policy.prepare(subject: subject(), query: query, match: match))
    }

    private func now() throws -> Timestamp {
        guard let text = settings["now"]?.stringValue else { return Timestamp(seconds: 1_772_366_400) }
        return try #require(Timestamp(rfc3339: text))
    }

    private func facts() -> RuleFacts? {
        guard let request = json["request"] else { return nil }
        let target = request["path"]?.stringValue ?? ""
        return RuleFacts(
            method: request["method"]?.stringValue ?? "", path: target,
            remoteIP: request["remoteIp"]?.stringValue.flatMap { IPAddress($0) },
            headers: HeaderList(
                (request["headers"]?.objectValue?.members ?? []).map { ($0.name, $0.value.stringValue ?? "") }),
            claims: json["principal"]?["claims"]?.objectValue ?? JSONObject())
    }

    /// The accepted share records, which are all of the principal's tenant.
    private func shares() throws -> ShareTable {
        var shares: [ShareTable.Key: [AcceptedShare]] = [:]
        for record in settings["projectAccess"]?.arrayValue ?? [] where record["state"] == "accepted" {
            func text(_ name: String) throws -> String { try #require(record[name]?.stringValue) }
            var permissions: SharePermissions = []
            for name in record["permissions"]?.arrayValue?.compactMap(\.stringValue) ?? [] {
                switch name {
                case "read": permissions.insert(.read)
                case "use": permissions.insert(.use)
                default: permissions.insert(.manage)
                }
            }
            let key = ShareTable.Key(
                tenant: json["principal"]?["tenant"]?.stringValue ?? "", type: try text("resource_type"),
                id: try text("resource_id"), project: try text("project"))
            shares[key, default: []].append(
                AcceptedShare(
                    ownerProject: try text("owner_project"), permissions: permissions,
                    expiresAt: record["expires_at"]?.stringValue.flatMap { Timestamp(rfc3339: $0) }))
        }
        return ShareTable(shares)
    }

    private func subject() -> PolicySubject? {
        guard let principal = json["principal"], !principal.isNull else { return nil }
        func texts(_ name: String) -> [String] { principal[name]?.arrayValue?.compactMap(\.stringValue) ?? [] }
        return PolicySubject(
            id: principal["id"]?.stringValue ?? "", roles: texts("roles"), tenant: principal["tenant"]?.stringValue,
            project: principal["project"]?.stringValue, authSource: principal["auth_source"]?.stringValue ?? "",
            platform: principal["platform"]?.boolValue ?? false, scopes: texts("scopes"),
            scoped: principal["scopes"] != nil)
    }
}
