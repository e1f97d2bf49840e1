// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Authorization
internal import Essentials
internal import Pipeline

/// Writes a decision as the decisions API answers it.
enum DecisionAnswer {
    /// Appends the object.
    static func write(_ decision: Decision, explained: Bool, to json: inout JSONWriter) {
        let refusal = decision.refusal
        switch refusal?.status {
        case nil: json.raw(#"{"decision":"allow","status":200,"code":null,"message":null,"details":null,"#)
        case let status?:
            json.raw(status == 503 ? #"{"decision":"unavailable","status":"# : #"{"decision":"deny","status":"#)
            json.integer(Int64(status))
            json.raw(#","code":"#)
            json.string(refusal?.code.rawValue)
            json.raw(#","message":"#)
            json.string(refusal?.message)
            json.raw(#","details":"#)
            if let details = refusal?.details { json.object(details) } else { json.raw("null") }
            json.raw(",")
        }
        json.raw(#""principal":"#)
        if decision.isBlanked, decision.blanks.caller {
            json.raw("null")
        } else {
            principal(decision.principal, admin: decision.admin, to: &json)
        }
        headers(decision, to: &json)
        json.raw(#","limits":["#)
        if let limits = decision.limits { json.windows(limits) }
        json.raw(#"],"reservation":"#)
        reservation(decision.entitlement?.reservation, to: &json)
        json.raw(#","auth_config":"#)
        json.string(decision.authConfig)
        json.raw(#","policy":"#)
        if let policy = decision.policy { self.policy(policy, to: &json) } else { json.raw("null") }
        json.raw(#","snapshot":"#)
        json.integer(Int64(clamping: decision.snapshotGeneration))
        json.raw(#","request_id":"#)
        json.string(decision.requestID)
        if explained { ExplainAnswer.write(decision, to: &json) }
        json.raw("}")
    }

    private static func reservation(_ reservation: Entitlement.Reservation?, to json: inout JSONWriter) {
        guard let reservation else { return json.raw("null") }
        json.raw(#"{"id":"#)
        json.string(reservation.id)
        json.raw(#","held_micro_credits":"#)
        json.integer(reservation.heldMicroCredits)
        json.raw(#","expires_at":"#)
        json.string(reservation.expiresAt.rfc3339)
        json.raw("}")
    }

    private static func headers(_ decision: Decision, to json: inout JSONWriter) {
        json.raw(#","headers":{"#)
        if let refusal = decision.refusal {
            json.raw(#"},"remove_headers":[],"response_headers":{"#)
            var isFirst = true
            func member(_ name: String, _ value: String) {
                if !isFirst { json.raw(",") }
                isFirst = false
                json.string(name)
                json.raw(":")
                json.string(value)
            }
            if let challenge = refusal.challenge { member("WWW-Authenticate", challenge) }
            if let seconds = refusal.retryAfterSeconds { member("Retry-After", String(seconds)) }
            decision.limits?.eachHeader(member)
            json.raw("}")
            return
        }
        let identity = IdentityHeaders(decision.principal, entitlement: decision.entitlement)
        var isFirst = true
        for (index, value) in identity.values.enumerated() where !value.isEmpty {
            if !isFirst { json.raw(",") }
            isFirst = false
            json.string(IdentityHeaders.names[index])
            json.raw(":")
            json.string(value)
        }
        json.raw(#"},"remove_headers":"#)
        json.strings(
            identity.removals(
                credentialHeader: decision.credentialHeader, forwardsCredential: decision.forwardsCredential))
        json.raw(#","response_headers":{"#)
        isFirst = true
        decision.limits?.eachHeader { name, value in
            if !isFirst { json.raw(",") }
            isFirst = false
            json.string(name)
            json.raw(":")
            json.string(value)
        }
        json.raw("}")
    }

    /// As `GET /v1/auth/me`, without the claims.
    private static func principal(_ principal: Principal, admin: Bool, to json: inout JSONWriter) {
        func text(_ name: StaticString, _ value: String?) {
            json.raw(name)
            json.string(value)
        }
        text(#"{"subject":"#, principal.subject)
        text(#","identity_type":"#, principal.identityType.rawValue)
        text(#","auth_source":"#, principal.authSource.rawValue)
        json.raw(admin ? #","admin":true"# : #","admin":false"#)
        json.raw(principal.platform ? #","platform":true"# : #","platform":false"#)
        json.raw(principal.scoped ? #","scoped":true"# : #","scoped":false"#)
        text(#","token_id":"#, principal.tokenID)
        text(#","account_id":"#, principal.accountID)
        text(#","tenant_id":"#, principal.tenantID)
        text(#","project_id":"#, principal.projectID)
        json.raw(#","workspace_ids":"#)
        json.strings(principal.workspaceIDs)
        json.raw(#","roles":"#)
        json.strings(principal.roles)
        json.raw(#","groups":"#)
        json.strings(principal.groups)
        json.raw(#","scopes":"#)
        json.strings(principal.scopes)
        text(#","email":"#, principal.email)
        json.raw(principal.emailVerified ? #","email_verified":true"# : #","email_verified":false"#)
        text(#","username":"#, principal.username)
        text(#","name":"#, principal.name)
        text(#","client_id":"#, principal.clientID)
        text(#","session_id":"#, principal.sessionID)
        text(#","issuer":"#, principal.issuer)
        json.raw(#","audience":"#)
        json.strings(principal.audience)
        text(#","issued_at":"#, principal.issuedAt?.rfc3339)
        text(#","expires_at":"#, principal.expiresAt?.rfc3339)
        json.raw("}")
    }

    private static func policy(_ policy: PolicyDecision, to json: inout JSONWriter) {
        json.raw(policy.allow ? #"{"allow":true,"reasons":"# : #"{"allow":false,"reasons":"#)
        json.strings(policy.reasons)
        json.raw(#","code":"#)
        json.string(policy.refusal?.code.rawValue)
        json.raw(#","permission":"#)
        json.string(policy.permission)
        json.raw(#","matched_route":"#)
        json.string(policy.matchedRoute)
        json.raw(#","effective_roles":"#)
        json.strings(policy.effectiveRoles)
        json.raw(#","mode":"#)
        json.string(policy.mode.rawValue)
        json.raw(#","revision":"#)
        json.string(policy.revision)
        json.raw("}")
    }
}
