// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// One rule: which alerts it is about and what is done then.
package struct HealingRule: Sendable, Hashable {
    /// The channels that notices go to.
    package enum Channel: String, Sendable, CaseIterable {
        case slack, pagerduty, webhook
    }

    package var name: String
    /// At least one.
    package var alertNames: [String]
    /// All of them, exactly.
    package var labels: [String: String]
    package var action: HealingAction
    /// Nil for actions without a target.
    package var target: TargetTemplate?
    /// In seconds; nil = the setting's.
    package var cooldown: Int64?
    /// In seconds; 0 = the outcome is not verified.
    package var verifyWithin: Int64
    package var channels: [Channel]

    /// Takes the parts.
    package init(
        name: String, alertNames: [String], labels: [String: String] = [:], action: HealingAction,
        target: TargetTemplate? = nil, cooldown: Int64? = nil, verifyWithin: Int64 = 120, channels: [Channel] = []
    ) {
        self.name = name
        self.alertNames = alertNames
        self.labels = labels
        self.action = action
        self.target = target
        self.cooldown = cooldown
        self.verifyWithin = verifyWithin
        self.channels = channels
    }

    /// Whether the rule is about this alert.
    package func matches(_ alert: Alert) -> Bool {
        alertNames.contains(alert.name) && labels.allSatisfy { alert.labels[$0.key] == $0.value }
    }
}

/// The rules of a file, the first that matches deciding.
package struct HealingRules: Sendable, Hashable {
    package var rules: [HealingRule]

    /// Takes them in the order of the file.
    package init(_ rules: [HealingRule] = []) { self.rules = rules }

    /// The rule that decides about an alert.
    package func rule(for alert: Alert) -> HealingRule? { rules.first { $0.matches(alert) } }

    /// The names of the alerts that rules are about, sorted, each once.
    package var alertNames: [String] { Array(Set(rules.flatMap(\.alertNames))).sorted() }
}
