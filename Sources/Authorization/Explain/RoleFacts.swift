// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// What the role check looked at, for explanations. Every list is sorted by bytes.
package struct RoleFacts: Sendable, Hashable {
    /// The roles that the caller came with, or the default ones in their place, before inheritance.
    package var inUse: [String]
    /// Names that it came with and that give nothing: unknown to the policy data, or built into the identity provider.
    package var withoutEffect: [String]
    /// The known ones with all their ancestors.
    package var effective: [String]
    /// Those of the effective ones that name the permission themselves.
    package var granting: [String]
    /// The roles of the policy data that name the permission and inherit it from nobody: the least that grants it.
    package var least: [String]
}

extension CompiledPolicy {
    /// What the role check of a question looks at. For explanations only: it walks the whole role table.
    package func roleFacts(of question: PolicyQuestion) -> RoleFacts {
        let inUse = Set(question.rolesInUse)
        return RoleFacts(
            inUse: ASCII.sortedByBytes(inUse.filter(roles.isKnown)),
            withoutEffect: ASCII.sortedByBytes(
                question.subject.roles.filter { !roles.isKnown($0) || !inUse.contains($0) }),
            effective: question.effectiveRoles,
            granting: question.action.map { action in question.effectiveRoles.filter { names($0, action) } } ?? [],
            least: question.action.map(leastRoles) ?? [])
    }

    /// The least roles that grant a permission, sorted; empty when none does.
    package func leastRoles(granting permission: String) -> [String] {
        let naming = roles.roles.filter { names($0.name, permission) }
        return naming.filter { role in
            !naming.contains { $0.name != role.name && isAncestor($0.name, of: role.name) }
        }.map(\.name)
    }

    /// Whether the role itself, without its ancestors, names the permission.
    private func names(_ role: String, _ permission: String) -> Bool {
        let own = roles.roles.first { $0.name == role }?.permissions ?? []
        return own.contains { PermissionName.matches(grant: $0, action: permission) }
    }

    private func isAncestor(_ ancestor: String, of role: String) -> Bool {
        roles.effective([role]).names.contains(ancestor)
    }
}
