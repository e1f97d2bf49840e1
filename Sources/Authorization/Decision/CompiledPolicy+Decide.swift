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
        let isAdministrative = action.map(PermissionName.isAdministrative) ?? false
        if subject.isAnonymous {
            let isLetIn = query.authenticationDisabled && query.surface == .workload && !isAdministrative
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
        let isOff = !settings.roleCheckEnabled && query.surface == .workload && !isAdministrative
        if isOff { decision.mode = .disabled }
        let roles = subject.isAnonymous ? [] : checks.rolesInUse(self, subject)
        let effective = checks.inherited(self.roles, roles)
        decision.effectiveRoles = effective.names
        return .open(
            PolicyQuestion(
                subject: subject, query: query, rule: rule, action: action, resource: resource, rolesInUse: roles,
                effectiveRoles: effective.names, shared: shared(subject, query, action, resource),
                checksRoles: !isOff && !subject.isAnonymous, effective: effective.set, decision: decision))
    }

    /// The decision about a request whose path is not canonical.
    package func decision(for fault: PathFault) -> PolicyDecision {
        PolicyDecision(
            refusal: fault.refusal, reasons: ["path not canonical"], permission: nil, matchedRoute: nil,
            effectiveRoles: [], mode: .local, revision: revision)
    }

    /// Whether the subject of a question is a platform principal with `admin` among its effective roles.
    package func isPlatformAdmin(_ question: PolicyQuestion) -> Bool {
        question.subject.platform && isAdmin(question.effective)
    }

    /// What is known of the resource from every source; nil when two of them disagree. The type falls back to the rule's.
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
            return storeWins || SameBytes.areEqual(present, captured)
        }
        guard merge(&merged.id, match.captures.id), merge(&merged.owner, match.captures.owner),
            merge(&merged.tenant, match.captures.tenant), merge(&merged.project, match.captures.project),
            merge(&merged.type, match.captures.type)
        else { return nil }
        if merged.type == nil { merged.type = match.rule.type }
        return merged
    }

    /// What the shares that count let the subject's project do.
    private func shared(
        _ subject: PolicySubject, _ query: PolicyQuery, _ action: String?, _ resource: ResourceAttributes
    ) -> SharePermissions {
        guard !query.shares.isEmpty, let id = resource.id, let owner = resource.project, let project = subject.project
        else { return [] }
        let segment = action?.utf8.firstIndex(of: UInt8(ascii: ":")).map { String(action?[..<$0] ?? "") }
        guard let type = resource.type ?? segment else { return [] }
        let key = ShareTable.Key(tenant: subject.tenant ?? "", type: type, id: id, project: project)
        return query.shares.shares(key).reduce(into: []) { union, share in
            if checks.shareCounts(share, owner, query.now) { union.formUnion(share.permissions) }
        }
    }
}

// MARK: - Step 5

extension CompiledPolicy {
    /// Every check runs, every one that fails adds its reason, the first gives the code; then the rules of the AuthConfig.
    package func decide(_ question: PolicyQuestion) -> PolicyDecision {
        let isMissing =
            question.checksRoles && question.action.map { !checks.permitsRoles(self, question, $0) } ?? false
        return decide(question, lacksRole: isMissing)
    }

    /// Step 5 with the answer of an engine outside of the process; what it does not cover is done here.
    ///
    /// An answer that contradicts itself or has an unknown reason is no answer: 503 `policy.unavailable`.
    package func decide(_ question: PolicyQuestion, answer: EngineAnswer) -> PolicyDecision {
        var decision: PolicyDecision
        switch answer {
        case .decision(let allow, let reasons, let effectiveRoles):
            let codes = reasons.map { Reason(rawValue: $0)?.code }
            guard allow == reasons.isEmpty, !codes.contains(nil) else { return unavailable(question) }
            decision = question.decision
            decision.effectiveRoles = effectiveRoles
            decision.reasons = reasons
            finish(&decision, code: codes.first ?? nil, question)
        case .roleCheck(let allowed):
            decision = decide(question, lacksRole: question.checksRoles && question.action != nil && !allowed)
        case .unavailable(failsOpen: false):
            return unavailable(question)
        case .unavailable(failsOpen: true):
            decision = decide(question, lacksRole: false)
            if decision.allow { decision.reasons = [Self.unavailableReason] }
        }
        decision.mode = .sidecar
        return decision
    }

    /// Reason of a decision that no engine made.
    package static let unavailableReason = "policy engine unavailable"

    private func unavailable(_ question: PolicyQuestion) -> PolicyDecision {
        var decision = question.decision.refused(Refusal(.policyUnavailable), Self.unavailableReason)
        decision.mode = .sidecar
        return decision
    }

    private func decide(_ question: PolicyQuestion, lacksRole: Bool) -> PolicyDecision {
        var decision = question.decision
        var code: ErrorCode?
        func fail(_ reason: Reason) {
            if code == nil { code = reason.code }
            decision.reasons.append(reason.rawValue)
        }
        if lacksRole { fail(.role) }
        if let action = question.action, !question.subject.isAnonymous,
            !checks.permitsScopes(self, question, action)
        {
            fail(question.subject.authSource == "api_key" ? .keyScope : .tokenScope)
        }
        if checks.lacksPlatform(question) { fail(.platform) }
        if !checks.reachesTenant(self, question) { fail(.tenant) }
        let asksForOwner = checks.asksForOwner(question)
        let asksForProject = question.resource.project != nil
        if asksForOwner || asksForProject, !checks.administersTenant(self, question) {
            if asksForOwner, !checks.owns(question), !isShareOfWriter(question) { fail(.owner) }
            if asksForProject, !SameBytes.areEqual(question.subject.project, question.resource.project),
                !checks.shareCovers(question.shared, question.action)
            {
                fail(.project)
            }
        }
        finish(&decision, code: code, question)
        return decision
    }

    /// A share with `manage` stands for the owner where something is written.
    private func isShareOfWriter(_ question: PolicyQuestion) -> Bool {
        guard question.shared.contains(.manage), let action = question.action else { return false }
        return PermissionName.ends(action, in: "write") && checks.shareCovers(question.shared, action)
    }

    /// Adds what the rules say and makes the refusal.
    private func finish(_ decision: inout PolicyDecision, code: ErrorCode?, _ question: PolicyQuestion) {
        var code = code
        if let rules = question.query.host?.rules {
            // Whatever an engine says of roles: the rules are Tollgate's, and read what Tollgate knows.
            let reasons = rules.reasons(question)
            if code == nil, !reasons.isEmpty { code = .policyRuleDenied }
            decision.reasons += reasons
        }
        guard let code else { return }
        decision.refusal = Refusal(
            code,
            details: ["permission": .optional(question.action), "reasons": .strings(decision.reasons)],
            challengeScope: question.action)
    }
}

/// The reasons of the checks, in their order, with the code that each gives.
private enum Reason: String {
    case role = "no matching role permission"
    case keyScope = "api key scope does not permit action"
    case tokenScope = "token scope does not permit action"
    case platform = "platform principal required"
    case tenant = "cross-tenant access denied"
    case owner = "not resource owner"
    case project = "project access denied"

    var code: ErrorCode {
        switch self {
        case .role: .policyPermissionDenied
        case .keyScope, .tokenScope: .policyScopeDenied
        case .platform: .policyPlatformRequired
        case .tenant: .policyTenantDenied
        case .owner: .policyNotOwner
        case .project: .policyProjectDenied
        }
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
