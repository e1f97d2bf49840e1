// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
package import Healing
package import Metrics
internal import Synchronization

/// What healing counts. Every instrument exists from the start, at zero, for each alert that the rules name and for `other`.
package final class HealingMetrics: Sendable {
    private static let results: [AlertResult.Outcome] = [.executed, .failed, .error, .dryRun, .cooldownSkip]
    private static let other = "other"

    private let factory: any MetricsFactory
    private let alertNames = Mutex<Set<String>>([])
    private let duration: Timer
    private let heartbeat: Gauge
    private let lastEvent: Gauge
    private let halted: Gauge
    private let budget: Gauge
    private let running: Gauge
    private let rulesLoaded: Gauge
    private let reloadFailures: Counter

    /// Takes where the instruments live.
    package init(factory: any MetricsFactory) {
        self.factory = factory
        duration = Timer(
            label: "autoheal_action_duration_seconds", dimensions: [], preferredDisplayUnit: .seconds, factory: factory)
        heartbeat = Gauge(label: "autoheal_heartbeat_timestamp_seconds", factory: factory)
        lastEvent = Gauge(label: "autoheal_last_event_timestamp", factory: factory)
        halted = Gauge(label: "autoheal_halted", factory: factory)
        budget = Gauge(label: "autoheal_budget_remaining", factory: factory)
        running = Gauge(label: "autoheal_running_actions", factory: factory)
        rulesLoaded = Gauge(label: "autoheal_rules_loaded", factory: factory)
        reloadFailures = Counter(label: "autoheal_rules_reload_failures_total", factory: factory)
        for gauge in [heartbeat, lastEvent, halted, budget, running, rulesLoaded] { gauge.record(0) }
        reloadFailures.increment(by: 0)
        for reason in SkipReason.allCases { skips(reason).increment(by: 0) }
        for kind in HealingEvent.Kind.allCases { events(kind).increment(by: 0) }
        for channel in HealingRule.Channel.allCases {
            for result in NoticeResult.allCases { notices(channel, result).increment(by: 0) }
        }
        know([])
    }

    /// What became of a notice.
    package enum NoticeResult: String, Sendable, CaseIterable {
        case sent, failed, dropped
    }

    /// Shows the switches.
    package func configure(_ settings: HealingSettings) {
        Gauge(label: "autoheal_enabled", factory: factory).record(settings.isEnabled ? 1 : 0)
        Gauge(label: "autoheal_dry_run", factory: factory).record(settings.isDryRun ? 1 : 0)
    }

    /// Rules are in force: instruments for the alerts that they name.
    package func loaded(_ rules: HealingRules) {
        rulesLoaded.record(Int64(rules.rules.count))
        know(rules.alertNames)
    }

    /// A changed rules file is refused.
    package func refusedRules() { reloadFailures.increment() }

    private func know(_ names: [String]) {
        let new = alertNames.withLock { known in
            let new = Set(names + [Self.other]).subtracting(known)
            known.formUnion(new)
            return new
        }
        for name in new {
            for result in Self.results { actions(name, result).increment(by: 0) }
            failures(name).increment(by: 0)
            lastAction(name).record(0)
            cooldown(name).record(0)
        }
    }

    /// Alerts of the rules under their names, everything else together.
    private func label(_ alert: String) -> String {
        alertNames.withLock { $0.contains(alert) } ? alert : Self.other
    }

    private func actions(_ label: String, _ result: AlertResult.Outcome) -> Counter {
        Counter(
            label: "autoheal_actions_total", dimensions: [("alertname", label), ("result", result.rawValue)],
            factory: factory)
    }

    private func failures(_ label: String) -> Counter {
        Counter(label: "autoheal_action_failures_total", dimensions: [("alertname", label)], factory: factory)
    }

    private func lastAction(_ label: String) -> Gauge {
        Gauge(label: "autoheal_action_last_timestamp", dimensions: [("alertname", label)], factory: factory)
    }

    private func cooldown(_ label: String) -> Gauge {
        Gauge(label: "autoheal_cooldown_remaining_seconds", dimensions: [("alertname", label)], factory: factory)
    }

    private func skips(_ reason: SkipReason) -> Counter {
        Counter(label: "autoheal_decision_skips_total", dimensions: [("reason", reason.rawValue)], factory: factory)
    }

    private func events(_ kind: HealingEvent.Kind) -> Counter {
        Counter(label: "autoheal_event_total", dimensions: [("kind", kind.rawValue)], factory: factory)
    }

    private func notices(_ channel: HealingRule.Channel, _ result: NoticeResult) -> Counter {
        Counter(
            label: "autoheal_notifications_total",
            dimensions: [("channel", channel.rawValue), ("result", result.rawValue)], factory: factory)
    }

    // MARK: - What happens

    /// The end of what an alert led to.
    package func ended(_ alert: String, _ result: AlertResult.Outcome) {
        guard Self.results.contains(result) else { return }
        actions(label(alert), result).increment()
        if result == .failed { failures(label(alert)).increment() }
    }

    /// An action begins.
    package func began(_ alert: String, at now: Timestamp) { lastAction(label(alert)).record(now.seconds) }

    /// How long an action took until its outcome was known.
    package func took(milliseconds: Int64) { duration.recordNanoseconds(max(0, milliseconds) * 1_000_000) }

    /// An alert leads to nothing.
    package func skipped(_ reason: SkipReason) { skips(reason).increment() }

    /// An event is emitted, whoever watches.
    package func emitted(_ kind: HealingEvent.Kind, at now: Timestamp) {
        events(kind).increment()
        lastEvent.record(now.seconds)
    }

    /// A pass has begun.
    package func beat(at now: Timestamp) { heartbeat.record(now.seconds) }

    /// What became of a notice.
    package func noticed(_ channel: HealingRule.Channel, _ result: NoticeResult) {
        notices(channel, result).increment()
    }

    /// Shows what the books say now.
    package func show(_ books: HealingBooks, rules: HealingRules, settings: HealingSettings, at now: Timestamp) {
        halted.record(books.halt == nil ? 0 : 1)
        running.record(Int64(books.slotsTaken))
        budget.record(Int64(max(0, settings.budgetPerHour - books.spent(isDryRun: settings.isDryRun, at: now))))
        var longest: [String: Int64] = [:]
        let byName = Dictionary(rules.rules.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        for entry in books.entries.values where entry.isDryRun == settings.isDryRun {
            let alert = entry.plan.alertName
            let length =
                byName[entry.plan.rule].map { settings.cooldown(of: $0, for: alert) }
                ?? settings.cooldowns[alert] ?? settings.defaultCooldown
            let left = HealingGates.remaining(length, since: entry.plan.startedAt, at: now) ?? 0
            longest[label(alert)] = max(longest[label(alert)] ?? 0, left)
        }
        for name in alertNames.withLock({ $0 }) { cooldown(name).record(longest[name] ?? 0) }
    }
}
