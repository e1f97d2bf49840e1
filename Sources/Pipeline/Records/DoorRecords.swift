// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import AuditTrail
package import Essentials
package import Metrics

/// Counts and records what a door answers without asking the pipeline.
package struct DoorRecords: Sendable {
    /// A question that a door refused by itself.
    package struct Question: Sendable {
        package var door: Door
        package var method: String
        /// The path as sent, without its query.
        package var path: String
        package var client: IPAddress
        package var requestID: String

        package init(door: Door, method: String, path: String, client: IPAddress, requestID: String) {
            self.door = door
            self.method = method
            self.path = path
            self.client = client
            self.requestID = requestID
        }
    }

    private let audit: any AuditRecording
    private let factory: any MetricsFactory
    /// Questions from peers that are no trusted proxies.
    private let untrusted: Counter
    /// Identity headers over 4 KiB, sent empty.
    private let identityHeadersTooLong: Counter

    package init(audit: any AuditRecording, metricsFactory: any MetricsFactory) {
        self.audit = audit
        factory = metricsFactory
        untrusted = Counter(label: "tollgate_decision_untrusted_total", dimensions: [], factory: metricsFactory)
        identityHeadersTooLong = Counter(
            label: "tollgate_identity_headers_too_long_total", dimensions: [], factory: metricsFactory)
    }

    /// Counts identity headers that went out empty.
    package func leftOut(_ count: Int) {
        if count > 0 { identityHeadersTooLong.increment(by: count) }
    }

    /// Counts and records a refusal that the pipeline never saw.
    ///
    /// - Returns: what to answer: the refusal, or `audit.unavailable` where it cannot be recorded.
    package func refused(_ refusal: Refusal, _ question: Question) -> Refusal {
        if refusal.code == .decisionUntrustedProxy { untrusted.increment() }
        Counter(
            label: "tollgate_decisions_total",
            dimensions: [
                ("door", question.door.rawValue), ("result", refusal.status == 503 ? "unavailable" : "deny"),
                ("code", refusal.code.rawValue),
            ], factory: factory
        ).increment()
        let draft = AuditDraft(
            actor: "anonymous", action: "decision.check", resource: question.path,
            outcome: .init(status: refusal.status),
            metadata: [
                "method": .string(question.method), "route": .null, "status": .int(Int64(refusal.status)),
                "duration_ms": 0, "code": .string(refusal.code.rawValue), "door": .string(question.door.rawValue),
            ],
            ip: question.client.description, requestID: question.requestID)
        return audit.acceptNow(draft) ? refusal : Refusal(.auditUnavailable)
    }
}
