// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// An API key of an account as the store keeps it: everything but its text. What it may do as a person is its owner's and not kept here.
package struct APIKeyRecord: Sendable {
    /// Which of the two texts the key's begins with.
    package enum Environment: String, Sendable, CaseIterable {
        case live, test
    }

    package var id: String
    /// The id of the first key of the rotation chain.
    package var family: String
    /// SHA-256 of the whole text.
    package var secretDigest: SecretDigest
    package var name: String
    package var environment: Environment
    package var accountID: String
    /// Nil for the account of somebody without a tenant.
    package var tenantID: String?
    package var projectID: String?
    /// Whose key it is: every request with it is this subject's.
    package var owner: APIKeyOwner.Identity
    package var description: String?
    /// Lists are sorted by bytes.
    package var scopes: [String]
    /// Trimmed and lower case.
    package var workspaceIDs: [String]
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
        id: String, family: String? = nil, secretDigest: SecretDigest, grant: APIKeyGrant,
        owner: APIKeyOwner.Identity, issuedAt: Timestamp, expiresAt: Timestamp? = nil, rotatedFrom: String? = nil,
        createdBy: String
    ) {
        self.id = id
        self.family = family ?? id
        self.secretDigest = secretDigest
        self.owner = owner
        name = grant.name
        environment = grant.environment
        accountID = grant.accountID
        tenantID = grant.tenantID
        projectID = grant.projectID
        description = grant.description
        scopes = grant.scopes
        workspaceIDs = grant.workspaceIDs
        allowedCIDRs = grant.allowedCIDRs
        self.issuedAt = issuedAt
        self.expiresAt = expiresAt
        self.rotatedFrom = rotatedFrom
        self.createdBy = createdBy
        useCount = 0
    }

    /// What its successor takes over.
    package var grant: APIKeyGrant {
        APIKeyGrant(
            name: name, environment: environment, accountID: accountID, tenantID: tenantID, projectID: projectID,
            description: description, scopes: scopes, workspaceIDs: workspaceIDs, allowedCIDRs: allowedCIDRs)
    }

    /// What it is good for at that instant.
    package func status(at now: Timestamp) -> CredentialStatus {
        if revokedAt != nil { return .revoked }
        if let expiresAt, now >= expiresAt { return .expired }
        return rotatedTo == nil ? .active : .rotated
    }

    /// The key JSON: everything but the digest, nulls present.
    ///
    /// - Parameters:
    ///   - roles: the owner's present ones.
    ///   - key: the text, only in the answer that mints it.
    ///   - message: what to tell whoever gets the text.
    package func json(
        at now: Timestamp, roles: [String], key: Redacted<String>? = nil, message: String? = nil
    ) -> JSONObject {
        func time(_ instant: Timestamp?) -> JSONValue { .optional(instant?.rfc3339) }
        return [
            "id": .string(id), "family": .string(family), "name": .string(name),
            "environment": .string(environment.rawValue), "account_id": .string(accountID),
            "tenant_id": .optional(tenantID), "project_id": .optional(projectID), "owner": .string(owner.subject),
            "owner_issuer": .string(owner.issuer), "description": .optional(description), "scopes": .strings(scopes),
            "roles": .strings(roles), "workspace_ids": .strings(workspaceIDs),
            "allowed_cidrs": .strings(allowedCIDRs), "issued_at": time(issuedAt), "expires_at": time(expiresAt),
            "rotation_expires_at": time(rotationExpiresAt), "last_used_at": time(lastUsedAt),
            "use_count": .int(useCount), "revoked_at": time(revokedAt), "revoked_by": .optional(revokedBy),
            "revocation_reason": .optional(revocationReason), "rotated_from": .optional(rotatedFrom),
            "rotated_to": .optional(rotatedTo), "created_by": .string(createdBy),
            "status": .string(status(at: now).rawValue), "key": .optional(key?.revealed), "message": .optional(message),
        ]
    }

    /// Who presents it: the owner, as far as the record goes, and never the platform.
    package func principal(roles: [String]) -> Principal {
        Principal(
            subject: owner.subject, identityType: .apiKey, authSource: .apiKey, scoped: true, tokenID: id,
            accountID: accountID, tenantID: tenantID, projectID: projectID, workspaceIDs: workspaceIDs, roles: roles,
            scopes: scopes, issuedAt: issuedAt, expiresAt: expiresAt,
            claims: [
                "token_type": "api_key", "token_id": .string(id), "scopes": .strings(scopes),
                "workspace_ids": .strings(workspaceIDs), "environment": .string(environment.rawValue),
                "rotated_to": .optional(rotatedTo), "revoked_at": .optional(revokedAt?.rfc3339),
            ])
    }
}

/// What a key says of itself, and which account it belongs to.
package struct APIKeyGrant: Sendable, Hashable {
    package var name: String
    package var environment: APIKeyRecord.Environment
    package var accountID: String
    package var tenantID: String?
    package var projectID: String?
    package var description: String?
    /// Lists are sorted by bytes.
    package var scopes: [String]
    /// Trimmed and lower case.
    package var workspaceIDs: [String]
    /// Addresses from which it is accepted; empty = any.
    package var allowedCIDRs: [String]

    package init(
        name: String, environment: APIKeyRecord.Environment = .live, accountID: String, tenantID: String? = nil,
        projectID: String? = nil, description: String? = nil, scopes: [String] = [], workspaceIDs: [String] = [],
        allowedCIDRs: [String] = []
    ) {
        self.name = name
        self.environment = environment
        self.accountID = accountID
        self.tenantID = tenantID
        self.projectID = projectID
        self.description = description
        self.scopes = scopes
        self.workspaceIDs = workspaceIDs
        self.allowedCIDRs = allowedCIDRs
    }
}
