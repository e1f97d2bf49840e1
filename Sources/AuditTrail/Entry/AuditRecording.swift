// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// The trail as those see it who have something to record.
package protocol AuditRecording: Sendable {
    /// Accepts an entry of the queued class without waiting: reads, refusals and decisions.
    ///
    /// - Returns: false when the queue is full or the trail cannot be written; the caller then tries `accept` before it refuses.
    func acceptNow(_ draft: AuditDraft) -> Bool

    /// Accepts an entry of the queued class, waiting at most 50 ms for room.
    ///
    /// - Throws: `audit.unavailable`.
    func accept(_ draft: AuditDraft) async throws(Refusal)

    /// Counts an allowed decision about another system's request: folded into one entry per actor, host, route and 10 s unless the trail
    /// is set to record each of them.
    ///
    /// - Returns: as `acceptNow`.
    func acceptAllowedDecision(_ decision: AllowedDecision) -> Bool

    /// Writes an entry of the durable class and returns when it is synced.
    ///
    /// - Throws: `audit.unavailable`.
    func record(_ draft: AuditDraft) async throws(Refusal)

    /// Tests whether the trail can be written, before a handler changes anything.
    ///
    /// - Throws: `audit.unavailable`.
    func checkWritable() throws(Refusal)
}

/// An allowed decision as the trail needs it; the draft is only made when a new entry begins.
package struct AllowedDecision: Sendable {
    package var actor: String
    package var tenant: String?
    package var host: String
    package var method: String
    /// The pattern of the matched route, or the canonical path where there is none.
    package var route: String
    package var path: String
    package var status: Int
    package var ip: IPAddress?
    package var authSource: String
    package var requestID: String
    package var at: Timestamp

    package init(
        actor: String, tenant: String?, host: String, method: String, route: String, path: String, status: Int,
        ip: IPAddress?, authSource: String, requestID: String, at: Timestamp
    ) {
        self.actor = actor
        self.tenant = tenant
        self.host = host
        self.method = method
        self.route = route
        self.path = path
        self.status = status
        self.ip = ip
        self.authSource = authSource
        self.requestID = requestID
        self.at = at
    }
}
