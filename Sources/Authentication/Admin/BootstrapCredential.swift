// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// The token with which the first tokens are made: read from the settings, never stored.
package struct BootstrapCredential: Sendable {
    /// What it may do besides every permission of role `admin`.
    package static let ownScopes = [
        "admin:tokens:read", "admin:tokens:write", "workflows:read", "workflows:write", "workflows:execute",
        "vault:read", "vault:write",
    ]

    let digest: SecretDigest
    /// Whoever presents it.
    package let principal: Principal
    private let expiresAt: Timestamp?
    private let autoDisable: Bool

    /// Takes what the settings say.
    ///
    /// - Parameter adminPermissions: every permission of role `admin`; used when the settings name no scopes.
    package init(_ settings: BootstrapSettings, adminPermissions: some Sequence<String>) {
        digest = SecretDigest(of: settings.token.revealed)
        expiresAt = settings.expiresAt
        autoDisable = settings.autoDisable
        let scopes = settings.scopes ?? ASCII.sortedByBytes(Set(Self.ownScopes).union(adminPermissions))
        principal = Principal(
            subject: "bootstrap", identityType: .service, authSource: .bootstrap, admin: settings.scopes == nil,
            platform: true, scoped: true, tokenID: "bootstrap", workspaceIDs: ["*"], scopes: scopes,
            expiresAt: settings.expiresAt,
            claims: [
                "token_type": "bootstrap_service", "token_id": "bootstrap", "scopes": .strings(scopes),
                "expires_at": .optional(settings.expiresAt?.rfc3339),
            ])
    }

    /// What becomes of the right text.
    ///
    /// - Parameter hasSuccessor: whether an active service token may make tokens.
    func outcome(now: Timestamp, hasSuccessor: () -> Bool) -> AuthenticationOutcome {
        if autoDisable, hasSuccessor() {
            return .refused(
                Refusal(.authTokenRevoked, message: "Bootstrap service token has been revoked"), identity: nil)
        }
        if let expiresAt, now >= expiresAt {
            return .refused(
                Refusal(.authTokenExpired, message: "Bootstrap service token has expired"), identity: nil)
        }
        return .verified(principal)
    }
}

/// What the settings say about the bootstrap token.
package struct BootstrapSettings: Sendable {
    package var token: Redacted<String>
    /// Exactly these scopes; nil = all that its job needs. Sorted by bytes.
    package var scopes: [String]?
    package var expiresAt: Timestamp?
    /// Refused while an active service token holds `admin:tokens:write`.
    package var autoDisable: Bool

    package init(
        token: Redacted<String>, scopes: [String]? = nil, expiresAt: Timestamp? = nil, autoDisable: Bool = false
    ) {
        self.token = token
        self.scopes = scopes
        self.expiresAt = expiresAt
        self.autoDisable = autoDisable
    }
}
