// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// What the body of a creation asks for.
package struct CreateAPIKey: Sendable {
    /// Permissions by one word instead of a list.
    package enum Shorthand: String, Sendable, CaseIterable {
        /// Every permission that ends in `read`.
        case readOnly = "read-only"
        /// Every permission but those of `admin`.
        case readWrite = "read-write"
        /// Every permission.
        case admin
    }

    /// Trimmed, 1 to 64 characters.
    package var name: String
    package var environment: APIKeyRecord.Environment
    package var description: String?
    /// Nil = the default scopes, unless there is a shorthand.
    package var scopes: [String]?
    package var permissions: Shorthand?
    package var workspaceIDs: [String]
    package var projectID: String?
    package var allowedCIDRs: [String]
    /// Nil = the caller's.
    package var accountID: String?
    package var expiresAt: Timestamp?

    package init(
        name: String, environment: APIKeyRecord.Environment = .live, description: String? = nil,
        scopes: [String]? = nil, permissions: Shorthand? = nil, workspaceIDs: [String] = [], projectID: String? = nil,
        allowedCIDRs: [String] = [], accountID: String? = nil, expiresAt: Timestamp? = nil
    ) {
        self.name = name
        self.environment = environment
        self.description = description
        self.scopes = scopes
        self.permissions = permissions
        self.workspaceIDs = workspaceIDs
        self.projectID = projectID
        self.allowedCIDRs = allowedCIDRs
        self.accountID = accountID
        self.expiresAt = expiresAt
    }

    /// Reads a body.
    ///
    /// - Throws: `request.malformed`, `request.invalid`.
    package init(json: JSONObject, now: Timestamp) throws(Refusal) {
        var fields = try RequestFields(
            json,
            known: [
                "name", "scopes", "permissions", "environment", "description", "expires_in_seconds",
                "expires_in_days", "expires_at", "workspace_ids", "project_id", "allowed_cidrs", "account_id",
            ])
        name = fields.keyName() ?? ""
        if fields.value("name") == nil { fields.fault("name", "required") }
        environment = fields.choice("environment", of: APIKeyRecord.Environment.self) ?? .live
        description = fields.text("description", maximumBytes: 1024)
        scopes = fields.value("scopes") == nil ? nil : fields.scopes("scopes")
        permissions = fields.choice("permissions", of: Shorthand.self)
        if fields.value("scopes") != nil, fields.value("permissions") != nil {
            fields.fault("permissions", "not together with scopes")
        }
        workspaceIDs = ServiceTokenRules.workspaces(fields.stringSet("workspace_ids"))
        projectID = fields.identifierText("project_id")
        allowedCIDRs = fields.addressBlocks("allowed_cidrs")
        accountID = fields.identifierText("account_id")
        expiresAt = fields.expiry(now: now)
        try fields.finish()
    }
}

/// What the body of a change asks for; what is absent stays.
package struct PatchAPIKey: Sendable {
    package var name: String?
    /// A blank one takes the description away.
    package var description: String??
    package var scopes: [String]?
    package var allowedCIDRs: [String]?
    /// `.some(nil)` = it never expires.
    package var expiresAt: Timestamp??

    package init(
        name: String? = nil, description: String?? = nil, scopes: [String]? = nil, allowedCIDRs: [String]? = nil,
        expiresAt: Timestamp?? = nil
    ) {
        self.name = name
        self.description = description
        self.scopes = scopes
        self.allowedCIDRs = allowedCIDRs
        self.expiresAt = expiresAt
    }

    /// Reads a body. Null takes description and expiry away, and is absent for the rest.
    ///
    /// - Throws: `request.malformed`, `request.invalid`.
    package init(json: JSONObject, now: Timestamp) throws(Refusal) {
        var fields = try RequestFields(json, known: ["name", "description", "scopes", "allowed_cidrs", "expires_at"])
        name = fields.keyName()
        if json["description"] != nil { description = .some(fields.text("description", maximumBytes: 1024)) }
        if fields.value("scopes") != nil { scopes = fields.scopes("scopes") }
        if fields.value("allowed_cidrs") != nil { allowedCIDRs = fields.addressBlocks("allowed_cidrs") }
        if json["expires_at"] != nil { expiresAt = .some(fields.instantAhead("expires_at", now: now)) }
        try fields.finish()
    }
}

/// What the body of a rotation asks for.
package struct RotateAPIKey: Sendable {
    /// How long the old text stays good.
    package var overlapSeconds: Int64
    package var expiresInSeconds: Int64?

    package init(overlapSeconds: Int64 = 300, expiresInSeconds: Int64? = nil) {
        self.overlapSeconds = overlapSeconds
        self.expiresInSeconds = expiresInSeconds
    }

    /// Reads a body.
    ///
    /// - Throws: `request.malformed`, `request.invalid`.
    package init(json: JSONObject) throws(Refusal) {
        var fields = try RequestFields(json, known: ["overlap_seconds", "expires_in_seconds"])
        overlapSeconds = fields.integer("overlap_seconds", in: 0...604_800) ?? 300
        expiresInSeconds = fields.integer("expires_in_seconds", in: ServiceTokenRules.lifetimeSeconds)
        try fields.finish()
    }
}

/// What the body of a revocation asks for.
package struct RevokeAPIKey: Sendable {
    /// Trimmed, 1 to 256 characters; nil = none was given.
    package var reason: String?

    package init(reason: String? = nil) { self.reason = reason }

    /// Reads a body.
    ///
    /// - Throws: `request.malformed`, `request.invalid`.
    package init(json: JSONObject) throws(Refusal) {
        var fields = try RequestFields(json, known: ["reason"])
        if let value = fields.value("reason") {
            let text = ASCII.trimmed(value.stringValue ?? "")
            if !(1...256).contains(text.unicodeScalars.count) {
                fields.fault("reason", "not a text of 1 to 256 characters")
            }
            reason = text
        }
        try fields.finish()
    }
}

/// What the query of a list asks for.
package struct ListAPIKeys: Sendable {
    /// Nil = all.
    package var statuses: Set<CredentialStatus>?
    package var limit: Int
    package var cursor: CredentialCursor?
    /// Nil = every account that the caller sees.
    package var accountID: String?

    package init(
        statuses: Set<CredentialStatus>? = nil, limit: Int = 50, cursor: CredentialCursor? = nil,
        accountID: String? = nil
    ) {
        self.statuses = statuses
        self.limit = limit
        self.cursor = cursor
        self.accountID = accountID
    }

    /// Reads query parameters, each a text.
    ///
    /// - Throws: `request.malformed`, `request.invalid`.
    package init(query: JSONObject) throws(Refusal) {
        var fields = try RequestFields(query, known: ["status", "limit", "cursor", "account_id"])
        (statuses, limit, cursor) = fields.listPage()
        accountID = fields.identifierText("account_id")
        try fields.finish()
    }
}
