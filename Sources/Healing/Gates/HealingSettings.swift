// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// The numbers and switches that decisions depend on.
package struct HealingSettings: Sendable, Hashable {
    /// Off: every firing alert is skipped. Off is not dry run.
    package var isEnabled: Bool
    /// On: decide and record, touch nothing.
    package var isDryRun: Bool
    /// In seconds.
    package var defaultCooldown: Int64
    /// In seconds, by the name of the alert.
    package var cooldowns: [String: Int64]
    /// In seconds.
    package var dedupWindow: Int64
    /// Executed actions within an hour.
    package var budgetPerHour: Int
    /// Executed actions on one target within an hour.
    package var budgetPerTarget: Int
    /// Actions that run at once.
    package var concurrency: Int
    /// Where targets may lie.
    package var namespaces: Set<String>

    /// The defaults of the settings, off.
    package init(
        isEnabled: Bool = false, isDryRun: Bool = true, defaultCooldown: Int64 = 600,
        cooldowns: [String: Int64] = [:], dedupWindow: Int64 = 30, budgetPerHour: Int = 20, budgetPerTarget: Int = 3,
        concurrency: Int = 2, namespaces: Set<String> = []
    ) {
        self.isEnabled = isEnabled
        self.isDryRun = isDryRun
        self.defaultCooldown = defaultCooldown
        self.cooldowns = cooldowns
        self.dedupWindow = dedupWindow
        self.budgetPerHour = budgetPerHour
        self.budgetPerTarget = budgetPerTarget
        self.concurrency = concurrency
        self.namespaces = namespaces
    }

    /// The cooldown of a rule for an alert, in seconds: the rule's own, else that of the alert, else the default.
    package func cooldown(of rule: HealingRule, for alert: String) -> Int64 {
        rule.cooldown ?? cooldowns[alert] ?? defaultCooldown
    }
}
