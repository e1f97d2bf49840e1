// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// What the policy in force says about keys.
package struct APIKeyCatalogue: Sendable {
    /// What a key gets that is made without scopes.
    package var defaultScopes: [String]
    /// Every permission that there is.
    package var permissions: [String]

    package init(defaultScopes: [String] = [], permissions: [String] = []) {
        self.defaultScopes = defaultScopes
        self.permissions = permissions
    }

    /// The permissions of a shorthand.
    func permissions(_ shorthand: CreateAPIKey.Shorthand) -> [String] {
        permissions.filter { permission in
            let segments = permission.split(separator: ":")
            return switch shorthand {
            case .readOnly: segments.last == "read"
            case .readWrite: segments.first != "admin"
            case .admin: true
            }
        }
    }
}

/// How many keys an account may have active.
package struct APIKeyAllowance: Sendable {
    /// Name of the plan in force.
    package var plan: String
    /// Nil = no limit.
    package var limit: Int64?
    /// The plan that would help, as JSON; nil where there is none to tell.
    package var upgrade: @Sendable (_ needed: Int64) -> JSONValue

    package init(
        plan: String, limit: Int64?, upgrade: @escaping @Sendable (_ needed: Int64) -> JSONValue = { _ in .null }
    ) {
        self.plan = plan
        self.limit = limit
        self.upgrade = upgrade
    }
}

/// What the registry asks about policy and accounts, each time it needs to know.
package struct APIKeyRules: Sendable {
    package var catalogue: @Sendable () -> APIKeyCatalogue
    package var allowance: @Sendable (_ account: String, _ now: Timestamp) -> APIKeyAllowance

    package init(
        catalogue: @escaping @Sendable () -> APIKeyCatalogue,
        allowance: @escaping @Sendable (_ account: String, _ now: Timestamp) -> APIKeyAllowance
    ) {
        self.catalogue = catalogue
        self.allowance = allowance
    }
}
