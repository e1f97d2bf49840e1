// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials

/// The checks of a decision, written as the tables of the policy read and without any table of the product's own.
struct ReferenceEvaluator {
    let roles: JSONObject
    let defaultRole: String
    let checksRoles: Bool

    struct Answer: Equatable {
        var reasons: [String]
        var effectiveRoles: [String]
    }

    func answer(_ subject: PolicySubject, _ query: PolicyQuery, shares: [(key: ShareTable.Key, share: AcceptedShare)])
        -> Answer
    {
        let action = query.action ?? ""
        let parts = action.split(separator: ":").map(String.init)
        let last = parts.last ?? ""
        let resource = query.resource
        let effective = effective(inUse(subject))
        let granted = effective.contains { role in
            (roles[role]?["permissions"]?.arrayValue ?? []).contains { covers($0.stringValue ?? "", parts) }
        }
        let isAdmin = effective.contains("admin")
        let isSame = subject.tenant == resource.tenant
        let administers = isAdmin && (isSame || subject.platform)
        let shared = permissions(subject, query, shares, type: resource.type ?? parts[0])
        var reasons: [String] = []
        let isToken = ["service_token", "bootstrap"].contains(subject.authSource)
        if !(isToken && subject.roles.isEmpty), !granted, checksRoles || parts[0] == "admin" || query.surface == .own {
            reasons.append("no matching role permission")
        }
        let isKey = subject.authSource == "api_key"
        let isLimited = isToken || isKey || (subject.scoped && query.host?.scopes == .enforce)
        if isLimited, !subject.scopes.contains(where: { covers($0, parts) }) {
            reasons.append("\(isKey ? "api key" : "token") scope does not permit action")
        }
        if let tenant = resource.tenant, tenant != subject.tenant, !(isAdmin && subject.platform) {
            reasons.append("cross-tenant access denied")
        }
        let isChange = last == "write" || last == "delete"
        // Here every attribute is stated, so an id is enough.
        if isChange, resource.owner != nil || resource.id != nil {
            let passes =
                resource.owner == subject.id || administers || (last == "write" && shared.contains("manage"))
            if !passes { reasons.append("not resource owner") }
        }
        if let project = resource.project {
            let isShared =
                (last == "read" && !shared.isEmpty)
                || (last == "execute" && !shared.isDisjoint(with: ["use", "manage"]))
                || (last != "delete" && shared.contains("manage"))
            if subject.project != project, !administers, !isShared { reasons.append("project access denied") }
        }
        return Answer(reasons: reasons, effectiveRoles: effective)
    }

    private func inUse(_ subject: PolicySubject) -> [String] {
        let builtIn: Set = [
            "offline_access", "uma_authorization", "manage-account", "manage-account-links", "view-profile",
        ]
        if subject.authSource == "keycloak" {
            let left = subject.roles.filter {
                roles[$0] != nil && !builtIn.contains($0) && !$0.hasPrefix("default-roles-")
            }
            return left.isEmpty && !subject.roles.isEmpty && subject.tenant != nil ? [defaultRole] : left
        }
        let isDefaulted = ["self-service", "api_key"].contains(subject.authSource) && subject.roles.isEmpty
        return isDefaulted ? [defaultRole] : subject.roles
    }

    private func effective(_ names: [String]) -> [String] {
        var found: Set<String> = []
        for name in names {
            var next: String? = name
            while let role = next, let data = roles[role] {
                found.insert(role)
                next = data["inherits"]?.stringValue
            }
        }
        return found.sorted()
    }

    private func covers(_ grant: String, _ action: [String]) -> Bool {
        let parts = grant.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        return parts == action
            || (parts.count > 1 && parts.last == "*" && Array(parts.dropLast()) == Array(action.dropLast()))
    }

    private func permissions(
        _ subject: PolicySubject, _ query: PolicyQuery, _ shares: [(key: ShareTable.Key, share: AcceptedShare)],
        type: String
    ) -> Set<String> {
        var found: Set<String> = []
        for (key, share) in shares {
            guard key.tenant == subject.tenant ?? "", key.type == type, key.id == query.resource.id,
                key.project == subject.project, share.ownerProject == query.resource.project
            else { continue }
            if let end = share.expiresAt, end <= query.now { continue }
            if share.permissions.contains(.read) { found.insert("read") }
            if share.permissions.contains(.use) { found.insert("use") }
            if share.permissions.contains(.manage) { found.insert("manage") }
        }
        return found
    }
}
