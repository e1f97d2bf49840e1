// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials
internal import TestSupport
internal import Testing

/// Runs every case of `Tests/Cases/policy*.json`.
@Suite struct PolicyCases {
    /// Settings whose subject is not built yet, each with the reason. Cases that use one are counted in the output.
    static let pending: [(setting: String, reason: String)] = [
        ("rules", "inline rules of an AuthConfig are not part of the product yet"),
        ("projectAccess", "shares between projects are not part of the product yet"),
        ("OPA_ENABLED", "switching the role check off is not part of the product yet"),
    ]

    static func reason(_ record: CaseRecord) -> String? {
        pending.first { record.json["settings"]?[$0.setting] != nil }?.reason
    }

    @Test(arguments: CaseFile.all(area: "policy"))
    func holds(_ record: CaseRecord) throws {
        if let reason = Self.reason(record) {
            print("pending: \(record.id): \(reason)")
            return
        }
        let run = PolicyCaseRun(json: record.json)
        let expect = record.expect
        if expect["code"] == "policy.roles_invalid" {
            try run.expectRefusedRoles(expect)
            return
        }
        let decision = try run.decision()
        #expect(decision.allow == expect["allow"]?.boolValue)
        #expect(decision.refusal?.code.rawValue == expect["code"]?.stringValue)
        #expect(.strings(decision.reasons) == expect["reasons"])
        if let permission = expect["permission"] { #expect(.optional(decision.permission) == permission) }
        if let route = expect["matched_route"] { #expect(.optional(decision.matchedRoute) == route) }
        if let roles = expect["effective_roles"] { #expect(.strings(decision.effectiveRoles) == roles) }
        #expect(decision.json.names.count == 8)
    }

    @Test func countsWhatIsPending() {
        let cases = CaseFile.all(area: "policy")
        let waiting = cases.filter { Self.reason($0) != nil }
        print("policy: \(cases.count) cases, \(waiting.count) pending: \(waiting.map(\.id).joined(separator: ", "))")
        #expect(!cases.isEmpty)
        #expect(waiting.count < cases.count)
    }
}

/// One case, brought to the types of the policy.
private struct PolicyCaseRun {
    let json: JSONValue

    private static let routesDocument = Result { try YAMLText.json(BuiltInPolicy.routesYAML) }

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
        let user = settings["DEFAULT_USER_ROLE"]?.stringValue ?? "editor"
        let policy = try CompiledPolicy.compile(
            rolesDocument: try rolesDocument(), routesDocument: try Self.routesDocument.get(),
            settings: PolicySettings(
                defaultUserRole: user,
                defaultKeycloakTenantRole: settings["DEFAULT_KEYCLOAK_TENANT_ROLE"]?.stringValue))
        let host = HostPolicy(
            routes: try settings["routes"].map { try RouteTable(document: $0, source: .authConfig) },
            builtinRoutes: settings["builtinRoutes"]?.boolValue ?? true,
            scopes: settings["scopes"] == "enforce" ? .enforce : .ignore,
            ownership: settings["ownership"] == "required" ? .required : .standard)
        let resource = json["resource"]
        let query = PolicyQuery(
            action: json["action"]?.stringValue,
            resource: ResourceAttributes(
                type: resource?["type"]?.stringValue, id: resource?["id"]?.stringValue,
                owner: resource?["owner"]?.stringValue, tenant: resource?["tenant"]?.stringValue,
                project: resource?["project"]?.stringValue),
            surface: settings["surface"] == "own" ? .own : .workload,
            authenticationDisabled: settings["mode"] == "disabled", host: host)
        var match: RouteMatch?
        if let request = json["request"] {
            switch CanonicalPath.parse(try #require(request["path"]?.stringValue)) {
            case .failure(let fault): return policy.decision(for: fault)
            case .success(let path):
                match = policy.match(
                    method: try #require(request["method"]?.stringValue), path: path, host: host)
            }
        }
        return policy.decide(subject: subject(), query: query, match: match)
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
