// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// The form in which stores keep a record: instants in microseconds, so that nothing is lost.
extension APIKeyRecord {
    /// Everything of the record but what its use changes (`last_used_at`, `use_count`).
    package var storedJSON: JSONObject {
        func time(_ instant: Timestamp?) -> JSONValue { instant.map { .int($0.microseconds) } ?? .null }
        return [
            "id": .string(id), "family": .string(family), "secret_hash": .string(secretDigest.hex),
            "name": .string(name), "environment": .string(environment.rawValue), "account_id": .string(accountID),
            "tenant_id": .optional(tenantID), "project_id": .optional(projectID), "owner": .string(owner.subject),
            "owner_issuer": .string(owner.issuer), "owner_tenant": .optional(owner.tenantID),
            "description": .optional(description), "scopes": .strings(scopes),
            "workspace_ids": .strings(workspaceIDs), "allowed_cidrs": .strings(allowedCIDRs),
            "issued_at": time(issuedAt), "expires_at": time(expiresAt),
            "rotation_expires_at": time(rotationExpiresAt), "revoked_at": time(revokedAt),
            "revoked_by": .optional(revokedBy), "revocation_reason": .optional(revocationReason),
            "rotated_from": .optional(rotatedFrom), "rotated_to": .optional(rotatedTo),
            "created_by": .string(createdBy), "revision": .int(revision),
        ]
    }

    /// Reads what `storedJSON` wrote; nil when something that must be there is not.
    package init?(storedJSON object: JSONObject, lastUsedAt: Timestamp?, useCount: Int64) {
        func text(_ name: String) -> String? { object[name]?.stringValue }
        func list(_ name: String) -> [String] { object[name]?.arrayValue?.compactMap(\.stringValue) ?? [] }
        func time(_ name: String) -> Timestamp? { object[name]?.intValue.map { Timestamp(microseconds: $0) } }
        guard let id = text("id"), let family = text("family"), let name = text("name"),
            let digest = text("secret_hash").flatMap({ SecretDigest(hex: $0) }),
            let environment = text("environment").flatMap({ Environment(rawValue: $0) }),
            let accountID = text("account_id"), let subject = text("owner"), let issuer = text("owner_issuer"),
            let issuedAt = time("issued_at"), let createdBy = text("created_by"),
            let revision = StoredRevision.read(object)
        else { return nil }
        // An instant or block that cannot be read would make the key good for longer or for more: the record is refused instead.
        for name in ["expires_at", "rotation_expires_at", "revoked_at"] {
            guard let value = object[name], value.isNull || value.intValue != nil else { return nil }
        }
        let cidrs = list("allowed_cidrs")
        guard cidrs.count == object["allowed_cidrs"]?.arrayValue?.count, cidrs.allSatisfy({ CIDR($0) != nil })
        else { return nil }
        self.init(
            id: id, family: family, secretDigest: digest,
            grant: APIKeyGrant(
                name: name, environment: environment, accountID: accountID, tenantID: text("tenant_id"),
                projectID: text("project_id"), description: text("description"), scopes: list("scopes"),
                workspaceIDs: list("workspace_ids"), allowedCIDRs: cidrs),
            owner: APIKeyOwner.Identity(issuer: issuer, subject: subject, tenantID: text("owner_tenant")),
            issuedAt: issuedAt, expiresAt: time("expires_at"), rotatedFrom: text("rotated_from"), createdBy: createdBy)
        rotationExpiresAt = time("rotation_expires_at")
        revokedAt = time("revoked_at")
        revokedBy = text("revoked_by")
        revocationReason = text("revocation_reason")
        rotatedTo = text("rotated_to")
        self.revision = revision
        self.lastUsedAt = lastUsedAt
        self.useCount = useCount
    }
}
