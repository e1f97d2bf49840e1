// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Authorization
internal import Essentials
internal import Foundation
internal import HTTPService
internal import HTTPTypes
internal import Logging
internal import MetricsTestKit
internal import Reconcilers
internal import RuntimeState
internal import TestSupport
internal import Testing

/// The policy endpoints over files.
@Suite struct PolicyRoutesTests {
    private let folder: TemporaryDirectory
    private let keeper: PolicyKeeper
    private let gate: Gate
    private static let roles = "/v1/admin/policy/roles/"

    init() throws {
        folder = try TemporaryDirectory()
        try folder.write(BuiltInPolicy.rolesJSON, to: "data.json")
        try folder.write(BuiltInPolicy.routesYAML, to: "routes.yaml")
        (keeper, gate) = try Self.world([FolderPolicySource(folder: folder.path)])
    }

    private static func world(_ sources: [any PolicySource]) throws -> (PolicyKeeper, Gate) {
        let metrics = TestMetrics()
        let keeper = try PolicyKeeper(
            sources: sources, settings: PolicySettings(), readYAML: PolicyYAML.document,
            snapshots: SnapshotStore(metricsFactory: metrics), clock: ManualClock(),
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }), metricsFactory: metrics)
        var gate = Gate()
        gate.modules = [
            PolicyRoutes(service: keeper) {
                PolicyEngineReport(mode: .sidecar, isLocal: false, breaker: ["state": "open"])
            }
        ]
        return (keeper, gate)
    }

    private var revision: String { keeper.state.revision }

    @Test func theMatrixShowsEveryRoleWithWhatItComesTo() async throws {
        let reply = try await gate.send(.get, "/v1/admin/policy/rbac")
        #expect(reply.status == 200)
        let editor = reply.json["roles"]?["editor"]
        #expect(editor?["inherits"] == "viewer")
        #expect(editor?["permissions"]?.arrayValue?.count == 14)
        #expect(editor?["effective_permissions"]?.arrayValue?.count == 30)
        #expect(reply.json["roles"]?.objectValue?.count == 9)
        let permissions = reply.json["permissions"]?.arrayValue ?? []
        #expect(permissions.contains("admin:tokens:read"))
        let byResource = reply.json["permissions_by_resource"]?.objectValue
        #expect(byResource?.members.flatMap { $0.value.arrayValue ?? [] }.count == permissions.count)
        #expect(byResource?["queue"]?.arrayValue?.contains("queue:read") == true)
        #expect(
            reply.json["metadata"] == [
                "revision": .string(revision), "source": "files", "writable": true,
                "updated_at": "2026-03-01T12:00:00Z", "opa_local_mode": false,
            ])
    }

    @Test func oneRoleIsShown() async throws {
        let reply = try await gate.send(.get, Self.roles + "user")
        #expect(reply.json["role_name"] == "user")
        #expect(reply.json["role"]?["description"] == "Alias of viewer")
        #expect(reply.json["role"]?["permissions"] == [])
        #expect(reply.json["role"]?["effective_permissions"]?.arrayValue?.count == 16)
        #expect(reply.json["metadata"]?["writable"] == true)
        let none = try await gate.send(.get, Self.roles + "nobody")
        #expect(none.status == 404 && none.code == "policy.role_not_found" && none.message == "Role not found")
        #expect(none.json["details"] == ["role": "nobody"])
    }

    @Test func aRoleIsPutTwiceWithTheSameAnswerAndRecorded() async throws {
        let before = revision
        let body =
            #"{"description":"Nights","inherits":"viewer","permissions":["tasks:write","queue:write","tasks:write"]}"#
        let first = try await gate.send(.put, Self.roles + "night", [("if-match", "\"\(before)\"")], body: body)
        #expect(first.status == 200)
        #expect(first.json["role"]?["permissions"] == ["queue:write", "tasks:write"])
        #expect(first.json["role"]?["effective_permissions"]?.arrayValue?.count == 18)
        #expect(first.json["metadata"]?["revision"] == .string(revision))
        #expect(revision != before)
        let second = try await gate.send(.put, Self.roles + "night", body: body)
        #expect(second.status == 200 && second.json == first.json)
        let draft = try #require(gate.audit.durable.first)
        #expect(draft.resource == "role/night")
        #expect(draft.metadata["before"] == .null)
        #expect(
            draft.metadata["after"]
                == ["description": "Nights", "inherits": "viewer", "permissions": ["queue:write", "tasks:write"]])
        #expect(draft.metadata["revision_before"] == .string(before))
        #expect(draft.metadata["revision"] == .string(revision))
        // The next start reads what was written.
        let (again, _) = try Self.world([FolderPolicySource(folder: folder.path)])
        #expect(again.state.revision == revision)
    }

    @Test func aRoleIsDeletedAndRecorded() async throws {
        let reply = try await gate.send(.delete, Self.roles + "user", [("if-match", revision)])
        #expect(reply.status == 204 && reply.text.isEmpty)
        #expect(!keeper.state.policy.roles.isKnown("user"))
        let draft = try #require(gate.audit.durable.first)
        #expect(
            draft.metadata["before"] == ["description": "Alias of viewer", "inherits": "viewer", "permissions": []])
        #expect(draft.metadata["after"] == .null)
        #expect(try await gate.send(.delete, Self.roles + "user").status == 404)
    }

    @Test(arguments: [
        (
            "PUT", "night", #"{"description":"d","permissions":["*"]}"#, 422, "policy.roles_invalid",
            "The role data is invalid: night: bad_permission"
        ),
        (
            "PUT", "night", #"{"description":"d"}"#, 422, "policy.roles_invalid",
            "The role data is invalid: night: empty"
        ),
        (
            "PUT", "night", #"{"description":"d","inherits":"none"}"#, 422, "policy.roles_invalid",
            "The role data is invalid: night: unknown_parent"
        ),
        (
            "PUT", "Night", #"{"description":"d","inherits":"viewer"}"#, 422, "policy.roles_invalid",
            "The role data is invalid: Night: bad_name"
        ),
        ("PUT", "viewer", #"{"description":"d","inherits":"user"}"#, 422, "policy.roles_invalid", ""),
        ("PUT", "night", #"{"inherits":"viewer"}"#, 422, "request.invalid", "description: required"),
        (
            "PUT", "night", #"{"description":"d","permissions":"tasks:read"}"#, 422, "request.invalid",
            "permissions: not a list of texts"
        ),
        (
            "PUT", "night", #"{"description":"d","permissions":[7]}"#, 422, "request.invalid",
            "permissions: not a list of texts"
        ),
        ("PUT", "night", #"{"description":7,"inherits":[]}"#, 422, "request.invalid", "description: not a text"),
        ("PUT", "night", #"{"description":"d","scopes":[]}"#, 400, "request.malformed", "Unknown member: scopes"),
        ("PUT", "night", "[]", 400, "request.malformed", "The body must be a JSON object, not a list"),
        ("DELETE", "night", "", 404, "policy.role_not_found", "Role not found"),
        ("DELETE", "viewer", "", 409, "policy.role_in_use", "Other roles inherit from viewer: editor, user"),
        (
            "DELETE", "editor", "", 409, "policy.role_in_use",
            "Other roles inherit from editor: a2a-user, developer, operator"
        ),
        ("DELETE", "user", #"{"why":1}"#, 400, "request.malformed", "Unknown member: why"),
        (
            "PUT", "admin", #"{"description":"d","inherits":"viewer"}"#, 409, "policy.lockout",
            "After this change no role would grant admin:manage_policies"
        ),
        ("POST", "admin", "{}", 405, "request.method_not_allowed", ""),
    ])
    func refuses(method: String, role: String, body: String, status: Int, code: String, message: String) async throws {
        let before = try String(contentsOfFile: folder.path("data.json"), encoding: .utf8)
        let reply = try await gate.send(
            .init(rawValue: method) ?? .get, Self.roles + role, body: body.isEmpty ? nil : body)
        #expect(reply.status == status && reply.code == code)
        if !message.isEmpty { #expect(reply.message == message) }
        #expect(try String(contentsOfFile: folder.path("data.json"), encoding: .utf8) == before)
        #expect(keeper.state.policy.roles.roles.count == 9)
    }

    @Test func theWholeSetsProblemsAreListed() async throws {
        let reply = try await gate.send(.put, Self.roles + "viewer", body: #"{"description":"d","inherits":"user"}"#)
        let roles = (reply.json["details"]?["problems"]?.arrayValue ?? []).compactMap { $0["role"]?.stringValue }
        #expect(roles == roles.sorted() && roles.count == 8)
        #expect(reply.json["details"]?["problems"]?.arrayValue?.allSatisfy { $0["problem"] == "cycle" } == true)
    }

    @Test(arguments: ["\"0000000000000000\"", "0000000000000000", "", "\"", "\"x\", y"])
    func anotherRevisionIsStale(given: String) async throws {
        for method in ["PUT", "DELETE"] {
            let reply = try await gate.send(
                .init(rawValue: method) ?? .get, Self.roles + "user", [("if-match", given)],
                body: method == "PUT" ? #"{"description":"d","inherits":"viewer"}"# : nil)
            #expect(reply.status == 412 && reply.code == "policy.stale_revision")
            #expect(reply.message == "The policy data has changed since that revision")
            #expect(reply.json["details"] == ["revision": .string(revision)])
        }
    }

    @Test func anyOfSeveralRevisionsWillDo() async throws {
        let body = #"{"description":"d","inherits":"viewer"}"#
        for given in ["*", "\"x\", \"\(revision)\"", "x,\(revision)"] {
            #expect(try await gate.send(.put, Self.roles + "user", [("if-match", given)], body: body).status == 200)
            #expect(
                try await gate.send(
                    .put, Self.roles + "user", body: #"{"description":"Alias of viewer","inherits":"viewer"}"#
                ).status == 200)
        }
        let twice = try await gate.send(
            .put, Self.roles + "user", [("if-match", revision), ("if-match", revision)], body: body)
        #expect(twice.status == 400 && twice.code == "request.duplicate_header")
    }

    @Test func readOnlySourcesSayWhere() async throws {
        let (_, gate) = try Self.world([])
        for method in ["PUT", "DELETE"] {
            let reply = try await gate.send(
                .init(rawValue: method) ?? .get, Self.roles + "user",
                body: method == "PUT" ? #"{"description":"d","inherits":"viewer"}"# : nil)
            #expect(reply.status == 409 && reply.code == "policy.read_only")
            #expect(
                reply.message
                    == "The policy data is the built-in copy: to change roles, put data.json and routes.yaml in a directory and name it in TOLLGATE_POLICY_DIR"
            )
        }
        #expect(try await gate.send(.get, Self.roles + "user").json["metadata"]?["writable"] == false)
    }

    @Test func dataThatCannotBeStoredIsUnavailable() async throws {
        let service = BrokenPolicyData(state: keeper.state)
        var gate = Gate()
        gate.modules = [PolicyRoutes(service: service)]
        let reply = try await gate.send(
            .put, Self.roles + "user", body: #"{"description":"d","inherits":"viewer"}"#)
        #expect(reply.status == 503 && reply.code == "policy.unavailable")
    }

    @Test func statusShowsTheLastGoodAndWhatIsWrong() async throws {
        let fine = try await gate.send(.get, "/v1/admin/policy/status")
        #expect(
            fine.json == [
                "revision": .string(revision), "source": "files", "location": .string(folder.path), "writable": true,
                "loaded_at": "2026-03-01T12:00:00Z", "roles": 9,
                "routes": .int(Int64(keeper.state.policy.routes.rules.count)),
                "condition": [
                    "type": "PolicyLoaded", "status": "True", "reason": "Loaded",
                    "message": .string("revision \(revision)"),
                ],
                "last_error": nil, "mode": "sidecar", "opa_local_mode": false, "breaker": ["state": "open"],
            ])
        try folder.write(#"{"roles": {"editor": {}}}"#, to: "data.json")
        await keeper.refresh()
        let broken = try await gate.send(.get, "/v1/admin/policy/status")
        #expect(broken.json["revision"] == .string(revision))
        #expect(broken.json["condition"]?["status"] == "False")
        #expect(broken.json["condition"]?["reason"] == "InvalidPolicy")
        #expect(
            broken.json["last_error"]?["problems"]
                == [["document": "data.json", "role": "editor", "problem": "empty"]])
        #expect(broken.json["last_error"]?["at"] == "2026-03-01T12:00:00Z")
        let change = try await gate.send(
            .put, Self.roles + "user", body: #"{"description":"d","inherits":"viewer"}"#)
        #expect(change.status == 409 && change.code == "policy.read_only")
        let local = PolicyEngineReport.local
        #expect(local.mode == .local && local.isLocal && local.breaker == nil)
    }

    @Test func theTableInForceIsShownInOrder() async throws {
        try folder.write(
            """
            version: 1
            rules:
              - {methods: [GET, PUT], path: "/a/{id}", permission: "tasks:read", platform: true, ownership: required, type: task}
              - {methods: [GET], path: "/a/b", authenticated: true}
              - {methods: ["*"], path: "/hook", public: true, signed: stripe, audit: hook}
            """, to: "routes.yaml")
        await keeper.refresh()
        let reply = try await gate.send(.get, "/v1/admin/policy/routes")
        let rules = reply.json["rules"]?.arrayValue ?? []
        #expect(
            rules.first == [
                "index": 0, "display": "GET, PUT /a/{id}", "methods": ["GET", "PUT"], "path": "/a/{id}",
                "permission": "tasks:read", "public": false, "authenticated": false, "platform": true,
                "ownership": "required", "type": "task", "signed": nil, "audit": "tasks.read",
            ])
        #expect(rules.map { $0["display"] } == ["GET, PUT /a/{id}", "GET /a/b", "* /hook"])
        #expect(rules.last?["public"] == true && rules.last?["signed"] == "stripe" && rules.last?["audit"] == "hook")
        #expect(
            reply.json["unreachable"] == [
                [
                    "rule": 1, "covered_by": 0,
                    "message": "rule 2 (GET /a/b) can never match: rule 1 (GET, PUT /a/{id}) covers it",
                ]
            ])
        #expect(reply.json["revision"] == .string(revision))
    }

    @Test(arguments: [
        (#"{"roles":{"editor":{"permissions":["a:b"]}}}"#, #"{"valid":true,"problems":[]}"#),
        (#"{"routes":{"version":1,"rules":[]}}"#, #"{"valid":true,"problems":[]}"#),
        (
            #"{"roles":{"editor":{"permissions":["a:b"]}},"routes":{"version":2,"rules":[]},"more":1}"#,
            #"{"valid":false,"problems":[{"document":"data.json","role":"","problem":"unknown_member"},"#
                + #"{"document":"routes.yaml","member":"version","problem":"must be 1"}]}"#
        ),
        (
            #"{"roles":{"editor":{"inherits":"x2"},"b":{}}}"#,
            #"{"valid":false,"problems":[{"document":"data.json","role":"b","problem":"bad_name"},"#
                + #"{"document":"data.json","role":"b","problem":"empty"},"#
                + #"{"document":"data.json","role":"editor","problem":"unknown_parent"}]}"#
        ),
        ("{}", #"{"valid":false,"problems":[{"document":"data.json","role":"","problem":"bad_type"}]}"#),
    ])
    func validatesWithoutStoring(body: String, expected: String) async throws {
        let before = revision
        let reply = try await gate.send(.post, "/v1/admin/policy/validate", body: body)
        #expect(reply.status == 200)
        #expect(reply.text == expected)
        #expect(revision == before && gate.audit.durable.isEmpty)
    }

    @Test func bodiesHaveTheirOwnBounds() async throws {
        let filler = String(repeating: " ", count: 100_000)
        let valid = try await gate.send(
            .post, "/v1/admin/policy/validate", body: #"{"routes":{"version":1,"rules":[]}}"# + filler)
        #expect(valid.json["valid"] == true)
        let put = try await gate.send(
            .put, Self.roles + "user", body: #"{"description":"Alias of viewer","inherits":"viewer"}"# + filler)
        #expect(put.status == 200)
        let large = try await gate.send(.put, Self.roles + "user", body: "{}" + filler + filler)
        #expect(large.status == 413 && large.code == "request.too_large")
        let other = try await gate.send(.delete, Self.roles + "user", body: "{}" + filler)
        #expect(other.status == 413 && other.code == "request.too_large")
    }

    @Test(arguments: ["rbac", "status", "routes"])
    func unknownParametersAreRefused(name: String) async throws {
        let reply = try await gate.send(.get, "/v1/admin/policy/\(name)?x=1")
        #expect(reply.status == 400 && reply.code == "request.malformed" && reply.message == "Unknown parameter: x")
    }

    @Test func nothingIsChangedThatCannotBeRecorded() async throws {
        var gate = gate
        gate.audit = FakeAudit(isWritable: false)
        let before = revision
        let reply = try await gate.send(.delete, Self.roles + "user")
        #expect(reply.status == 503 && reply.code == "audit.unavailable")
        #expect(revision == before)
    }
}

/// Policy data on a full disk.
private struct BrokenPolicyData: PolicyDataService {
    let state: PolicyState

    func change(_ edit: RoleEdit, onRevision revisions: [String]?) async throws(Refusal) -> PolicyChange {
        throw Refusal(.policyUnavailable, message: "The policy data cannot be stored: No space left on device")
    }

    func problems(roles: JSONValue?, routes: JSONValue?) -> [PolicyProblem] { [] }
}
