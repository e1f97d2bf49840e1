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
    /// The decision as far as it is made: permission, route, mode, revision.
    let decision: PolicyDecision
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
