// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials

/// What the packages must say, worked out from the decision in the process.
enum ExpectedAnswer {
    private static let role = "no matching role permission"
    private static let tenant = "cross-tenant access denied"
    private static let owner = "not resource owner"

    private static func isScope(_ reason: String) -> Bool { reason.hasSuffix("scope does not permit action") }

    /// In the form in which the engine's program answers.
    static func answer(_ decision: PolicyDecision, to question: PolicyQuestion) -> JSONValue {
        let reasons = decision.reasons
        let roles = decision.effectiveRoles
        func only(_ matches: (String) -> Bool) -> [String] { reasons.filter(matches) }
        let ofKeys = only { $0 == role || isScope($0) }
        let ofTenants = only { $0 == role || $0 == tenant }
        let (subject, resource) = (question.subject, question.resource)
        let isAdmin = roles.contains("admin")
        let isSameTenant = same(subject.tenant, resource.tenant)
        let knowsCaller = !subject.isAnonymous && !subject.id.isEmpty
        return [
            "decision": [
                "allow": .bool(decision.allow), "reasons": .strings(reasons), "effective_roles": .strings(roles),
            ],
            "authz": [
                "allow": .bool(!reasons.contains(role)), "reasons": .strings(only { $0 == role }),
                "effective_roles": .strings(roles),
            ],
            "api_keys": ["allow": .bool(ofKeys.isEmpty), "reasons": .strings(ofKeys)],
            "tenants": [
                "allow": .bool(ofTenants.isEmpty),
                "allow_mutation": .bool(ofTenants.isEmpty && !reasons.contains(owner)),
                "is_owner": .bool(knowsCaller && resource.owner != nil && same(subject.id, resource.owner)),
                "is_tenant_admin": .bool(isAdmin && (subject.platform || isSameTenant)),
                "reasons": .strings(ofTenants),
            ],
        ]
    }

    /// Equal as bytes, or both absent.
    private static func same(_ left: String?, _ right: String?) -> Bool {
        left.map { Array($0.utf8) } == right.map { Array($0.utf8) }
    }
}
