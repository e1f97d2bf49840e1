// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

extension PolicyQuestion {
    /// The question as a policy engine outside of the process is asked it. Absent values are null.
    ///
    /// An anonymous caller is there only where the authentication mode lets it in without roles and scopes: it has no id, and its role check
    /// is off.
    package var input: JSONValue {
        let isAnonymous = subject.isAnonymous
        let hasScopes = !isAnonymous && (subject.scoped || subject.isAlwaysLimited && !subject.scopes.isEmpty)
        return [
            "user": [
                "user_id": isAnonymous || subject.id.isEmpty ? .null : .string(subject.id),
                "roles": .strings(rolesInUse), "tenant_id": .optional(subject.tenant),
                "scopes": hasScopes ? .strings(subject.scopes) : .null, "auth_source": .string(subject.authSource),
                "project_id": .optional(subject.project), "platform": .bool(subject.platform),
            ],
            "action": .optional(action), "resource": resourceInput,
            "route": [
                "platform": .bool(rule?.platform == true),
                "ownership_required": .bool(ownershipRequired),
                "authenticated_only": .bool(action == nil),
            ],
            "settings": [
                "scopes": .string((query.host?.scopes ?? .ignore).rawValue),
                "ownership": .string((query.host?.ownership ?? .standard).rawValue),
                "role_check": .bool(checksRoles),
            ],
            "provenance": [:],
        ]
    }

    /// Names the policy data that the question was made under.
    package var revision: String { decision.revision }

    /// Whether the settings may let it pass the role check while the engine is away: never on the own surface, never for what administers.
    package var mayFailOpen: Bool {
        query.surface == .workload && !(action.map(PermissionName.isAdministrative) ?? false)
    }

    /// Empty where nothing is known that a check could compare.
    private var resourceInput: JSONValue {
        guard resource.id != nil || resource.owner != nil || resource.tenant != nil || resource.project != nil else {
            return [:]
        }
        return [
            "type": .optional(resourceType), "id": .optional(resource.id), "owner_id": .optional(resource.owner),
            "tenant_id": .optional(resource.tenant), "project_id": .optional(resource.project),
            "described": .bool(query.isDescribed), "shared_permissions": .strings(sharedPermissions),
        ]
    }
}
