// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// A verified caller: what the pipeline, the policy and the records know of who is asking. Immutable, one reference to pass on.
package final class Principal: Sendable {
    /// What kind of caller it is.
    package enum IdentityType: String, Sendable {
        case anonymous, user, service
        case apiKey = "api_key"
    }

    /// Which credential proved it.
    package enum AuthSource: String, Sendable {
        case anonymous, bootstrap, jwt, keycloak, kubernetes, spiffe, mtls
        case staticToken = "static_token"
        case serviceToken = "service_token"
        case apiKey = "api_key"
    }

    package let subject: String
    package let identityType: IdentityType
    package let authSource: AuthSource
    /// True for the admin token and the unrestricted bootstrap token; platform admins are found by the policy.
    package let admin: Bool
    /// Whether the identity source says that this caller belongs to the platform itself.
    package let platform: Bool
    /// Whether scopes limit this caller where the policy enforces them.
    package let scoped: Bool
    package let tokenID: String?
    package let accountID: String?
    package let tenantID: String?
    package let projectID: String?
    /// Lower case, sorted by bytes.
    package let workspaceIDs: [String]
    /// Sorted by bytes, as they came: the policy filters and defaults them.
    package let roles: [String]
    package let groups: [String]
    package let scopes: [String]
    package let email: String?
    package let emailVerified: Bool
    package let username: String?
    package let name: String?
    package let clientID: String?
    package let sessionID: String?
    package let issuer: String?
    package let audience: [String]
    package let issuedAt: Timestamp?
    package let expiresAt: Timestamp?
    /// A full copy of what the credential said; never logged whole.
    package let claims: JSONObject

    /// Takes every field as it is; whoever verifies the credential has normalised them.
    package init(
        subject: String, identityType: IdentityType, authSource: AuthSource, admin: Bool = false,
        platform: Bool = false, scoped: Bool = false, tokenID: String? = nil, accountID: String? = nil,
        tenantID: String? = nil, projectID: String? = nil, workspaceIDs: [String] = [], roles: [String] = [],
        groups: [String] = [], scopes: [String] = [], email: String? = nil, emailVerified: Bool = false,
        username: String? = nil, name: String? = nil, clientID: String? = nil, sessionID: String? = nil,
        issuer: String? = nil, audience: [String] = [], issuedAt: Timestamp? = nil, expiresAt: Timestamp? = nil,
        claims: JSONObject = JSONObject()
    ) {
        self.subject = subject
        self.identityType = identityType
        self.authSource = authSource
        self.admin = admin
        self.platform = platform
        self.scoped = scoped
        self.tokenID = tokenID
        self.accountID = accountID
        self.tenantID = tenantID
        self.projectID = projectID
        self.workspaceIDs = workspaceIDs
        self.roles = roles
        self.groups = groups
        self.scopes = scopes
        self.email = email
        self.emailVerified = emailVerified
        self.username = username
        self.name = name
        self.clientID = clientID
        self.sessionID = sessionID
        self.issuer = issuer
        self.audience = audience
        self.issuedAt = issuedAt
        self.expiresAt = expiresAt
        self.claims = claims
    }

    /// The caller that presented nothing.
    package static let anonymous = Principal(
        subject: "anonymous", identityType: .anonymous, authSource: .anonymous)

    /// Whether nothing was presented or accepted.
    package var isAnonymous: Bool { authSource == .anonymous }
}

extension Principal {
    /// The JSON of `GET /v1/auth/me`; decisions leave the claims out.
    ///
    /// - Parameter admin: what the policy says of it, where the caller of this function knows better than the credential.
    package func json(includingClaims: Bool, admin: Bool? = nil) -> JSONObject {
        func time(_ instant: Timestamp?) -> JSONValue { .optional(instant?.rfc3339) }
        var object: JSONObject = [
            "subject": .string(subject), "identity_type": .string(identityType.rawValue),
            "auth_source": .string(authSource.rawValue), "admin": .bool(admin ?? self.admin),
            "platform": .bool(platform), "scoped": .bool(scoped), "token_id": .optional(tokenID),
            "account_id": .optional(accountID), "tenant_id": .optional(tenantID),
            "project_id": .optional(projectID), "workspace_ids": .strings(workspaceIDs), "roles": .strings(roles),
            "groups": .strings(groups), "scopes": .strings(scopes), "email": .optional(email),
            "email_verified": .bool(emailVerified), "username": .optional(username), "name": .optional(name),
            "client_id": .optional(clientID), "session_id": .optional(sessionID), "issuer": .optional(issuer),
            "audience": .strings(audience), "issued_at": time(issuedAt), "expires_at": time(expiresAt),
        ]
        if includingClaims { object["claims"] = .object(claims) }
        return object
    }
}
