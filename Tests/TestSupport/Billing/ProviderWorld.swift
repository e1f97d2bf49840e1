// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Billing
package import Essentials
internal import Logging
package import Metrics

/// Events of the provider, the ledger that keeps them and what they do, with a clock that stands still.
package struct ProviderWorld: Sendable {
    package let ledger = ProviderLedger()
    package let effects: KeptEffects
    package let clock: ManualClock
    package let catalogue: PlanCatalogue
    package let service: ProviderEventService
    package let rules = ProviderEventRules()

    /// The catalogue is the shipped one.
    package init(
        now: Timestamp, webhookSecrets: [String] = [], apiKey: String? = nil,
        metricsFactory: any MetricsFactory = NOOPMetricsHandler.instance
    ) throws {
        let catalogue = try PlanCatalogue.read(YAMLText.json(BuiltInPlans.plansYAML))
        let clock = ManualClock(now)
        let effects = KeptEffects(catalogue: catalogue)
        let secrets = ProviderSecrets(
            webhookSecrets: Redacted(webhookSecrets), apiKey: apiKey.map { Redacted($0) })
        self.catalogue = catalogue
        self.clock = clock
        self.effects = effects
        service = ProviderEventService(
            ledger: ledger, effects: effects, plans: PlanBook(catalogue), rules: rules, secrets: { secrets },
            clock: clock, logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
            metricsFactory: metricsFactory)
    }

    /// Takes events one after another.
    package func deliver(_ events: [ProviderEvent]) async throws -> [ProviderOutcome] {
        var outcomes: [ProviderOutcome] = []
        for event in events { outcomes.append(try await service.take(event).outcome) }
        return outcomes
    }

    /// How an account stands now.
    package func look(at account: String) throws -> JSONObject {
        let kept = effects.account(account)
        let standing = kept.standing
        let state = standing.map { rules.timers.state(of: $0, at: clock.now()) } ?? .active
        let plan = (state.entitles ? standing?.boughtPlan : nil) ?? catalogue.fallback.name
        let bought = ledger.kept.grants[account] ?? []
        return [
            "state": .string(state.rawValue), "plan": .string(plan),
            "bought_plan": .optional(standing?.boughtPlan), "plan_known": .bool(standing?.isPlanKnown ?? true),
            "pool_credits_granted": .int(kept.pools.values.reduce(0, +) / 1_000_000),
            "purchased_credits": .int(bought.reduce(0) { $0 + (Int64($1.document) ?? 0) } / 1_000_000),
            "grace_ends_at": .optional(standing.flatMap(rules.timers.graceEnd)?.rfc3339),
            "last_stripe_event": .optional(standing?.lastEventID),
            "parked": .int(Int64(ledger.kept.events.values.count { $0.state == .parked })),
        ]
    }
}
