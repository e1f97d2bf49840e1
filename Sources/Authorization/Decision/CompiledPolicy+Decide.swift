// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

extension CompiledPolicy {
    /// Decides. The order of the steps and of the reasons is fixed; whatever is not allowed explicitly is refused.
    ///
    /// - Parameters:
    ///   - subject: nil when no credential was presented or accepted and none was asked for.
    ///   - match: the rule of the route; looked at only where the query has no `action`.
    package func decide(subject: PolicySubject?, query: PolicyQuery, match: RouteMatch?) -> PolicyDecision {
        switch prepare(subject: subject, query: query, match: match) {
        case .decided(let decision): decision
        case .open(let question): decide(question)
        }
    }

    /// Steps 1 to 4: what is decided without looking at rights.
    package func prepare(subject: PolicySubject?, query: PolicyQuery, match: RouteMatch?) -> PolicyProgress {
        let rule = query.action == nil ? match?.rule : nil
        let isOpen = rule?.isPublic == true
        let action = query.action ?? (isOpen ? nil : rule.map { query.permissionOverride ?? $0.permission } ?? nil)
        var decision = PolicyDecision(
            refusal: nil, reasons: [], permission: action, matchedRoute: rule == nil ? nil : match?.display,
            effectiveRoles: [], mode: .local, revision: revision)
        // Rules were checked when they were read; only a named action can be wrong.
        let isNamed = query.action != nil || query.permissionOverride != nil
        if isNamed, let action, !PermissionName.isValid(action), !roles.publicActions.contains(action) {
            decision.permission = nil
            return .decided(decision.refused(Refusal(.policyActionInvalid), "action not valid"))
        }
        if isOpen { return .decided(decision) }
        if isNamed, let action, roles.publicActions.contains(action) { return .decided(decision) }
        guard let subject else {
            return .decided(decision.refused(Refusal(.authMissingToken), "authentication required"))
        }
        if subject.isAnonymous {
            let isLetIn =
                query.authenticationDisabled && query.surface == .workload
                && !(action.map(PermissionName.isAdministrative) ?? false)
            if !isLetIn {
                return .decided(decision.refused(Refusal(.authAuthenticationRequired), "authentication required"))
            }
        }
        if query.action == nil, rule == nil {
            return .decided(decision.refused(Refusal(.policyRouteUnmapped), "route not mapped"))
        }
        guard let resource = Self.resource(query: query, match: match) else {
            return .decided(decision.refused(Refusal(.policyResourceConflict), "resource attributes disagree"))
        }
        return .open(
            PolicyQuestion(
                subject: subject, query: query, rule: rule, action: action, resource: resource, decision: decision))
    }

    /// Step 5, in the process.
    package func decide(_ question: PolicyQuestion) -> PolicyDecision {
        var decision = question.decision
        check(question.subject, question.query, question.rule, question.action, question.resource, &decision)
        return decision
    }

    /// The decision about a request whose path is not canonical.
    package func decision(for fault: PathFault) -> PolicyDecision {
        PolicyDecision(
            refusal: fault.refusal, reasons: ["path not canonical"], permission: nil, matchedRoute: nil,
            effectiveRoles: [], mode: .local, revision: revision)
    }

    /// What is known of the resource from every source; nil when two of them disagree. The type falls back to the rule's, then to the
    /// permission's first segment.
    package static func resource(query: PolicyQuery, match: RouteMatch?) -> ResourceAttributes? {
        guard query.action == nil, let match else { return query.resource }
        var merged = query.resource
        let storeWins = query.surface == .own
        func merge(_ said: inout String?, _ captured: String?) -> Bool {
            guard let captured else { return true }
            guard let present = said else {
                said = captured
                return true
            }
            return storeWins || sameBytes(present, captured)
        }
        guard merge(&merged.id, match.captures.id), merge(&merged.owner, match.captures.owner),
            merge(&merged.tenant, match.captures.tenant), merge(&merged.project, match.captures.project),
            merge(&merged.type, match.captures.type)
        else { return nil }
        if merged.type == nil { merged.type = match.rule.type }
        return merged
    }

    /// Step 5: every check runs, every one that fails adds its reason, the first gives the code.
    private func check(
        _ subject: PolicySubject, _ query: PolicyQuery, _ rule: RouteRule?, _ action: String?,
        _ resource: ResourceAttributes, _ decision: inout PolicyDecision
    ) {
        let effective = effectiveRoles(subject)
        decision.effectiveRoles = effective.names
        var code: ErrorCode?
        func fail(_ failed: ErrorCode, _ reason: String) {
            code = code ?? failed
            decision.reasons.append(reason)
        }
        if let action, !subject.isAnonymous {
            if !permits(roles: effective.set, subject, action) {
                fail(.policyPermissionDenied, "no matching role permission")
            }
            if !permits(scopesOf: subject, action, enforced: query.host?.scopes == .enforce) {
                fail(
                    .policyScopeDenied,
                    subject.authSource == "api_key"
                        ? "api key scope does not permit action" : "token scope does not permit action")
            }
        }
        if rule?.platform == true, !subject.platform { fail(.policyPlatformRequired, "platform principal required") }
        let isAdmin = isAdmin(effective.set)
        let isPlatformAdmin = isAdmin && subject.platform
        let isSameTenant = Self.sameBytes(subject.tenant, resource.tenant)
        if resource.tenant != nil, !isSameTenant, !isPlatformAdmin {
            fail(.policyTenantDenied, "cross-tenant access denied")
        }
        let isTenantAdmin = isPlatformAdmin || isAdmin && isSameTenant
        if asksForOwner(query, rule, action, resource), !isTenantAdmin, !Self.owns(subject, resource) {
            fail(.policyNotOwner, "not resource owner")
        }
        if resource.project != nil, !isTenantAdmin, !Self.sameBytes(subject.project, resource.project) {
            fail(.policyProjectDenied, "project access denied")
        }
        guard let code else { return }
        decision.refusal = Refusal(
            code,
            details: ["permission": .optional(action), "reasons": .strings(decision.reasons)], challengeScope: action)
    }

    private func asksForOwner(
        _ query: PolicyQuery, _ rule: RouteRule?, _ action: String?, _ resource: ResourceAttributes
    ) -> Bool {
        if rule?.ownershipRequired == true { return true }
        guard let action, PermissionName.ends(action, in: "write") || PermissionName.ends(action, in: "delete") else {
            return false
        }
        if resource.owner != nil { return true }
        return resource.id != nil && (query.isDescribed || query.host?.ownership == .required)
    }

    /// Nobody owns what is nobody's, and an anonymous caller owns nothing.
    private static func owns(_ subject: PolicySubject, _ resource: ResourceAttributes) -> Bool {
        guard let owner = resource.owner, !subject.id.isEmpty, !subject.isAnonymous else { return false }
        return sameBytes(owner, subject.id)
    }

    /// Equality of bytes, which Swift's own equality of texts is not. Both absent is equal.
    private static func sameBytes(_ left: String?, _ right: String?) -> Bool {
        guard let left, let right else { return left == nil && right == nil }
        return left.utf8.elementsEqual(right.utf8)
    }
}

extension PolicyDecision {
    /// This decision, refused for one reason.
    fileprivate consuming func refused(_ refusal: Refusal, _ reason: String) -> PolicyDecision {
        self.refusal = refusal
        reasons = [reason]
        return self
    }
}
