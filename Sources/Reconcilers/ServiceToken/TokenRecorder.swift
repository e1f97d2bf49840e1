// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Authentication
internal import Essentials
internal import Logging
internal import ResourceModel

/// Records what is done to tokens because objects say so.
struct TokenRecorder: Sendable {
    let audit: any AuditRecording
    let logger: Logger

    /// Asked before anything is changed: what cannot be recorded is not done.
    ///
    /// - Throws: `audit.unavailable`.
    func check() throws(Refusal) { try audit.checkWritable() }

    /// Records a change that is made. That it could be recorded was asked before; what fails now is logged.
    func record(
        _ action: String, _ answer: ServiceTokenAnswer, object: ObjectKey?, note: String? = nil
    ) async {
        var metadata: JSONObject = ["token_id": .string(answer.record.identifier)]
        if let object { metadata["object"] = .string(object.description) }
        if let note { metadata["reason"] = .string(note) }
        if let from = answer.record.rotatedFrom { metadata["rotated_from"] = .string(from) }
        if let before = answer.before { metadata["before"] = Self.shown(before) }
        metadata["after"] = Self.shown(answer.after ?? answer.record)
        await write(action, resource: answer.record.identifier, tenant: answer.record.tenantID, metadata)
    }

    /// Records the end of a chain.
    func recordRevocation(
        _ identifiers: [String], family: String, reason: String, object: ObjectKey
    ) async {
        let metadata: JSONObject = [
            "family": .string(family), "tokens": .strings(Array(identifiers.prefix(32))), "reason": .string(reason),
            "object": .string(object.description),
        ]
        await write("service_token.revoke", resource: family, tenant: nil, metadata)
    }

    private func write(
        _ action: String, resource: String, tenant: String?, _ metadata: JSONObject
    ) async {
        do throws(Refusal) {
            try await audit.record(
                AuditDraft(
                    actor: "system", action: action, resource: resource, outcome: .success, metadata: metadata,
                    tenant: tenant))
        } catch {
            logger.error(
                "a change of a token is not recorded",
                metadata: ["action": "\(action)", "identifier": "\(resource)", LogKeys.error: "\(error.message)"])
        }
    }

    private static func shown(_ record: ServiceTokenRecord) -> JSONValue {
        [
            "scopes": .strings(record.scopes), "roles": .strings(record.roles),
            "workspace_ids": .strings(record.workspaceIDs), "tenant_id": .optional(record.tenantID),
            "platform": .bool(record.platform), "allowed_cidrs": .strings(record.allowedCIDRs),
            "expires_at": .optional(record.expiresAt?.rfc3339),
        ]
    }
}
