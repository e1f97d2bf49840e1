// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Authentication
internal import Essentials
internal import Logging

/// Puts the use of service tokens into the trail: one entry a token and minute, with count and addresses.
struct TokenUseRecorder {
    let audit: any AuditRecording
    let logger: Logger

    func record(_ uses: [CredentialUse]) async {
        for use in uses {
            let draft = AuditDraft(
                actor: use.identifier, action: "service_token.use", resource: use.identifier, outcome: .success,
                metadata: [
                    "count": .int(use.count), "last_used_at": .string(use.lastUsedAt.rfc3339),
                    "addresses": .strings(use.addresses.map(\.description)),
                ])
            do {
                try await audit.accept(draft)
            } catch {
                logger.error("token uses cannot be recorded", metadata: [LogKeys.code: "\(error.code.rawValue)"])
                return
            }
        }
    }
}
