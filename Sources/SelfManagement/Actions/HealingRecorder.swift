// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import AuditTrail
package import Essentials
internal import Healing
package import Logging

/// Writes what healing does into the audit trail, and counts it.
package struct HealingRecorder: Sendable {
    private let audit: any AuditRecording
    private let metrics: HealingMetrics
    private let clock: any WallClock
    private let logger: Logger

    package init(audit: any AuditRecording, metrics: HealingMetrics, clock: any WallClock, logger: Logger) {
        self.audit = audit
        self.metrics = metrics
        self.clock = clock
        self.logger = logger
    }

    /// Emits an event about alerts: accepted by the trail, which need not be synced for it.
    func tell(_ event: HealingEvent, resource: String, requestID: String?) async {
        metrics.emitted(event.kind, at: clock.now())
        do throws(Refusal) {
            try await audit.accept(draft(event, resource: resource, requestID: requestID))
        } catch {
            complain(event, error)
        }
    }

    /// Emits an event about an action: synced when this returns.
    func record(_ event: HealingEvent, about plan: PlannedAction) async {
        metrics.emitted(event.kind, at: clock.now())
        do throws(Refusal) {
            try await audit.record(draft(event, resource: Self.resource(plan), requestID: plan.requestID))
        } catch {
            complain(event, error)
        }
    }

    /// Notes that an action is about to be sent.
    ///
    /// - Throws: `audit.unavailable`: then it must not be sent.
    func intent(_ plan: PlannedAction, before: JSONValue) async throws(Refusal) {
        try await audit.record(
            phase(plan, "intent", outcome: .success, ["before": before, "cmd": .string(plan.command)]))
    }

    /// Notes what the API server said.
    func result(_ plan: PlannedAction, error: String?) async {
        do throws(Refusal) {
            try await audit.record(
                phase(
                    plan, "result", outcome: error == nil ? .success : .failure,
                    ["cmd": .string(plan.command), "err": .optional(error)]))
        } catch {
            logger.error(
                "the result of an action is not recorded",
                metadata: [LogKeys.object: "\(plan.targetKey)", LogKeys.error: "\(error.message)"])
        }
    }

    private func phase(
        _ plan: PlannedAction, _ phase: String, outcome: AuditDraft.Outcome, _ members: JSONObject
    ) -> AuditDraft {
        var metadata: JSONObject = [
            "phase": .string(phase), "action_id": .string(plan.id), "rule": .string(plan.rule),
            "alertname": .string(plan.alertName),
        ]
        for member in members.members where !member.value.isNull { metadata[member.name] = member.value }
        return AuditDraft(
            actor: "system", action: "autoheal.\(plan.action.type)", resource: Self.resource(plan), outcome: outcome,
            metadata: metadata, requestID: plan.requestID)
    }

    private func draft(_ event: HealingEvent, resource: String, requestID: String?) -> AuditDraft {
        AuditDraft(
            actor: "system", action: event.auditAction, resource: resource,
            outcome: event.kind == .actionFail ? .failure : .success, metadata: event.members, requestID: requestID)
    }

    private func complain(_ event: HealingEvent, _ error: Refusal) {
        logger.error(
            "an event of healing is not recorded",
            metadata: [LogKeys.reason: "\(event.kind.rawValue)", LogKeys.error: "\(error.message)"])
    }

    /// `Deployment/crm/crm-api`.
    private static func resource(_ plan: PlannedAction) -> String {
        guard let target = plan.target else { return plan.alertName }
        return ([target.kind.rawValue] + (target.namespace.map { [$0] } ?? []) + [target.name]).joined(separator: "/")
    }
}
