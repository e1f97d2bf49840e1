// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// One change of the role document.
package enum RoleEdit: Sendable, Hashable {
    /// Adds the role or replaces it as a whole.
    case put(String, RoleDefinition)
    case delete(String)

    /// The role that is changed.
    package var role: String {
        switch self {
        case .put(let name, _), .delete(let name): name
        }
    }
}

/// What a role says.
package struct RoleDefinition: Sendable, Hashable {
    package var description: String
    package var inherits: String?
    /// Sorted, each once.
    package let permissions: [String]

    package init(description: String, inherits: String? = nil, permissions: [String] = []) {
        self.description = description
        self.inherits = inherits
        self.permissions = ASCII.sortedByBytes(Set(permissions))
    }

    fileprivate var json: JSONValue {
        var object: JSONObject = ["description": .string(description)]
        if let inherits { object["inherits"] = .string(inherits) }
        if !permissions.isEmpty { object["permissions"] = .strings(permissions) }
        return .object(object)
    }
}

/// What an edit comes to: judged as a whole, not yet written.
package struct RoleChange: Sendable {
    /// The role document with the edit.
    package let document: JSONValue
    /// False when the document says so already.
    package let isChange: Bool
    /// The role before; nil when it is new.
    package let before: RoleTable.Role?
    /// The role after; nil when it is deleted.
    package let after: RoleTable.Role?
}

extension RoleEdit {
    /// Judges the edit against everything that is in force.
    ///
    /// - Throws: `policy.role_not_found`, `policy.role_in_use`, `policy.roles_invalid` with every problem of the whole set,
    ///   `policy.lockout`. Then nothing may be written.
    package func plan(on policy: CompiledPolicy) throws(Refusal) -> RoleChange {
        let roles = policy.roles
        let before = roles.roles.first { $0.name == role }
        var document = roles.document.objectValue ?? JSONObject()
        var members = document["roles"]?.objectValue ?? JSONObject()
        switch self {
        case .put(let name, let definition):
            if let before, before.says(definition) {
                return RoleChange(document: roles.document, isChange: false, before: before, after: before)
            }
            members[name] = definition.json
        case .delete(let name):
            guard before != nil else { throw Refusal(.policyRoleNotFound, details: ["role": .string(name)]) }
            try checkUnused(policy)
            members[name] = nil
        }
        document["roles"] = .object(members)
        let after: RoleTable
        do throws(RoleTableError) {
            after = try RoleTable(document: .object(document))
        } catch {
            throw error.refusal
        }
        guard after.document.indented().count <= PolicyTexts.maximumBytes else {
            throw RoleTableError(problems: [RoleProblem(role: role, problem: .tooLarge)]).refusal
        }
        try checkAdministration(before: roles, after: after)
        return RoleChange(
            document: after.document, isChange: true, before: before, after: after.roles.first { $0.name == role })
    }

    /// A role that others need stays.
    private func checkUnused(_ policy: CompiledPolicy) throws(Refusal) {
        let heirs = policy.roles.roles.filter { $0.inherits == role }.map(\.name)
        guard heirs.isEmpty else {
            throw Refusal(
                .policyRoleInUse, message: "Other roles inherit from \(role): \(heirs.joined(separator: ", "))",
                details: ["role": .string(role), "roles": .strings(heirs)])
        }
        let settings = [
            ("DEFAULT_USER_ROLE", policy.settings.defaultUserRole),
            ("DEFAULT_KEYCLOAK_TENANT_ROLE", policy.settings.defaultKeycloakTenantRole),
        ].filter { $0.1 == role }.map(\.0)
        guard settings.isEmpty else {
            throw Refusal(
                .policyRoleInUse, message: "The default role \(role) is in use by \(settings.joined(separator: ", "))",
                details: ["role": .string(role), "settings": .strings(settings)])
        }
    }

    /// Nobody may saw off the branch that all sit on.
    private func checkAdministration(before: RoleTable, after: RoleTable) throws(Refusal) {
        let permission = "admin:manage_policies"
        guard !after.granting(permission).isEmpty else {
            throw Refusal(
                .policyLockout, message: "After this change no role would grant \(permission)",
                details: ["role": .string(role), "permissions": .strings([permission])])
        }
        // What was so before is nobody's doing now.
        let known = Set(Self.missing(in: before))
        let lost = Self.missing(in: after).filter { !known.contains($0) }
        guard lost.isEmpty else {
            throw Refusal(
                .policyLockout,
                message: "After this change role admin would not have what operator has: "
                    + lost.joined(separator: ", "),
                details: ["role": .string(role), "permissions": .strings(lost)])
        }
    }

    /// What `operator` may do and `admin` may not.
    private static func missing(in table: RoleTable) -> [String] {
        let held = table.permissions(ofRole: "admin")
        return table.permissions(ofRole: "operator").filter { wanted in
            !held.contains { PermissionName.matches(grant: $0, action: wanted) }
        }
    }
}

extension RoleTable.Role {
    fileprivate func says(_ definition: RoleDefinition) -> Bool {
        description == definition.description && inherits == definition.inherits
            && ASCII.sortedByBytes(Set(permissions)) == definition.permissions
    }
}
