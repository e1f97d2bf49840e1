// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Decides about alerts, one after the other, by what is remembered. Pure: time comes in.
package struct HealingGates: Sendable {
    private static let maximumMarks = 10_000

    /// One outbreak of an alert.
    private struct Mark: Hashable {
        let isDryRun: Bool
        let fingerprint: String
        let startsAt: String
    }

    /// What outlives the process.
    package var books: HealingBooks
    /// When each outbreak last passed the gate `duplicate`. Kept in memory only: a repeat after a restart meets the cooldown.
    private var marks: [Mark: Timestamp] = [:]

    /// Begins with these books.
    package init(books: HealingBooks = HealingBooks()) { self.books = books }

    /// Decides about an alert. An action that is to be done stands in the books afterwards.
    ///
    /// - Parameters:
    ///   - id: names the action, if there is one.
    ///   - requestID: of the webhook call.
    package mutating func judge(
        _ alert: Alert, rules: HealingRules, settings: HealingSettings, id: String, requestID: String? = nil,
        at now: Timestamp
    ) -> HealingVerdict {
        guard alert.isFiring else { return .skip(HealingSkip(.resolved)) }
        guard settings.isEnabled else { return .skip(HealingSkip(.disabled)) }
        guard alert.isOptedIn else { return .skip(HealingSkip(.notAnnotated)) }
        guard let rule = rules.rule(for: alert) else { return .skip(HealingSkip(.notAllowlisted)) }
        guard rule.action != .none else { return .skip(HealingSkip(.noAction, rule: rule.name)) }
        var target: HealingTarget?
        if let template = rule.target {
            target = template.resolve(alert.labels, allowed: settings.namespaces)
            guard target != nil else { return .skip(HealingSkip(.badTarget, rule: rule.name)) }
        }
        let plan = PlannedAction(
            id: id, alertName: alert.name, fingerprint: alert.fingerprint, rule: rule.name, action: rule.action,
            target: target, startedAt: now, verifyWithin: rule.verifyWithin, channels: rule.channels,
            requestID: requestID, labels: alert.labels)
        if let skip = refusal(plan, alert: alert, cooldown: settings.cooldown(of: rule, for: alert.name), settings, now)
        {
            return .skip(skip)
        }
        return settings.isDryRun ? .dryRun(plan) : .act(plan)
    }

    private mutating func refusal(
        _ plan: PlannedAction, alert: Alert, cooldown: Int64, _ settings: HealingSettings, _ now: Timestamp
    ) -> HealingSkip? {
        func skip(_ reason: SkipReason, remaining: Int64? = nil) -> HealingSkip {
            HealingSkip(reason, rule: plan.rule, target: plan.target?.text, remainingSeconds: remaining)
        }
        let isDryRun = settings.isDryRun
        if !isDryRun, books.halt != nil { return skip(.halted) }
        guard
            passes(
                Mark(isDryRun: isDryRun, fingerprint: alert.fingerprint, startsAt: alert.startsAt),
                window: settings.dedupWindow, at: now)
        else { return skip(.duplicate) }
        if let last = books.lastExecution(alert: alert.name, target: plan.targetKey, isDryRun: isDryRun),
            let remaining = Self.remaining(cooldown, since: last, at: now)
        {
            return skip(.cooldown, remaining: remaining)
        }
        guard plan.action.actsOnCluster else { return nil }
        guard books.spent(isDryRun: isDryRun, at: now) < settings.budgetPerHour,
            books.spent(isDryRun: isDryRun, target: plan.targetKey, at: now) < settings.budgetPerTarget
        else { return skip(.budget) }
        return books.slotsTaken < settings.concurrency ? nil : skip(.concurrency)
    }

    /// The seconds until a cooldown is open again, rounded up; nil when it is open. A clock that was set back does not lengthen it.
    package static func remaining(_ cooldown: Int64, since last: Timestamp, at now: Timestamp) -> Int64? {
        let left = cooldown * 1_000_000 - max(0, now.microseconds - last.microseconds)
        return left > 0 ? (left + 999_999) / 1_000_000 : nil
    }

    private mutating func passes(_ mark: Mark, window: Int64, at now: Timestamp) -> Bool {
        if let passed = marks[mark], now.microseconds - passed.microseconds < window * 1_000_000 { return false }
        if marks.count >= Self.maximumMarks {
            marks = marks.filter { now.microseconds - $0.value.microseconds < window * 1_000_000 }
            if marks.count >= Self.maximumMarks { marks = [:] }
        }
        marks[mark] = now
        return true
    }
}
