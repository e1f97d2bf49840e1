// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// A service token as the store keeps it: everything but its text.
package struct ServiceTokenRecord: Sendable {
    /// What a token is good for now.
    package typealias Status = CredentialStatus

    package var identifier: String
    /// The identifier of the first token of the rotation chain.
    package var family: String
    /// SHA-256 of the whole text.
    package var secretDigest: SecretDigest
    package var description: String?
    /// Lists are sorted by bytes.
    package var scopes: [String]
    package var roles: [String]
    /// Trimmed and lower case.
    package var workspaceIDs: [String]
    package var tenantID: String?
    package var platform: Bool
    package var allowedCIDRs: [String]
    package var issuedAt: Timestamp
    package var expiresAt: Timestamp?
    package var rotationExpiresAt: Timestamp?
    package var lastUsedAt: Timestamp?
    package var useCount: Int64
    package var revokedAt: Timestamp?
    package var revokedBy: String?
    package var revocationReason: String?
    package var rotatedFrom: String?
    package var rotatedTo: String?
    /// The subject of whoever made it.
    package var createdBy: String
    /// Counts its changes, from 1: a change that was computed from an older record is not stored.
    package var revision: Int64 = 1

    /// A new record that was never used, rotated or revoked.
    package init(
        identifier: String, family: String? = nil, secretDigest: SecretDigest, grant: ServiceTokenGrant,
        issuedAt: Timestamp, expiresAt: Timestamp? = nil, rotatedFrom: String? = nil, createdBy: String
    ) {
        self.identifier = identifier
        self.family = family ?? identifier
        self.secretDigest = secretDigest
        description = grant.description
        scopes = grant.scopes
        roles = grant.roles
        workspaceIDs = grant.workspaceIDs
        tenantID = grant.tenantID
        platform = grant.platform
        allowedCIDRs = grant.allowedCIDRs
        self.issuedAt = issuedAt
        self.expiresAt = expiresAt
        self.rotatedFrom = rotatedFrom
        self.createdBy = createdBy
        useCount = 0
    }

    /// What it grants.
    package var grant: ServiceTokenGrant {
        get {
            ServiceTokenGrant(
                description: description, scopes: scopes, roles: roles, workspaceIDs: workspaceIDs,
                tenantID: tenantID, platform: platform, allowedCIDRs: allowedCIDRs)
        }
        set {
            description = newValue.description
            scopes = newValue.scopes
            roles = newValue.roles
            workspaceIDs = newValue.workspaceIDs
            tenantID = newValue.tenantID
            platform = newValue.platform
            allowedCIDRs = newValue.allowedCIDRs
        }
    }

    /// What it is good for at that instant.
    package func status(at now: Timestamp) -> Status {
        if revokedAt != nil { return .revoked }
        if let expiresAt, now >= expiresAt { return .expired }
        return rotatedTo == nil ? .active : .rotated
    }

    /// The token JSON: everything but the digest, nulls present.
    ///
    /// - Parameters:
    ///   - secret: the text, only in the answer that mints it.
    ///   - message: what to tell whoever gets the text.
    package func json(at now: Timestamp, secret: Redacted<String>? = nil, message: String? = nil) -> JSONObject {
        func time(_ instant: Timestamp?) -> JSONValue { .optional(instant?.rfc3339) }
        return [
            "identifier": .string(identifier), "family": .string(family), "description": .optional(description),
            "scopes": .strings(scopes), "roles": .strings(roles), "workspace_ids": .strings(workspaceIDs),
            "tenant_id": .optional(tenantID), "platform": .bool(platform), "allowed_cidrs": .strings(allowedCIDRs),
            "issued_at": time(issuedAt), "expires_at": time(expiresAt),
            "rotation_expires_at": time(rotationExpiresAt), "last_used_at": time(lastUsedAt),
            "use_count": .int(useCount), "revoked_at": time(revokedAt), "revoked_by": .optional(revokedBy),
            "revocation_reason": .optional(revocationReason), "rotated_from": .optional(rotatedFrom),
            "rotated_to": .optional(rotatedTo), "created_by": .string(createdBy),
            "status": .string(status(at: now).rawValue), "secret": .optional(secret?.revealed),
            "message": .optional(message),
        ]
    }

    /// Who presents it.
    package var principal: Principal {
        Principal(
            subject: family, identityType: .service, authSource: .serviceToken, platform: platform, scoped: true,
            tokenID: identifier, accountID: tenantID, tenantID: tenantID, workspaceIDs: workspaceIDs, roles: roles,
            scopes: scopes, issuedAt: issuedAt, expiresAt: expiresAt,
            claims: [
                "token_type": "service", "token_id": .string(identifier), "scopes": .strings(scopes),
                "workspace_ids": .strings(workspaceIDs), "rotated_to": .optional(rotatedTo),
                "revoked_at": .optional(revokedAt?.rfc3339),
            ])
    }
}

/// What a service token may do, and for whom.
package struct ServiceTokenGrant: Sendable, Hashable {
    package var description: String?
    /// Lists are sorted by bytes.
    package var scopes: [String]
    package var roles: [String]
    /// Trimmed and lower case.
    package var workspaceIDs: [String]
    package var tenantID: String?
    package var platform: Bool
    /// Addresses from which it is accepted; empty = any.
    package var allowedCIDRs: [String]

    package init(
        description: String? = nil, scopes: [String] = [], roles: [String] = [], workspaceIDs: [String] = [],
        tenantID: String? = nil, platform: Bool = false, allowedCIDRs: [String] = []
    ) {
        self.description = description
        self.scopes = scopes
        self.roles = roles
        self.workspaceIDs = workspaceIDs
        self.tenantID = tenantID
        self.platform = platform
        self.allowedCIDRs = allowedCIDRs
    }
}
