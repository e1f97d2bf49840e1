// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials
internal import RuntimeState

/// The policy data in the JSON of its endpoints.
enum PolicyJSON {
    /// `{role_name, role, metadata}`
    static func answer(_ role: RoleTable.Role, _ state: PolicyState, engine: PolicyEngineReport) -> JSONObject {
        [
            "role_name": .string(role.name), "role": self.role(role, state.policy.roles),
            "metadata": metadata(state, engine: engine),
        ]
    }

    /// Every role with what it comes to, and every permission there is.
    static func matrix(_ state: PolicyState, engine: PolicyEngineReport) -> JSONObject {
        let table = state.policy.roles
        var byResource: [String: [String]] = [:]
        for permission in table.permissions {
            byResource[String(permission.prefix { $0 != ":" }), default: []].append(permission)
        }
        let resources = ASCII.sortedByBytes(byResource.keys)
        return [
            "roles": .object(JSONObject(table.roles.map { ($0.name, role($0, table)) })),
            "permissions": .strings(table.permissions),
            "permissions_by_resource": .object(JSONObject(resources.map { ($0, .strings(byResource[$0] ?? [])) })),
            "metadata": metadata(state, engine: engine),
        ]
    }

    /// What is in force, since when, and what is wrong with what is not.
    static func status(_ state: PolicyState, engine: PolicyEngineReport) -> JSONObject {
        let condition = state.condition
        return [
            "revision": .string(state.revision), "source": .string(state.origin.kind.rawValue),
            "location": .optional(state.origin.location.isEmpty ? nil : state.origin.location),
            "writable": .bool(state.origin.isWritable), "loaded_at": .string(state.loadedAt.rfc3339),
            "roles": .int(Int64(state.policy.roles.roles.count)),
            "routes": .int(Int64(state.policy.routes.rules.count)),
            "condition": [
                "type": "PolicyLoaded", "status": .string(condition.isTrue ? "True" : "False"),
                "reason": .string(condition.reason), "message": .string(condition.message),
            ],
            "last_error": state.lastError.map { failure in
                [
                    "at": .string(failure.at.rfc3339), "source": .string(failure.origin.kind.rawValue),
                    "location": .string(failure.origin.location),
                    "message": .string(failure.message), "problems": .array(failure.problems.map(\.json)),
                ]
            } ?? .null,
            "mode": .string(engine.mode.rawValue), "opa_local_mode": .bool(engine.isLocal),
            "breaker": engine.breaker.map(JSONValue.object) ?? .null,
        ]
    }

    /// The shipped or replaced route table, in order.
    static func routes(_ state: PolicyState) -> JSONObject {
        let table = state.policy.routes
        return [
            "revision": .string(state.revision), "source": .string(state.origin.kind.rawValue),
            "rules": .array(table.rules.map(rule)),
            "unreachable": .array(
                table.unreachable.map { route in
                    [
                        "rule": .int(Int64(route.rule)), "covered_by": .int(Int64(route.coveredBy)),
                        "message": .string(route.message),
                    ]
                }),
        ]
    }

    /// A role as it is written.
    static func definition(_ role: RoleTable.Role) -> JSONValue {
        [
            "description": .optional(role.description), "inherits": .optional(role.inherits),
            "permissions": .strings(role.permissions),
        ]
    }

    private static func role(_ role: RoleTable.Role, _ table: RoleTable) -> JSONValue {
        [
            "description": .optional(role.description), "permissions": .strings(role.permissions),
            "inherits": .optional(role.inherits),
            "effective_permissions": .strings(table.permissions(ofRole: role.name)),
        ]
    }

    private static func metadata(_ state: PolicyState, engine: PolicyEngineReport) -> JSONValue {
        [
            "revision": .string(state.revision), "source": .string(state.origin.kind.rawValue),
            "writable": .bool(state.origin.isWritable), "updated_at": .string(state.loadedAt.rfc3339),
            "opa_local_mode": .bool(engine.isLocal),
        ]
    }

    private static func rule(_ rule: RouteRule) -> JSONValue {
        [
            "index": .int(Int64(rule.index)),
            "display": .string("\(rule.methods.joined(separator: ", ")) \(rule.path)"),
            "methods": .strings(rule.methods), "path": .string(rule.path), "permission": .optional(rule.permission),
            "public": .bool(rule.isPublic), "authenticated": .bool(rule.isAuthenticatedOnly),
            "platform": .bool(rule.platform), "ownership": .optional(rule.ownershipRequired ? "required" : nil),
            "type": .optional(rule.type), "signed": .optional(rule.signed), "audit": .string(rule.auditAction),
        ]
    }
}
