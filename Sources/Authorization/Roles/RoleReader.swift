// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Reads the role document and collects every problem on the way.
struct RoleReader {
    private(set) var problems: Set<RoleProblem> = []
    /// Sorted by name.
    private(set) var roles: [RoleTable.Role] = []
    private(set) var publicActions: [String] = []
    private(set) var apiKeyDefaultScopes: [String] = []

    private static let maximumRoles = 512
    private static let maximumPermissions = 512
    private static let maximumLinks = 16

    /// By role, then by problem.
    var sortedProblems: [RoleProblem] {
        problems.sorted { ($0.role, $0.problem.rawValue) < ($1.role, $1.problem.rawValue) }
    }

    mutating func read(_ document: JSONValue) {
        guard let object = document.objectValue, let members = object["roles"]?.objectValue else {
            report("", .badType)
            return
        }
        for name in object.names where !["roles", "public_endpoints", "api_key_default_scopes"].contains(name) {
            report("", .unknownMember)
        }
        if members.count > Self.maximumRoles {
            report("", .tooMany)
            return
        }
        for member in members.members { readRole(member.name, member.value) }
        roles.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        checkChains()
        publicActions = texts(object["public_endpoints"])
        apiKeyDefaultScopes = texts(object["api_key_default_scopes"])
        if !apiKeyDefaultScopes.allSatisfy({ PermissionName.isValid($0, allowingWildcard: true) }) {
            report("", .badPermission)
        }
    }

    private mutating func report(_ role: String, _ code: RoleProblem.Code) {
        problems.insert(RoleProblem(role: role, problem: code))
    }

    private mutating func texts(_ value: JSONValue?) -> [String] {
        guard let value else { return [] }
        guard let elements = value.arrayValue, elements.count <= Self.maximumPermissions else {
            report("", .badType)
            return []
        }
        let list = elements.compactMap(\.stringValue)
        if list.count != elements.count { report("", .badType) }
        return list
    }

    private mutating func readRole(_ name: String, _ value: JSONValue) {
        if !PermissionName.isRoleName(name) { report(name, .badName) }
        guard let object = value.objectValue else {
            report(name, .badType)
            return
        }
        for member in object.names where !["description", "inherits", "permissions"].contains(member) {
            report(name, .unknownMember)
        }
        let description = optionalText(object["description"], of: name)
        let inherits = optionalText(object["inherits"], of: name)
        var permissions: [String] = []
        switch object["permissions"] {
        case nil, .null?: break
        case .array(let elements)?:
            if elements.count > Self.maximumPermissions { report(name, .tooMany) }
            permissions = elements.compactMap(\.stringValue)
            if permissions.count != elements.count
                || !permissions.allSatisfy({ PermissionName.isValid($0, allowingWildcard: true) })
            {
                report(name, .badPermission)
            }
        default: report(name, .badType)
        }
        if inherits == nil, permissions.isEmpty { report(name, .empty) }
        roles.append(
            RoleTable.Role(name: name, description: description, inherits: inherits, permissions: permissions))
    }

    private mutating func optionalText(_ value: JSONValue?, of role: String) -> String? {
        switch value {
        case nil, .null?: return nil
        case .string(let text)?: return text
        default:
            report(role, .badType)
            return nil
        }
    }

    private mutating func checkChains() {
        let byName = Dictionary(roles.map { ($0.name, $0) }) { first, _ in first }
        for role in roles {
            if let parent = role.inherits, byName[parent] == nil { report(role.name, .unknownParent) }
            var links = 0
            var current = role
            // A chain longer than all roles together comes back to one of them.
            while let parent = current.inherits.flatMap({ byName[$0] }), links <= roles.count {
                links += 1
                current = parent
            }
            if links > roles.count {
                report(role.name, .cycle)
            } else if links > Self.maximumLinks {
                report(role.name, .tooDeep)
            }
        }
    }
}
