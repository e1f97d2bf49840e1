// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import AuditTrail
package import Essentials
package import Logging
internal import ResourceModel

/// One act on the cluster, as the trail has it.
package struct SelfAct: Sendable {
    package var action: SelfMetrics.Action
    /// `Pod/namespace/name`.
    package var resource: String
    package var actor: String
    package var before: JSONValue
    package var after: JSONValue
    /// Why, for people.
    package var reason: String

    package init(
        _ action: SelfMetrics.Action, on resource: String, by actor: String = SelfJournal.system,
        before: JSONValue = .null, after: JSONValue = .null, reason: String
    ) {
        self.action = action
        self.resource = resource
        self.actor = actor
        self.before = before
        self.after = after
        self.reason = reason
    }
}

extension APIObjectReference {
    /// As the trail names what was acted on: `Deployment/namespace/name`.
    var auditName: String { [resource.kind, namespace, name].compactMap(\.self).joined(separator: "/") }
}

/// Writes what self-management does into the trail: what it is about to do, and what came of it.
package struct SelfJournal: Sendable {
    /// Whoever acts when nobody asked.
    package static let system = "system"
    /// The action of an entry: this and the name of the act.
    package static let prefix = "self."

    private let audit: any AuditRecording
    private let metrics: SelfMetrics
    private let logger: Logger

    package init(audit: any AuditRecording, metrics: SelfMetrics, logger: Logger) {
        self.audit = audit
        self.metrics = metrics
        self.logger = logger
    }

    /// Does something between its two entries. What cannot be recorded is not done.
    ///
    /// - Parameter body: gives what it came to, the words for it and how things are then.
    /// - Throws: `audit.unavailable`, and what the body throws.
    package func act<Value>(
        _ act: SelfAct, _ body: () async throws(Refusal) -> (value: Value, result: SelfMetrics.Result, message: String)
    ) async throws(Refusal) -> Value {
        try await audit.record(draft(act, phase: "intent", outcome: .success, message: act.reason))
        do throws(Refusal) {
            let (value, result, message) = try await body()
            metrics.count(act.action, result)
            await conclude(act, result == .ok || result == .gone ? .success : .failure, message, code: nil)
            return value
        } catch {
            metrics.count(act.action, .failed)
            await conclude(act, .failure, error.message, code: error.code)
            throw error
        }
    }

    private func conclude(
        _ act: SelfAct, _ outcome: AuditDraft.Outcome, _ message: String, code: ErrorCode?
    ) async {
        logger.notice(
            "self-management",
            metadata: [
                "action": "\(act.action.rawValue)", LogKeys.object: "\(act.resource)", LogKeys.detail: "\(message)",
                "outcome": "\(outcome.rawValue)",
            ])
        do throws(Refusal) {
            try await audit.record(draft(act, phase: "result", outcome: outcome, message: message, code: code))
        } catch {
            // It is done, and the entry before it says what was meant.
            logger.error("the result of an act cannot be recorded", metadata: [LogKeys.error: "\(error.message)"])
        }
    }

    private func draft(
        _ act: SelfAct, phase: String, outcome: AuditDraft.Outcome, message: String, code: ErrorCode? = nil
    ) -> AuditDraft {
        var metadata: JSONObject = [
            "phase": .string(phase), "action": .string(act.action.rawValue),
            "message": .string(BoundedText.cut(message, bytes: 1024)), "before": act.before, "after": act.after,
        ]
        if let code { metadata["code"] = .string(code.rawValue) }
        return AuditDraft(
            actor: act.actor, action: Self.prefix + act.action.rawValue, resource: act.resource, outcome: outcome,
            metadata: metadata)
    }
}
