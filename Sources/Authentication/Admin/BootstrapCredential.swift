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
    /// Exactly these scopes; nil = the own ones and what role `admin` grants.
    private let fixedScopes: [String]?
    /// What role `admin` granted at the start.
    private let adminPermissions: [String]
    private let expiresAt: Timestamp?
    private let autoDisable: Bool

    /// Takes what the settings say.
    ///
    /// - Parameter adminPermissions: every permission of role `admin`, where a request does not say what the present policy data grants;
    ///   used when the settings name no scopes.
    package init(_ settings: BootstrapSettings, adminPermissions: some Sequence<String>) {
        digest = SecretDigest(of: settings.token.revealed)
        expiresAt = settings.expiresAt
        autoDisable = settings.autoDisable
        fixedScopes = settings.scopes
        self.adminPermissions = Array(adminPermissions)
    }

    /// Whoever presents it.
    private func principal(_ adminPermissions: [String]) -> Principal {
        let scopes = fixedScopes ?? ASCII.sortedByBytes(Set(Self.ownScopes).union(adminPermissions))
        return Principal(
            subject: "bootstrap", identityType: .service, authSource: .bootstrap, admin: fixedScopes == nil,
            platform: true, scoped: true, tokenID: "bootstrap", workspaceIDs: ["*"], scopes: scopes,
            expiresAt: expiresAt,
            claims: [
                "token_type": "bootstrap_service", "token_id": "bootstrap", "scopes": .strings(scopes),
                "expires_at": .optional(expiresAt?.rfc3339),
            ])
    }

    /// What becomes of the right text.
    ///
    /// - Parameters:
    ///   - adminPermissions: what role `admin` grants by the policy data that judges the request; nil = what it granted at the start.
    ///   - hasSuccessor: whether an active service token may make tokens.
    func outcome(
        now: Timestamp, adminPermissions: [String]? = nil, hasSuccessor: () -> Bool
    ) -> AuthenticationOutcome {
        if autoDisable, hasSuccessor() {
            return .refused(
                Refusal(.authTokenRevoked, message: "Bootstrap service token has been revoked"), identity: nil)
        }
        if let expiresAt, now >= expiresAt {
            return .refused(
                Refusal(.authTokenExpired, message: "Bootstrap service token has expired"), identity: nil)
        }
        return .verified(principal(adminPermissions ?? self.adminPermissions))
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
