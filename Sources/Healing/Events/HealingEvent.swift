// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// What happened, as audit entries and live views show it.
package struct HealingEvent: Sendable, Hashable {
    /// The kinds there are.
    package enum Kind: String, Sendable, CaseIterable {
        case webhookReceived = "webhook_received"
        case decisionSkip = "decision_skip"
        case actionDryRun = "action_dry_run"
        case actionOK = "action_ok"
        case actionFail = "action_fail"
        case ack
    }

    /// Where an action failed.
    package enum Stage: String, Sendable {
        /// It was refused or could not be sent.
        case apply
        /// It was accepted and had no effect in time.
        case verify
        /// No answer came in time, or the one who sent it is gone.
        case timeout
    }

    package var kind: Kind
    /// Without null members.
    package var members: JSONObject

    /// Takes both; null members are left out.
    package init(_ kind: Kind, _ members: JSONObject) {
        self.kind = kind
        self.members = JSONObject(uniqueMembers: members.members.filter { !$0.value.isNull })
    }

    /// The name of its audit entry.
    package var auditAction: String { "healing.\(kind.rawValue)" }

    /// A webhook call has come.
    package static func received(_ payload: AlertPayload) -> HealingEvent {
        let firing = payload.alerts.count(where: \.isFiring)
        return HealingEvent(
            .webhookReceived,
            [
                "alerts": .int(Int64(payload.alerts.count)), "firing": .int(Int64(firing)),
                "resolved": .int(Int64(payload.alerts.count - firing)), "receiver": .optional(payload.receiver),
                "groupKey": .optional(payload.groupKey), "truncated": .int(payload.truncated),
            ])
    }

    /// An alert leads to nothing.
    package static func skip(_ skip: HealingSkip, _ alert: Alert) -> HealingEvent {
        HealingEvent(
            .decisionSkip,
            [
                "reason": .string(skip.reason.rawValue), "alertname": .string(alert.name),
                "fingerprint": .string(alert.fingerprint), "rule": .optional(skip.rule),
                "target": .optional(skip.target),
                "remaining_seconds": skip.remainingSeconds.map(JSONValue.int) ?? .null,
            ])
    }

    /// What a live Tollgate would have done.
    package static func dryRun(_ plan: PlannedAction) -> HealingEvent { HealingEvent(.actionDryRun, members(plan)) }

    /// An action took effect.
    package static func done(
        _ plan: PlannedAction, milliseconds: Int64, verified: Bool, before: JSONValue, after: JSONValue
    ) -> HealingEvent {
        var object = members(plan)
        object["duration_ms"] = .int(milliseconds)
        object["verified"] = .bool(verified)
        object["before"] = before
        object["after"] = after
        return HealingEvent(.actionOK, object)
    }

    /// An action failed. `error` is redacted by the caller and cut to 512 bytes here.
    package static func failed(
        _ plan: PlannedAction, milliseconds: Int64, stage: Stage, error: String, isChaos: Bool = false,
        before: JSONValue = .null
    ) -> HealingEvent {
        var object = members(plan)
        object["duration_ms"] = .int(milliseconds)
        object["stage"] = .string(stage.rawValue)
        object["err"] = .string(BoundedText.cut(error, bytes: 512))
        object["before"] = before
        if isChaos { object["chaos"] = true }
        return HealingEvent(.actionFail, object)
    }

    /// A person silenced alerts.
    package static func acknowledged(_ request: AckRequest, endsAt: Timestamp, silenceID: String?) -> HealingEvent {
        HealingEvent(
            .ack,
            [
                "labels": .object(request.labelsJSON), "duration": .string(request.duration),
                "endsAt": .string(endsAt.rfc3339), "silenceId": .optional(silenceID),
                "comment": .string(request.comment),
            ])
    }

    private static func members(_ plan: PlannedAction) -> JSONObject {
        [
            "alertname": .string(plan.alertName), "fingerprint": .string(plan.fingerprint),
            "rule": .string(plan.rule), "action": .string(plan.action.type), "target": .optional(plan.target?.text),
            "cmd": .string(plan.command),
        ]
    }
}
