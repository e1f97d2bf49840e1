// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// What happened, before the trail gives it its id, time, sequence number and place in the chain.
package struct AuditDraft: Sendable, Hashable {
    /// How it ended.
    package enum Outcome: String, Sendable, CaseIterable {
        case success, denied, failure

        /// The outcome of an answer with that HTTP status.
        package init(status: Int) {
            switch status {
            case ..<400: self = .success
            case 401, 402, 403, 429: self = .denied
            default: self = .failure
            }
        }
    }

    /// Subject of the verified identity, `anonymous` or `system`; at most 256 bytes are kept.
    package var actor: String
    /// Stable dotted name; at most 128 bytes.
    package var action: String
    /// What was acted on, or the canonical path without its query; at most 512 bytes are kept.
    package var resource: String
    package var outcome: Outcome
    /// Bounded and redacted before it is queued.
    package var metadata: JSONObject
    /// The client's address after the trusted-proxy rule.
    package var ip: String?
    package var sessionID: String?
    package var tenant: String?
    package var requestID: String?

    package init(
        actor: String, action: String, resource: String, outcome: Outcome, metadata: JSONObject = JSONObject(),
        ip: String? = nil, sessionID: String? = nil, tenant: String? = nil, requestID: String? = nil
    ) {
        self.actor = actor
        self.action = action
        self.resource = resource
        self.outcome = outcome
        self.metadata = metadata
        self.ip = ip
        self.sessionID = sessionID
        self.tenant = tenant
        self.requestID = requestID
    }
}
