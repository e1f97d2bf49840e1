// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// What is left to ask once path, route, caller and resource are known: the checks from role to project, and the rules.
package struct PolicyQuestion: Sendable {
    package let subject: PolicySubject
    package let query: PolicyQuery
    /// The rule of the route; nil where an action is asked for.
    package let rule: RouteRule?
    /// The permission; nil where the rule only asks for a known caller.
    package let action: String?
    /// Everything that is known of the resource, merged.
    package let resource: ResourceAttributes
    /// The subject's roles after the default rules, before inheritance, as they came.
    package let rolesInUse: [String]
    /// The known roles with all their ancestors, sorted; empty for an anonymous caller.
    package let effectiveRoles: [String]
    /// What the shares that count let the subject's project do with the resource.
    package let shared: SharePermissions
    /// Whether roles are asked at all: not for a caller that mode `disabled` let in, nor where `OPA_ENABLED` turned the check off.
    package let checksRoles: Bool
    let effective: RoleSet
    /// The decision as far as it is made: permission, route, mode, revision.
    let decision: PolicyDecision

    /// `shared` as sorted texts.
    package var sharedPermissions: [String] { shared.names }

    /// The resource's type: what somebody stated, else the rule's, else the first segment of the permission.
    package var resourceType: String? {
        if let type = resource.type { return type }
        guard let action, let colon = action.utf8.firstIndex(of: UInt8(ascii: ":")) else { return nil }
        return String(action[..<colon])
    }

    /// Whether the rule asks for the owner whatever the action.
    package var ownershipRequired: Bool { rule?.ownershipRequired == true }
    /// Whether scope claims of tokens limit here.
    package var scopesEnforced: Bool { query.host?.scopes == .enforce }
}

/// Where the policy stands before the checks of step 5.
package enum PolicyProgress: Sendable {
    case decided(PolicyDecision)
    case open(PolicyQuestion)
}

/// What a policy engine outside of the process said to a question.
package enum EngineAnswer: Sendable, Hashable {
    /// All checks from role to project.
    case decision(allow: Bool, reasons: [String], effectiveRoles: [String])
    /// The role check alone.
    case roleCheck(Bool)
    /// No answer. `failsOpen`: the settings let the role check pass for this question.
    case unavailable(failsOpen: Bool)
}
