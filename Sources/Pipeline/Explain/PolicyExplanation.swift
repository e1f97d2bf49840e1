// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials

/// Explains the checks of a policy question, in their order: what each compared, and what would make it pass.
///
/// Whether a check failed is what the decision says, wherever it was made; what was compared is looked up again.
struct PolicyExplanation {
    let question: PolicyQuestion
    let decision: PolicyDecision
    let roles: RoleFacts
    /// What commands call the caller's credential.
    let tokenID: String?

    private(set) var text = Explanation()

    /// Explains.
    static func text(
        _ question: PolicyQuestion, _ decision: PolicyDecision, policy: CompiledPolicy, tokenID: String?
    ) -> Explanation {
        let facts = policy.roleFacts(of: question)
        return text(question, decision, roles: facts, tokenID: tokenID)
    }

    /// Explains with what the role check looked at.
    static func text(
        _ question: PolicyQuestion, _ decision: PolicyDecision, roles: RoleFacts, tokenID: String?
    ) -> Explanation {
        var explanation = PolicyExplanation(question: question, decision: decision, roles: roles, tokenID: tokenID)
        explanation.permission()
        guard decision.refusal?.code != .policyUnavailable else { return explanation.withoutAnswer() }
        explanation.role()
        explanation.scope()
        explanation.platform()
        explanation.tenant()
        explanation.ownership()
        explanation.project()
        explanation.rules()
        return explanation.text
    }

    private init(question: PolicyQuestion, decision: PolicyDecision, roles: RoleFacts, tokenID: String?) {
        self.question = question
        self.decision = decision
        self.roles = roles
        self.tokenID = tokenID
    }

    private var subject: PolicySubject { question.subject }
    private var action: String { question.action ?? "" }

    private func failed(_ reason: String) -> Bool { decision.reasons.contains(reason) }

    // MARK: Who may

    private mutating func permission() {
        guard let action = question.action else { return text.say(.host, "the route asks for a known caller only") }
        if question.query.action != nil || question.query.permissionOverride != nil {
            text.say(.asker, "permission \(action), named by whoever asks")
        } else {
            text.say(.host, "permission \(action)")
        }
    }

    private func withoutAnswer() -> Explanation {
        var text = text
        text.say(.installation, "the policy engine did not answer, or not in a way that can be read")
        text.mend(.installation, CodeRemedy.text(.policyUnavailable))
        return text
    }

    private mutating func role() {
        guard question.action != nil else { return }
        if subject.isAnonymous {
            return text.say(.host, "role and scope: not checked, the mode of the AuthConfig is disabled")
        }
        if decision.mode == .disabled, !question.checksRoles {
            return text.say(.installation, "role: not checked, OPA_ENABLED is false")
        }
        let asked = decision.mode == .sidecar ? ", by the policy engine" : ""
        if subject.scopesAreGrant {
            return text.say(
                .caller,
                "role: not asked, the caller is a \(Self.noun(subject)) without roles, whose scopes are its grant")
        }
        let held = "roles \(Self.list(roles.inUse)), effective \(Self.list(decision.effectiveRoles))"
        if failed("no matching role permission") {
            text.say(.caller, "role\(asked): none of the caller's grants \(action); \(held)")
            lackingRole()
        } else if decision.reasons.contains(CompiledPolicy.unavailableReason) {
            text.say(.caller, "role: passes, the policy engine did not answer and OPA_FAIL_OPEN is on; \(held)")
        } else if roles.granting.isEmpty {
            text.say(.caller, "role\(asked): passes; \(held)")
        } else {
            text.say(.caller, "role\(asked): \(roles.granting.joined(separator: ", ")) grants \(action); \(held)")
        }
        if !roles.withoutEffect.isEmpty {
            text.say(
                .caller, "without effect, because the policy data has no such role: \(Self.list(roles.withoutEffect))")
        }
    }

    private mutating func lackingRole() {
        if roles.least.isEmpty {
            text.mend(
                .host,
                "No role grants \(action): add it to a role (PUT /v1/admin/policy/roles/{role}), or name another permission in the route's rule."
            )
        } else {
            text.mend(
                .host,
                "Give the caller a role that grants \(action); the least that does: \(roles.least.joined(separator: ", "))."
            )
        }
    }

    private mutating func scope() {
        guard question.action != nil, !subject.isAnonymous else { return }
        let isEnforced = question.query.host?.scopes == .enforce
        guard subject.isAlwaysLimited || isEnforced && subject.scoped else {
            let why =
                subject.scoped ? "the AuthConfig ignores the scopes of tokens" : "the credential has no scope claim"
            return text.say(.caller, "scope: does not limit, \(why)")
        }
        let covering = subject.scopes.filter { PermissionName.matches(grant: $0, action: action) }
        let isFailed =
            failed("api key scope does not permit action") || failed("token scope does not permit action")
        guard isFailed else {
            return text.say(.caller, "scope: \(Self.list(covering)) covers \(action)")
        }
        text.say(.caller, "scope: none of \(Self.list(subject.scopes)) covers \(action)")
        text.mend(.caller, lackingScope)
    }

    private var lackingScope: String {
        let id = tokenID.map(Self.shown) ?? "ID"
        return switch subject.authSource {
        case "service_token":
            "Give the token the scope \(action): `tollgate token rotate \(id) --scope \(action)` makes one that has it too."
        case "api_key":
            "Give the key the scope \(action): `tollgate key update \(id)` with every --scope it shall have."
        case "bootstrap": "Add \(action) to TOLLGATE_AUTH_BOOTSTRAP_TOKEN_SCOPES."
        default:
            "Have the issuer add \(action) to the token's scopes, or set spec.policy.scopes of the AuthConfig to ignore."
        }
    }

    private mutating func platform() {
        guard question.rule?.platform == true else { return }
        guard failed("platform principal required") else {
            return text.say(.caller, "platform: the route needs a platform principal, the caller is one")
        }
        text.say(.caller, "platform: the route needs a platform principal, the caller is none")
        text.mend(
            .host,
            "Use a credential of the platform itself: the admin token, or one whose record or issuer entry says platform: true."
        )
    }

    // MARK: Whose resource

    private mutating func tenant() {
        guard let tenant = question.resource.tenant else {
            return text.say(.asker, "tenant: the resource's is not known")
        }
        let own = subject.tenant.map { "the caller's is \(Self.shown($0))" } ?? "the caller has none"
        if failed("cross-tenant access denied") {
            text.say(.caller, "tenant: the resource's is \(Self.shown(tenant)), \(own)")
            text.mend(
                .asker,
                "Call as somebody of tenant \(Self.shown(tenant)); only a platform admin reaches across tenants.")
        } else {
            let why = Self.isSame(subject.tenant, tenant) ? "" : ": a platform admin"
            text.say(.caller, "tenant: the resource's is \(Self.shown(tenant)), \(own)\(why)")
        }
    }

    private mutating func ownership() {
        let resource = question.resource
        guard isOwnerAsked else { return text.say(.asker, "owner: not checked, \(whyOwnerIsNotAsked)") }
        let owner = resource.owner.map { "the resource's is \(Self.shown($0))" } ?? "the resource's is not known"
        let compared = "owner: \(owner), the caller is \(Self.shown(subject.id))"
        guard failed("not resource owner") else { return text.say(.caller, compared + passesAsOwner) }
        text.say(.caller, compared)
        if let owner = resource.owner {
            let share = action.hasSuffix(":write") ? ", or have its project share it with `manage`" : ""
            text.mend(
                .asker, "Call as \(Self.shown(owner)) or as an administrator of the resource's tenant\(share).")
        } else {
            text.mend(
                .asker,
                "Have the gateway say who owns the resource (resource.owner, X-Tollgate-Resource-Owner): an unknown owner is nobody."
            )
        }
    }

    private var isOwnerAsked: Bool {
        let resource = question.resource
        if question.rule?.ownershipRequired == true { return true }
        guard action.hasSuffix(":write") || action.hasSuffix(":delete") else { return false }
        if resource.owner != nil { return true }
        let isDescribed = question.query.resource.id != nil || question.query.resource.owner != nil
        return resource.id != nil && (isDescribed || question.query.host?.ownership == .required)
    }

    private var whyOwnerIsNotAsked: String {
        guard action.hasSuffix(":write") || action.hasSuffix(":delete") else {
            return "the permission ends neither in write nor in delete"
        }
        return question.resource.id == nil
            ? "neither owner nor id of the resource is known" : "only the path says which resource it is"
    }

    private var passesAsOwner: String {
        if let owner = question.resource.owner, Self.isSame(owner, subject.id) { return ": the same" }
        return isTenantAdmin
            ? ": an administrator of the tenant" : question.shared.contains(.manage) ? ": by a share" : ""
    }

    private mutating func project() {
        guard let project = question.resource.project else {
            return text.say(.asker, "project: the resource's is not known")
        }
        let own = subject.project.map { "the caller's is \(Self.shown($0))" } ?? "the caller has none"
        let compared = "project: the resource's is \(Self.shown(project)), \(own)"
        let isFailed = failed("project access denied")
        var why = ""
        if !isFailed, !Self.isSame(subject.project, project) {
            why = isTenantAdmin ? ": an administrator of the tenant" : ": by a share"
        }
        text.say(.caller, compared + why)
        for share in shares { text.say(.caller, "share: \(share)") }
        guard isFailed else { return }
        text.mend(
            .asker,
            subject.project.map {
                "Have project \(Self.shown(project)) offer the resource to \(Self.shown($0)) (POST /v1/projects/{project}/access) and accept it there."
            } ?? "Call with a credential of project \(Self.shown(project)): this one belongs to no project.")
    }

    /// The shares of the resource with the caller's project: what they permit, and whether they count.
    private var shares: [String] {
        let resource = question.resource
        guard let type = question.resourceType, let id = resource.id, let owner = resource.project,
            let own = subject.project
        else { return [] }
        let key = ShareTable.Key(tenant: subject.tenant ?? "", type: type, id: id, project: own)
        return question.query.shares.shares(key).map { share in
            var said = "from \(Self.shown(share.ownerProject)), permits \(Self.list(share.permissions.names))"
            if !Self.isSame(share.ownerProject, owner) { said += ", does not count: of another project" }
            if let end = share.expiresAt {
                said += end > question.query.now ? ", until \(end.rfc3339)" : ", does not count: ended \(end.rfc3339)"
            }
            return said
        }
    }

    // MARK: Inline rules

    private mutating func rules() {
        guard let rules = question.query.host?.rules else { return }
        let matching = rules.matching(question)
        text.say(
            .host, matching.isEmpty ? "rules: none matches" : "rules that match: \(matching.joined(separator: ", "))")
        for reason in decision.reasons where reason.hasPrefix(Self.denied) {
            let rule = reason.dropFirst(Self.denied.count)
            text.mend(.host, "Change the request so that deny rule \(rule) no longer matches, or change the rule.")
        }
        if failed(RuleSet.noAllowRule) {
            text.mend(.host, "Change the request so that an allow rule of the AuthConfig matches, or change the rules.")
        }
    }

    /// What a deny rule's reason begins with.
    private static let denied = "denied by rule "

    // MARK: Words

    /// The admin of the tenant: `admin` among the effective roles, and the same tenant or the platform.
    private var isTenantAdmin: Bool {
        guard roles.effective.contains("admin") else { return false }
        return subject.platform || Self.isSame(subject.tenant, question.resource.tenant)
    }

    private static func noun(_ subject: PolicySubject) -> String {
        subject.authSource == "bootstrap" ? "bootstrap token" : "service token"
    }

    static func list(_ texts: [String]) -> String { "[\(texts.map(shown).joined(separator: ", "))]" }

    /// The text, cut where it is longer than anything that a person reads.
    static func shown(_ text: String) -> String {
        text.unicodeScalars.count <= 256 ? text : String(text.unicodeScalars.prefix(256)) + "…"
    }

    static func isSame(_ left: String?, _ right: String?) -> Bool {
        guard let left, let right else { return left == nil && right == nil }
        return left.utf8.elementsEqual(right.utf8)
    }
}
