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
    package var statuses: Set<ServiceTokenRecord.Status>?
    package var limit: Int
    package var cursor: ServiceTokenCursor?

    package init(statuses: Set<ServiceTokenRecord.Status>? = nil, limit: Int = 50, cursor: ServiceTokenCursor? = nil) {
        self.statuses = statuses
        self.limit = limit
        self.cursor = cursor
    }

    /// Reads query parameters, each a text.
    ///
    /// - Throws: `request.malformed`, `request.invalid`.
    package init(query: JSONObject) throws(Refusal) {
        var fields = try RequestFields(query, known: ["status", "limit", "cursor"])
        limit = Int(fields.integer("limit", in: 1...200, acceptsText: true) ?? 50)
        if let text = fields.text("cursor", maximumBytes: 256) {
            cursor = ServiceTokenCursor(text: text)
            if cursor == nil { fields.fault("cursor", "not a cursor of this list") }
        }
        let names = (fields.text("status", maximumBytes: 256) ?? "all").split(separator: ",").map { ASCII.trimmed($0) }
        if names != ["all"] {
            let statuses = names.compactMap { ServiceTokenRecord.Status(rawValue: $0) }
            if statuses.isEmpty || statuses.count != names.count {
                fields.fault("status", "not a list of active, rotated, expired, revoked, or all")
            }
            self.statuses = Set(statuses)
        }
        try fields.finish()
    }
}

/// Where the next page of a list begins.
package struct ServiceTokenCursor: Sendable, Hashable {
    let issuedAt: Timestamp
    let identifier: String

    init(after record: ServiceTokenRecord) {
        issuedAt = record.issuedAt
        identifier = record.identifier
    }

    /// Reads a cursor that was given out; nil for any other text.
    package init?(text: String) {
        guard let bytes = Base64URL.decode(Array(text.utf8)), let plain = String(validating: bytes, as: UTF8.self),
            let colon = plain.firstIndex(of: ":"), let micros = Int64(plain[..<colon])
        else { return nil }
        issuedAt = Timestamp(microseconds: micros)
        identifier = String(plain[plain.index(after: colon)...])
        guard TokenText.isIdentifier(identifier) else { return nil }
    }

    /// Opaque to clients.
    package var text: String { Base64URL.encode(Array("\(issuedAt.microseconds):\(identifier)".utf8)) }
}
