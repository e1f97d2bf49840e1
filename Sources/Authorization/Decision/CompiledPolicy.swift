// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Crypto
package import Essentials

/// Roles, routes and settings in force together: the one function that decides, and what it looks up. Pure and immutable: no clock, no I/O.
package final class CompiledPolicy: Sendable {
    package let roles: RoleTable
    /// The shipped table, which follows an AuthConfig's own rules.
    package let routes: RouteTable
    package let settings: PolicySettings
    /// First 16 hexadecimal digits of the SHA-256 of the canonical data.
    package let revision: String

    let checks: PolicyChecks
    private let defaultUserRoles: [String]
    private let defaultTenantRoles: [String]

    /// - Throws: `unknownDefaultRole` when a default role is not in the data.
    package convenience init(
        roles: RoleTable, routes: RouteTable, settings: PolicySettings = PolicySettings()
    ) throws(PolicyError) {
        try self.init(roles: roles, routes: routes, settings: settings, checks: .standard)
    }

    init(roles: RoleTable, routes: RouteTable, settings: PolicySettings, checks: PolicyChecks) throws(PolicyError) {
        self.checks = checks
        for role in [settings.defaultUserRole, settings.defaultKeycloakTenantRole] where !roles.isKnown(role) {
            throw PolicyError(.unknownDefaultRole, "The default role \(role) is not in the role data")
        }
        self.roles = roles
        self.routes = routes
        self.settings = settings
        defaultUserRoles = [settings.defaultUserRole]
        defaultTenantRoles = [settings.defaultKeycloakTenantRole]
        let data: JSONValue = ["roles": roles.document, "routes": routes.document]
        revision = Hex.encode(SHA256.hash(data: data.encoded(sortedNames: true)).prefix(8))
    }

    /// Compiles the two documents.
    ///
    /// - Throws: `rolesInvalid` or `routesInvalid`, with the table's own error as the cause, or `unknownDefaultRole`.
    package static func compile(
        rolesDocument: JSONValue, routesDocument: JSONValue, settings: PolicySettings = PolicySettings()
    ) throws(PolicyError) -> CompiledPolicy {
        let roles: RoleTable
        do throws(RoleTableError) {
            roles = try RoleTable(document: rolesDocument)
        } catch {
            throw PolicyError(.rolesInvalid, error.message, cause: error)
        }
        let routes: RouteTable
        do throws(RouteTableError) {
            routes = try RouteTable(document: routesDocument)
        } catch {
            throw PolicyError(.routesInvalid, error.message, cause: error)
        }
        return try CompiledPolicy(roles: roles, routes: routes, settings: settings)
    }

    /// The first rule that covers the request: the AuthConfig's own rules, then the shipped table where it says so.
    package func match(method: String, path: CanonicalPath, host: HostPolicy? = nil) -> RouteMatch? {
        if let host {
            if let match = host.routes?.match(method: method, path: path) { return match }
            if !host.builtinRoutes { return nil }
        }
        return routes.match(method: method, path: path)
    }

    /// Every permission of a role with those up its chain, sorted; wildcards as written. Empty for an unknown role.
    package func allPermissions(ofRole role: String) -> [String] { roles.permissions(ofRole: role) }

    /// Whether roles and scopes of the subject both allow the permission, as on Tollgate's own API. A wildcard (`tasks:*`) is held only through a wildcard.
    package func holds(subject: PolicySubject?, permission: String) -> Bool {
        guard let subject, !subject.isAnonymous, PermissionName.isValid(permission, allowingWildcard: true) else {
            return false
        }
        return permits(roles: effectiveRoles(subject).set, subject, permission)
            && permits(scopesOf: subject, permission, enforced: false)
    }

    /// Whether the subject is a platform principal with `admin` among its effective roles.
    package func isPlatformAdmin(subject: PolicySubject?) -> Bool {
        guard let subject, subject.platform, !subject.isAnonymous else { return false }
        return isAdmin(effectiveRoles(subject).set)
    }

    /// The subject's known roles after the default rules, with all their ancestors, sorted.
    package func effectiveRoleNames(subject: PolicySubject) -> [String] { effectiveRoles(subject).names }
}

extension CompiledPolicy {
    func isAdmin(_ roleSet: RoleSet) -> Bool { roles.adminNumber.map(roleSet.contains) ?? false }

    func effectiveRoles(_ subject: PolicySubject) -> (set: RoleSet, names: [String]) {
        if subject.isAnonymous { return (RoleSet(), []) }
        return checks.inherited(roles, checks.rolesInUse(self, subject))
    }

    /// The roles after the default rules, before inheritance.
    func standardRolesInUse(_ subject: PolicySubject) -> [String] {
        switch subject.authSource {
        case "keycloak":
            if subject.roles.isEmpty { return [] }
            let usable = subject.roles.filter { roles.isKnown($0) && !Self.isKeycloakBuiltIn($0) }
            return usable.isEmpty && subject.tenant != nil ? defaultTenantRoles : usable
        case "self-service", "api_key": return subject.roles.isEmpty ? defaultUserRoles : subject.roles
        default: return subject.roles
        }
    }

    private static func isKeycloakBuiltIn(_ role: String) -> Bool {
        switch role {
        case "offline_access", "uma_authorization", "manage-account", "manage-account-links", "view-profile": true
        default: role.utf8.starts(with: "default-roles-".utf8)
        }
    }

    /// The role check.
    func permits(roles roleSet: RoleSet, _ subject: PolicySubject, _ permission: String) -> Bool {
        subject.scopesAreGrant || !roles.granting(permission).isDisjoint(with: roleSet)
    }

    /// The scope check.
    func permits(scopesOf subject: PolicySubject, _ permission: String, enforced: Bool) -> Bool {
        guard subject.isAlwaysLimited || enforced && subject.scoped else { return true }
        return subject.scopes.contains { checks.scopeMatches($0, permission) }
    }
}
