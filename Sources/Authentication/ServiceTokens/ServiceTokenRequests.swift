// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// What the body of a creation asks for.
package struct CreateServiceToken: Sendable {
    /// Nil = one is generated.
    package var identifier: String?
    package var grant: ServiceTokenGrant
    package var expiresInSeconds: Int64?

    package init(
        identifier: String? = nil, grant: ServiceTokenGrant = ServiceTokenGrant(), expiresInSeconds: Int64? = nil
    ) {
        self.identifier = identifier
        self.grant = grant
        self.expiresInSeconds = expiresInSeconds
    }

    /// Reads a body.
    ///
    /// - Throws: `request.malformed`, `request.invalid`.
    package init(json: JSONObject) throws(Refusal) {
        var fields = try RequestFields(
            json,
            known: [
                "identifier", "description", "scopes", "roles", "workspace_ids", "tenant_id", "platform",
                "allowed_cidrs", "expires_in_seconds",
            ])
        identifier = fields.tokenIdentifier()
        grant = ServiceTokenGrant(
            description: fields.text("description", maximumBytes: 1024), scopes: fields.scopes("scopes"),
            roles: fields.nameSet("roles"),
            workspaceIDs: ServiceTokenRules.workspaces(fields.stringSet("workspace_ids")),
            tenantID: fields.tenant(), platform: fields.flag("platform") ?? false,
            allowedCIDRs: fields.stringSet("allowed_cidrs", isValid: { CIDR($0) != nil }, reason: "an address block"))
        expiresInSeconds = fields.integer("expires_in_seconds", in: ServiceTokenRules.lifetimeSeconds)
        try fields.finish()
    }
}

/// What the body of a rotation asks for.
package struct RotateServiceToken: Sendable {
    /// How long the old text stays good.
    package var overlapSeconds: Int64
    package var expiresInSeconds: Int64?
    package var identifier: String?
    /// Sorted by bytes.
    package var addScopes: [String]

    package init(
        overlapSeconds: Int64 = 300, expiresInSeconds: Int64? = nil, identifier: String? = nil, addScopes: [String] = []
    ) {
        self.overlapSeconds = overlapSeconds
        self.expiresInSeconds = expiresInSeconds
        self.identifier = identifier
        self.addScopes = addScopes
    }

    /// Reads a body.
    ///
    /// - Throws: `request.malformed`, `request.invalid`.
    package init(json: JSONObject) throws(Refusal) {
        var fields = try RequestFields(
            json, known: ["overlap_seconds", "expires_in_seconds", "identifier", "add_scopes"])
        overlapSeconds = fields.integer("overlap_seconds", in: 0...604_800) ?? 300
        expiresInSeconds = fields.integer("expires_in_seconds", in: ServiceTokenRules.lifetimeSeconds)
        identifier = fields.tokenIdentifier()
        addScopes = fields.scopes("add_scopes")
        try fields.finish()
    }
}

/// What the body of a revocation asks for.
package struct RevokeServiceToken: Sendable {
    /// Trimmed, 1 to 256 characters.
    package var reason: String
    /// Whether the whole rotation chain goes.
    package var family: Bool

    package init(reason: String, family: Bool = false) {
        self.reason = reason
        self.family = family
    }

    /// Reads a body.
    ///
    /// - Throws: `request.malformed`, `request.invalid`.
    package init(json: JSONObject) throws(Refusal) {
        var fields = try RequestFields(json, known: ["reason", "family"])
        reason = ASCII.trimmed(json["reason"]?.stringValue ?? "")
        if !(1...256).contains(reason.unicodeScalars.count) {
            fields.fault("reason", "not a text of 1 to 256 characters")
        }
        family = fields.flag("family") ?? false
        try fields.finish()
    }
}

/// What the query of a list asks for.
package struct ListServiceTokens: Sendable {
    /// Nil = all.
    package var statuses: Set<CredentialStatus>?
    package var limit: Int
    package var cursor: CredentialCursor?

    package init(statuses: Set<CredentialStatus>? = nil, limit: Int = 50, cursor: CredentialCursor? = nil) {
        self.statuses = statuses
        self.limit = limit
        self.cursor = cursor
    }

    /// Reads query parameters, each a text.
    ///
    /// - Throws: `request.malformed`, `request.invalid`.
    package init(query: JSONObject) throws(Refusal) {
        var fields = try RequestFields(query, known: ["status", "limit", "cursor"])
        (statuses, limit, cursor) = fields.listPage()
        try fields.finish()
    }
}
