// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// The settings that decide which roles a caller without usable ones gets.
package struct PolicySettings: Sendable, Hashable {
    /// For accounts of the platform and API keys that came without roles.
    package var defaultUserRole: String
    /// For a Keycloak user of a tenant whose roles are all unknown or built-in.
    package var defaultKeycloakTenantRole: String
    /// Whether requests to workloads need a role that grants what they ask for; what administers always does.
    package var roleCheckEnabled: Bool

    /// - Parameter defaultKeycloakTenantRole: the default user role unless given.
    package init(
        defaultUserRole: String = "editor", defaultKeycloakTenantRole: String? = nil, roleCheckEnabled: Bool = true
    ) {
        self.defaultUserRole = defaultUserRole
        self.defaultKeycloakTenantRole = defaultKeycloakTenantRole ?? defaultUserRole
        self.roleCheckEnabled = roleCheckEnabled
    }
}

/// The policy cannot be put in force.
package struct PolicyError: Error, Sendable {
    package enum Code: String, Sendable {
        case unknownDefaultRole = "policy.unknown_default_role"
        case rolesInvalid = "policy.roles_invalid"
        case routesInvalid = "policy.routes_invalid"
        case builtInUnreadable = "policy.builtin_unreadable"
    }
    package let code: Code
    package let message: String
    package let cause: (any Error)?

    init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }
}
