// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Authentication
internal import Essentials
internal import Logging

/// Puts the use of API keys into the trail: one entry a key and minute, with count and addresses.
struct KeyUseRecorder {
    let keys: APIKeyTable
    let audit: any AuditRecording
    let logger: Logger

    func record(_ uses: [CredentialUse]) async {
        for use in uses {
            guard let record = keys.entry(use.identifier)?.record else { continue }
            let draft = AuditDraft(
                actor: record.owner.subject, action: "api_key.use", resource: use.identifier, outcome: .success,
                metadata: [
                    "count": .int(use.count), "last_used_at": .string(use.lastUsedAt.rfc3339),
                    "addresses": .strings(use.addresses.map(\.description)), "account_id": .string(record.accountID),
                ], tenant: record.tenantID)
            do {
                try await audit.accept(draft)
            } catch {
                logger.error("uses of API keys cannot be recorded", metadata: [LogKeys.code: "\(error.code.rawValue)"])
                return
            }
        }
    }
}
