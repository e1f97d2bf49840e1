// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// The rules of the evaluator, one function each. They are values, so that a test can put a wrong one in the place of a right one and see
/// which case notices.
struct PolicyChecks: Sendable {
    /// The roles of a subject after the default rules, before inheritance.
    var rolesInUse: @Sendable (CompiledPolicy, PolicySubject) -> [String] = { $0.standardRolesInUse($1) }
    /// The known roles among names with all their ancestors: as a set and as sorted names.
    var inherited: @Sendable (RoleTable, _ names: [String]) -> (set: RoleSet, names: [String]) = { $0.effective($1) }
    /// Whether the roles grant an action.
    var permitsRoles: @Sendable (CompiledPolicy, PolicyQuestion, _ action: String) -> Bool = {
        policy, question, action in
        policy.permits(roles: question.effective, question.subject, action)
    }
    /// Whether the scopes, where they limit, permit an action.
    var permitsScopes: @Sendable (CompiledPolicy, PolicyQuestion, _ action: String) -> Bool = {
        policy, question, action in
        policy.permits(scopesOf: question.subject, action, enforced: question.scopesEnforced)
    }
    /// Whether a scope covers an action.
    var scopeMatches: @Sendable (_ scope: String, _ action: String) -> Bool = {
        PermissionName.matches(grant: $0, action: $1)
    }
    /// Whether the shares that count cover an action.
    var shareCovers: @Sendable (SharePermissions, _ action: String?) -> Bool = { $0.covers($1) }
    /// Whether a share of a resource counts.
    var shareCounts: @Sendable (AcceptedShare, _ ownerProject: String, _ now: Timestamp) -> Bool = {
        share, owner, now in
        SameBytes.areEqual(share.ownerProject, owner) && share.expiresAt.map { now < $0 } ?? true
    }
    /// Whether the subject administers the tenant of the resource.
    var administersTenant: @Sendable (CompiledPolicy, PolicyQuestion) -> Bool = { policy, question in
        guard policy.isAdmin(question.effective) else { return false }
        return question.subject.platform || SameBytes.areEqual(question.subject.tenant, question.resource.tenant)
    }
    /// Whether ownership is asked about.
    var asksForOwner: @Sendable (PolicyQuestion) -> Bool = { question in
        if question.ownershipRequired { return true }
        guard let action = question.action,
            PermissionName.ends(action, in: "write") || PermissionName.ends(action, in: "delete")
        else { return false }
        if question.resource.owner != nil { return true }
        return question.resource.id != nil
            && (question.query.isDescribed || question.query.host?.ownership == .required)
    }
    /// Whether the subject is the owner. Nobody owns what is nobody's, and an anonymous caller owns nothing.
    var owns: @Sendable (PolicyQuestion) -> Bool = { question in
        guard let owner = question.resource.owner, !question.subject.id.isEmpty, !question.subject.isAnonymous else {
            return false
        }
        return SameBytes.areEqual(owner, question.subject.id)
    }
    /// Whether the subject may reach the tenant of the resource.
    var reachesTenant: @Sendable (CompiledPolicy, PolicyQuestion) -> Bool = { policy, question in
        guard let tenant = question.resource.tenant else { return true }
        if SameBytes.areEqual(question.subject.tenant, tenant) { return true }
        return question.subject.platform && policy.isAdmin(question.effective)
    }
    /// Whether a principal of the platform is asked for and missing.
    var lacksPlatform: @Sendable (PolicyQuestion) -> Bool = { $0.rule?.platform == true && !$0.subject.platform }

    static let standard = PolicyChecks()
}

/// Equality of bytes, which Swift's own equality of texts is not.
enum SameBytes {
    /// Both absent is equal.
    static func areEqual(_ left: String?, _ right: String?) -> Bool {
        guard let left, let right else { return left == nil && right == nil }
        return left.utf8.elementsEqual(right.utf8)
    }
}

extension SharePermissions {
    /// Whether they cover the action: `read` what ends in `read`, `use` that and `execute`, `manage` all that does not end in `delete`.
    func covers(_ action: String?) -> Bool {
        guard let action, !isEmpty else { return false }
        if contains(.manage) { return !PermissionName.ends(action, in: "delete") }
        if PermissionName.ends(action, in: "read") { return true }
        return contains(.use) && PermissionName.ends(action, in: "execute")
    }

    /// As records and questions write them, sorted.
    package var names: [String] {
        var names: [String] = []
        if contains(.manage) { names.append("manage") }
        if contains(.read) { names.append("read") }
        if contains(.use) { names.append("use") }
        return names
    }
}
