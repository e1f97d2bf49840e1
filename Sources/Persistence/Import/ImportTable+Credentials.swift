// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import GRDB

extension ImportTable {
    static let serviceTokens = ImportTable(
        name: "service_tokens",
        columns: [
            ("tenant_id", "text"), ("identifier", "text"), ("family", "text"), ("revision", "bigint"),
            ("record", "text"), ("use_count", "bigint"), ("last_used_at", "bigint"),
        ], keys: ["identifier"], source: "SELECT identifier, record, use_count, last_used_at FROM service_tokens"
    ) { row in
        let identifier: String = row["identifier"]
        let text: String = row["record"]
        guard let object = object(text),
            let record = ServiceTokenRecord(storedJSON: object, lastUsedAt: nil, useCount: 0),
            record.identifier == identifier
        else { throw StoreImportError(.unreadable, "The record of service token '\(identifier)' cannot be read") }
        return ImportRow(
            [
                try tenant(record.tenantID, of: "Service token '\(identifier)'"), identifier, record.family,
                String(record.revision), text, number(row["use_count"]), number(row["last_used_at"]),
            ], change: StoreChange(.serviceToken, identifier))
    }

    static let apiKeys = ImportTable(
        name: "api_keys",
        columns: [
            ("tenant_id", "text"), ("id", "text"), ("account_id", "text"), ("family", "text"),
            ("expires_at", "bigint"), ("is_replaced", "boolean"), ("revision", "bigint"), ("record", "text"),
            ("use_count", "bigint"), ("last_used_at", "bigint"),
        ], keys: ["id"], source: "SELECT id, record, use_count, last_used_at FROM api_keys"
    ) { row in
        let id: String = row["id"]
        let text: String = row["record"]
        guard let object = object(text),
            let record = APIKeyRecord(storedJSON: object, lastUsedAt: nil, useCount: 0), record.id == id
        else { throw StoreImportError(.unreadable, "The record of API key '\(id)' cannot be read") }
        return ImportRow(
            [
                try tenant(record.tenantID, of: "API key '\(id)'"), id, record.accountID, record.family,
                number(record.expiresAt?.microseconds), flag(record.revokedAt != nil || record.rotatedTo != nil),
                String(record.revision), text, number(row["use_count"]), number(row["last_used_at"]),
            ], change: StoreChange(.apiKey, id))
    }

    static let apiKeyUsage = ImportTable(
        name: "api_key_usage",
        columns: [
            ("tenant_id", "text"), ("key_id", "text"), ("hour", "bigint"), ("status", "integer"),
            ("requests", "bigint"),
        ], keys: ["key_id", "hour", "status", "tenant_id"],
        source: "SELECT key_id, hour, status, tenant_id, requests FROM api_key_usage"
    ) { row in
        let id: String = row["key_id"]
        return ImportRow([
            try tenant(row["tenant_id"], of: "The use of API key '\(id)'"), id, number(row["hour"]),
            number(row["status"]), number(row["requests"]),
        ])
    }

    static let ownerRoles = ImportTable(
        name: "owner_roles",
        columns: [("tenant_id", "text"), ("issuer", "text"), ("subject", "text"), ("roles", "text")],
        keys: ["tenant_id", "issuer", "subject"],
        source: "SELECT issuer, subject, tenant_id, has_tenant, roles FROM owner_roles"
    ) { row in
        let (named, hasTenant): (String, Int64) = (row["tenant_id"], row["has_tenant"])
        let identity = APIKeyOwner.Identity(
            issuer: row["issuer"], subject: row["subject"], tenantID: hasTenant == 1 ? named : nil)
        return ImportRow(
            [
                try tenant(identity.tenantID, of: "An owner of API keys"), identity.issuer, identity.subject,
                row["roles"],
            ], change: StoreChange(.apiKeyOwner, identity.changeKey))
    }

    private static func object(_ text: String) -> JSONObject? {
        // What is no JSON is told as a record that cannot be read.
        (try? JSONParser.parse(text: text))?.objectValue
    }
}
