// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// An executed action in the books.
package struct BookEntry: Sendable, Hashable {
    /// What became of it.
    package enum State: Sendable, Hashable {
        /// Decided, perhaps sent: what came of it is not known yet.
        case sending
        /// The API server has accepted it; its effect is awaited.
        case verifying
        case succeeded
        case failed(at: Timestamp)

        /// Whether it takes a slot.
        package var isRunning: Bool { self == .sending || self == .verifying }

        var word: String {
            switch self {
            case .sending: "sending"
            case .verifying: "verifying"
            case .succeeded: "ok"
            case .failed: "failed"
            }
        }
    }

    package var plan: PlannedAction
    package var isDryRun: Bool
    package var state: State
    /// What the target was like before, and what tells afterwards whether the action took effect.
    package var baseline: JSONObject

    /// Takes the parts.
    package init(plan: PlannedAction, isDryRun: Bool, state: State, baseline: JSONObject = JSONObject()) {
        self.plan = plan
        self.isDryRun = isDryRun
        self.state = state
        self.baseline = baseline
    }

    /// The key of its line.
    package var key: String { "a." + plan.id }

    /// Its line.
    package var record: BookRecord {
        var value: JSONObject = [
            "dry": .bool(isDryRun), "state": .string(state.word), "alert": .string(plan.alertName),
            "fingerprint": .string(plan.fingerprint), "rule": .string(plan.rule), "action": Self.write(plan.action),
            "target": .optional(plan.target?.text), "verify": .int(plan.verifyWithin),
            "notify": .strings(plan.channels.map(\.rawValue)), "request": .optional(plan.requestID),
        ]
        if case .failed(let at) = state { value["failed_at"] = .int(at.microseconds) }
        if state.isRunning {
            value["baseline"] = .object(baseline)
            if !plan.channels.isEmpty {
                value["labels"] = .object(
                    JSONObject(plan.labels.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }))
            }
        }
        return BookRecord(key: key, at: plan.startedAt, value: value)
    }

    /// Reads a line; nil when it is none of an action.
    package init?(_ record: BookRecord) {
        let value = record.value
        guard record.key.hasPrefix("a."), let alert = value["alert"]?.stringValue,
            let fingerprint = value["fingerprint"]?.stringValue, let rule = value["rule"]?.stringValue,
            let action = value["action"].flatMap(Self.read), let verify = value["verify"]?.intValue,
            let isDryRun = value["dry"]?.boolValue
        else { return nil }
        let target = value["target"]?.stringValue.flatMap(HealingTarget.init(text:))
        guard (target != nil) == action.actsOnCluster else { return nil }
        let state: State
        switch value["state"]?.stringValue {
        case "sending": state = .sending
        case "verifying": state = .verifying
        case "ok": state = .succeeded
        case "failed":
            state = .failed(at: Timestamp(microseconds: value["failed_at"]?.intValue ?? record.at.microseconds))
        default: return nil
        }
        let plan = PlannedAction(
            id: String(record.key.dropFirst(2)), alertName: alert, fingerprint: fingerprint, rule: rule,
            action: action, target: target, startedAt: record.at, verifyWithin: min(max(verify, 0), 3600),
            channels: (value["notify"]?.arrayValue ?? []).compactMap {
                $0.stringValue.flatMap(HealingRule.Channel.init)
            }, requestID: value["request"]?.stringValue,
            labels: Dictionary(
                (value["labels"]?.objectValue?.members ?? []).compactMap { member in
                    member.value.stringValue.map { (member.name, $0) }
                }, uniquingKeysWith: { first, _ in first }))
        self.init(
            plan: plan, isDryRun: isDryRun, state: state, baseline: value["baseline"]?.objectValue ?? JSONObject())
    }

    private static func write(_ action: HealingAction) -> JSONValue {
        switch action {
        case .scale(.to(let count)): ["type": "scale", "replicas": .int(count)]
        case .scale(.by(let step, let minimum, let maximum)):
            ["type": "scale", "by": .int(step), "min": .int(minimum), "max": .int(maximum)]
        default: ["type": .string(action.type)]
        }
    }

    private static func read(_ value: JSONValue) -> HealingAction? {
        switch value["type"]?.stringValue {
        case "rollout-restart": return .rolloutRestart
        case "delete-pod": return .deletePod
        case "cordon": return .cordon
        case "notify": return .notify
        case "scale":
            if let count = value["replicas"]?.intValue { return .scale(.to(count)) }
            guard let step = value["by"]?.intValue, let minimum = value["min"]?.intValue,
                let maximum = value["max"]?.intValue
            else { return nil }
            return .scale(.by(step, minimum: minimum, maximum: maximum))
        default: return nil
        }
    }
}
