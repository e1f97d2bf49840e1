// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials
internal import TestSupport

/// Role data for questions: the shipped one, and some with chains, wildcards and without an administrator.
enum RoleDocuments {
    private static let routes = Result { try YAMLText.json(BuiltInPolicy.routesYAML) }

    static func all() throws -> [JSONValue] {
        let shipped = try JSONParser.parse(text: BuiltInPolicy.rolesJSON)
        var chain: JSONObject = ["editor": ["permissions": ["tasks:*", "admin:tokens:*"]]]
        for number in 1...15 {
            chain["link-\(number)"] = ["inherits": .string(number == 1 ? "editor" : "link-\(number - 1)")]
        }
        chain["boss"] = ["inherits": "link-9", "permissions": ["x:y:*", "workers:delete"]]
        chain["admin"] = ["inherits": "boss", "permissions": ["admin:*"]]
        var wild = shipped.objectValue ?? JSONObject()
        var roles = wild["roles"]?.objectValue ?? JSONObject()
        roles["task-master"] = ["permissions": ["tasks:*", "codebases:*"]]
        roles["token-reader"] = ["inherits": "task-master", "permissions": ["admin:tokens:*", "x:y:write"]]
        wild["roles"] = .object(roles)
        let rest: JSONObject = ["public_endpoints": ["health"], "api_key_default_scopes": ["tasks:read"]]
        func document(_ roles: JSONValue) -> JSONValue {
            var document = rest
            document["roles"] = roles
            return .object(document)
        }
        return [
            shipped, .object(wild), document(.object(chain)),
            // Without an administrator.
            document([
                "editor": ["permissions": ["tasks:read", "tasks:write", "codebases:*"]], "user": ["inherits": "editor"],
            ]),
        ]
    }

    /// The shipped routes with those roles.
    static func policy(_ roles: JSONValue, checksRoles: Bool) throws -> CompiledPolicy {
        try CompiledPolicy.compile(
            rolesDocument: roles, routesDocument: routes.get(), settings: PolicySettings(roleCheckEnabled: checksRoles))
    }
}
