// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials
internal import Pipeline
internal import RuntimeState

/// The policy endpoints: roles, status, the route table, and a check of documents that are stored nowhere.
package struct PolicyRoutes: OwnAPIModule {
    private let service: any PolicyDataService
    private let engine: @Sendable () -> PolicyEngineReport

    /// 512 permissions of 128 bytes each, with their description.
    private static let roleBytes = 128 * 1024
    /// Both documents, each as large as it may be.
    private static let documentBytes = 2 * PolicyTexts.maximumBytes

    private static let base = "/v1/admin/policy"

    /// - Parameter engine: how questions are answered at the moment.
    package init(
        service: any PolicyDataService, engine: @escaping @Sendable () -> PolicyEngineReport = { .local }
    ) {
        self.service = service
        self.engine = engine
    }

    package var routes: [OwnRoute] { reading + roles }

    private var reading: [OwnRoute] {
        [
            OwnRoute("GET", Self.base + "/rbac", .read) { call throws(Refusal) in
                _ = try call.query.object(known: [])
                return .json(PolicyJSON.matrix(service.state, engine: engine()))
            },
            OwnRoute("GET", Self.base + "/status", .read) { call throws(Refusal) in
                _ = try call.query.object(known: [])
                return .json(PolicyJSON.status(service.state, engine: engine()))
            },
            OwnRoute("GET", Self.base + "/routes", .read) { call throws(Refusal) in
                _ = try call.query.object(known: [])
                return .json(PolicyJSON.routes(service.state))
            },
            // It changes nothing, so it is recorded like a read.
            OwnRoute("POST", Self.base + "/validate", .read, bodyBytes: Self.documentBytes) { call throws(Refusal) in
                var document = call.body
                let routes = document["routes"]
                document["routes"] = nil
                let hasRoles = !document.isEmpty || routes == nil
                let problems = service.problems(roles: hasRoles ? .object(document) : nil, routes: routes)
                return .json(["valid": .bool(problems.isEmpty), "problems": .array(problems.map(\.json))])
            },
        ]
    }

    private var roles: [OwnRoute] {
        let pattern = Self.base + "/roles/{role}"
        return [
            OwnRoute("GET", pattern, .read) { call throws(Refusal) in
                let state = service.state
                let name = call.captures[0]
                guard let role = state.policy.roles.roles.first(where: { $0.name == name }) else {
                    throw Refusal(.policyRoleNotFound, details: ["role": .string(name)])
                }
                return .json(PolicyJSON.answer(role, state, engine: engine()))
            },
            OwnRoute("PUT", pattern, .write, bodyBytes: Self.roleBytes) { call throws(Refusal) in
                let edit = RoleEdit.put(call.captures[0], try Self.definition(call.body))
                let change = try await service.change(edit, onRevision: try Self.revisions(call))
                guard let role = change.after else { throw Refusal(.internalError) }
                var answer = OwnAnswer.json(PolicyJSON.answer(role, change.state, engine: engine()))
                answer.record(change, role: call.captures[0])
                return answer
            },
            OwnRoute("DELETE", pattern, .write) { call throws(Refusal) in
                try BodyReader.checkMembers(of: call.body, known: [])
                let change = try await service.change(
                    .delete(call.captures[0]), onRevision: try Self.revisions(call))
                var answer = OwnAnswer.noContent
                answer.record(change, role: call.captures[0])
                return answer
            },
        ]
    }

    /// The body of a PUT. What a role may be is judged with the whole set, not here.
    private static func definition(_ body: JSONObject) throws(Refusal) -> RoleDefinition {
        var reader = FieldReader()
        try reader.checkMembers(of: body, known: ["description", "inherits", "permissions"])
        let description = reader.text(body, "description", required: true) ?? ""
        let inherits = reader.text(body, "inherits")
        var permissions: [String] = []
        switch body["permissions"] {
        case .none, .null: break
        case .array(let elements):
            permissions = elements.compactMap(\.stringValue)
            if permissions.count != elements.count { reader.fault("permissions", "not a list of texts") }
        case .some: reader.fault("permissions", "not a list of texts")
        }
        try reader.finish()
        return RoleDefinition(description: description, inherits: inherits, permissions: permissions)
    }

    /// The revisions of `If-Match`, quoted as entity tags or bare; nil without the header and for `*`.
    private static func revisions(_ call: OwnCall) throws(Refusal) -> [String]? {
        switch call.exchange.headers.lookup("if-match") {
        case .absent: return nil
        case .several: throw Refusal(.requestDuplicateHeader, details: ["header": "if-match"])
        case .one(let text):
            let tags = text.split(separator: ",").map { ASCII.trimmed($0) }
            if tags == ["*"] { return nil }
            return tags.map { tag in
                tag.utf8.count >= 2 && tag.hasPrefix("\"") && tag.hasSuffix("\"")
                    ? String(tag.dropFirst().dropLast()) : tag
            }
        }
    }
}

extension OwnAnswer {
    /// Notes for the audit what was changed.
    fileprivate mutating func record(_ change: PolicyChange, role: String) {
        auditResource = "role/\(role)"
        auditMetadata["before"] = change.before.map { PolicyJSON.definition($0) } ?? .null
        auditMetadata["after"] = change.after.map { PolicyJSON.definition($0) } ?? .null
        auditMetadata["revision_before"] = .string(change.revisionBefore)
        auditMetadata["revision"] = .string(change.state.revision)
    }
}
