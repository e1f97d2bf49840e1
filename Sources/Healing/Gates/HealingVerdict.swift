// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Why an alert leads to nothing, in the order in which it is tested.
package enum SkipReason: String, Sendable, CaseIterable {
    case resolved, disabled
    case notAnnotated = "not_annotated"
    case notAllowlisted = "not_allowlisted"
    case noAction = "no_action"
    case badTarget = "bad_target"
    case halted, duplicate, cooldown, budget, concurrency
}

/// What is decided about one alert.
package enum HealingVerdict: Sendable, Hashable {
    case skip(HealingSkip)
    /// What would be done.
    case dryRun(PlannedAction)
    /// To be done; it stands in the books already.
    case act(PlannedAction)
}

/// An alert that leads to nothing.
package struct HealingSkip: Sendable, Hashable {
    package var reason: SkipReason
    package var rule: String?
    package var target: String?
    /// With `cooldown`: until it is open again, rounded up.
    package var remainingSeconds: Int64?

    /// Takes the parts.
    package init(_ reason: SkipReason, rule: String? = nil, target: String? = nil, remainingSeconds: Int64? = nil) {
        self.reason = reason
        self.rule = rule
        self.target = target
        self.remainingSeconds = remainingSeconds
    }
}

/// An action for one alert, with everything that it needs later: it outlives the process in the books.
package struct PlannedAction: Sendable, Hashable {
    /// Names it in the books.
    package var id: String
    package var alertName: String
    package var fingerprint: String
    package var rule: String
    package var action: HealingAction
    /// Nil for actions without a target.
    package var target: HealingTarget?
    /// When it was decided.
    package var startedAt: Timestamp
    /// In seconds; 0 = not verified.
    package var verifyWithin: Int64
    package var channels: [HealingRule.Channel]
    /// Of the webhook call.
    package var requestID: String?
    /// What a link in a notice silences: the alert's labels, its name alone where there are many.
    package var labels: [String: String]

    /// Takes the parts.
    package init(
        id: String, alertName: String, fingerprint: String, rule: String, action: HealingAction,
        target: HealingTarget?, startedAt: Timestamp, verifyWithin: Int64, channels: [HealingRule.Channel],
        requestID: String?, labels: [String: String] = [:]
    ) {
        self.labels = Self.bounded(labels, alertName)
        self.id = id
        self.alertName = alertName
        self.fingerprint = fingerprint
        self.rule = rule
        self.action = action
        self.target = target
        self.startedAt = startedAt
        self.verifyWithin = verifyWithin
        self.channels = channels
        self.requestID = requestID
    }

    private static func bounded(_ labels: [String: String], _ alertName: String) -> [String: String] {
        let bytes = labels.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count }
        // A silence needs values that are not empty; an empty label is none.
        let full = labels.filter { !$0.value.isEmpty }
        return bytes <= 768 && (1...32).contains(full.count) ? full : ["alertname": alertName]
    }

    /// The command for people.
    package var command: String { action.command(target) }

    /// What cooldowns and budgets count by.
    package var targetKey: String { target?.text ?? action.type }

    /// Until when it is verified.
    package var deadline: Timestamp { startedAt.adding(seconds: verifyWithin) }
}
