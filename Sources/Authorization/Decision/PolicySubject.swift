// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// What the policy knows of a caller: taken from a verified credential or its stored record, never from the request.
package struct PolicySubject: Sendable, Hashable {
    package var id: String
    /// As they came; the policy filters and defaults them.
    package var roles: [String]
    package var tenant: String?
    package var project: String?
    /// `keycloak`, `jwt`, `service_token` and so on, with `anonymous` for the caller without a credential.
    package var authSource: String
    /// Whether the identity source belongs to the platform.
    package var platform: Bool
    package var scopes: [String]
    /// Whether the token has a scope claim, even an empty one; always true for tokens that scopes limit anyway.
    package var scoped: Bool
    /// The admin token or the unrestricted bootstrap token. The decision does not look at it.
    package var admin: Bool

    package init(
        id: String, roles: [String] = [], tenant: String? = nil, project: String? = nil, authSource: String,
        platform: Bool = false, scopes: [String] = [], scoped: Bool = false, admin: Bool = false
    ) {
        self.id = id
        self.roles = roles
        self.tenant = tenant
        self.project = project
        self.authSource = authSource
        self.platform = platform
        self.scopes = scopes
        self.scoped = scoped
        self.admin = admin
    }

    /// Whether nothing was presented or accepted.
    package var isAnonymous: Bool { authSource == "anonymous" }

    /// Whether the scopes of such a credential always limit it.
    package var isAlwaysLimited: Bool {
        authSource == "service_token" || authSource == "api_key" || authSource == "bootstrap"
    }

    /// Whether its scopes are its whole grant, so that roles are not asked.
    package var scopesAreGrant: Bool { roles.isEmpty && (authSource == "service_token" || authSource == "bootstrap") }
}
