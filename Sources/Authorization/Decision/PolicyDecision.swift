// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// The decision document: the answer of the policy with every reason.
package struct PolicyDecision: Sendable, Hashable {
    /// Where the role check ran.
    package enum Mode: String, Sendable {
        case local, sidecar, disabled
    }

    /// Nil when allowed; else the first failed check.
    package var refusal: Refusal?
    /// Every failed check, in the order of the checks; empty when allowed.
    package var reasons: [String]
    /// The action asked for, or the rule's; nil where there is none.
    package var permission: String?
    /// `METHOD /pattern` of the matched rule; nil for an action.
    package var matchedRoute: String?
    /// Known roles and their ancestors, sorted; empty where the decision fell before roles were looked at.
    package var effectiveRoles: [String]
    package var mode: Mode
    /// Names the policy data: 16 hexadecimal digits.
    package var revision: String

    package init(
        refusal: Refusal?, reasons: [String], permission: String?, matchedRoute: String?, effectiveRoles: [String],
        mode: Mode, revision: String
    ) {
        self.refusal = refusal
        self.reasons = reasons
        self.permission = permission
        self.matchedRoute = matchedRoute
        self.effectiveRoles = effectiveRoles
        self.mode = mode
        self.revision = revision
    }

    /// Whether the request may pass.
    package var allow: Bool { refusal == nil }

    /// The document as the decisions API, the audit and explain show it.
    package var json: JSONObject {
        [
            "allow": .bool(allow), "reasons": .strings(reasons), "code": .optional(refusal?.code.rawValue),
            "permission": .optional(permission), "matched_route": .optional(matchedRoute),
            "effective_roles": .strings(effectiveRoles), "mode": .string(mode.rawValue),
            "revision": .string(revision),
        ]
    }
}
