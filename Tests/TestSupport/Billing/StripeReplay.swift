// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Billing
package import Essentials
internal import Logging
internal import Metrics

/// The service that takes the provider's events, with its real effects on the accounts of a ledger. What it cannot do it throws.
package struct StripeReplay: Sendable {
    /// What an account ended with: what two orders of the same events must have in common.
    package struct End: Sendable, Hashable, CustomStringConvertible {
        var state: String
        /// Members of the subscription as it is shown.
        var shown: JSONValue
        /// What pays now: amounts by source, origin and end.
        var grants: [String: Int64]
        var available: Int64
        var spendable: Int64
        var debt: Int64
        var lastEvent: String?
        var waiting: [String]
        /// What does not add up in the ledger; empty as it should be.
        package var faults: [String]

        package var description: String {
            "\(state), \(shown.jsonText), \(grants.sorted { $0.key < $1.key }), \(available) of \(spendable), \(debt) owed, last \(lastEvent ?? "none"), waiting \(waiting), \(faults)"
        }
    }

    package let clock: ManualClock
    private let sequence: StripeSequence
    private let ledger: any BillingLedger
    private let billing: BillingService
    private let events: ProviderEventService

    /// The catalogue is the shipped one, and the clock stands at the instant of the sequence.
    package init(_ sequence: StripeSequence, ledger: any BillingLedger) async throws {
        let catalogue = try PlanCatalogue.read(YAMLText.json(BuiltInPlans.plansYAML))
        let prices = try PriceList.read(YAMLText.json(BuiltInPrices.pricesYAML), tiers: catalogue.modelTiers)
        let clock = ManualClock(sequence.now)
        let plans = PlanBook(catalogue)
        let billing = BillingService(
            ledger: ledger, plans: plans, prices: PriceBook(prices), clock: clock,
            metricsFactory: NOOPMetricsHandler.instance)
        self.sequence = sequence
        self.ledger = ledger
        self.clock = clock
        self.billing = billing
        events = ProviderEventService(
            ledger: ledger, effects: AccountEffects(terms: { billing.terms }), plans: plans,
            secrets: { ProviderSecrets(webhookSecrets: Redacted([])) }, clock: clock,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
            metricsFactory: NOOPMetricsHandler.instance)
        if let customer = sequence.customer {
            try await ledger.transact(sequence.account) { try $0.link(customer: customer) }
        }
    }

    /// Takes events one after another.
    package func deliver(_ events: [ProviderEvent]) async throws -> [ProviderOutcome] {
        var outcomes: [ProviderOutcome] = []
        for event in events { outcomes.append(try await self.events.take(event).outcome) }
        return outcomes
    }

    /// How the account stands now.
    package func end() async throws -> End {
        let view = try await billing.view(sequence.account)
        var shown = view.subscription.objectValue ?? JSONObject()
        for name in ["credits", "slots"] { shown[name] = nil }
        // The fallback plan's periods are counted from when the account was made, not from what the provider says.
        let isFree = view.standing.origin == Standing.freeOrigin
        if isFree { for name in ["current_period_start", "current_period_end"] { shown[name] = nil } }
        var grants: [String: Int64] = [:]
        for grant in view.book.grants
        where grant.state == .open && (grant.origin == nil || grant.origin == view.standing.origin) {
            let end = isFree && grant.origin != nil ? "its end" : grant.expiresAt?.rfc3339 ?? "never"
            grants["\(grant.source.rawValue) of \(grant.origin ?? "itself") until \(end)", default: 0] +=
                grant.remaining
        }
        return End(
            state: view.standing.state.rawValue, shown: .object(shown), grants: grants,
            available: view.availableMicroCredits, spendable: view.spendableMicroCredits, debt: view.book.debt,
            lastEvent: view.book.provider?.lastEventID,
            waiting: try await ledger.providerEvents(.parked, limit: 100).map(\.id).sorted(),
            faults: try await LedgerProof.read(sequence.account, in: ledger).faults)
    }

    /// How the account stands now, in the members of a case.
    package func look() async throws -> JSONObject {
        let view = try await billing.view(sequence.account)
        let provider = view.book.provider
        let grants = try await ledger.read(sequence.account) { reader in
            try reader.grants(before: nil, limit: 1000).map { try Grant($0) }
        }
        func credits(_ source: GrantSource, of origin: String? = nil) -> JSONValue {
            let found = grants.filter { $0.source == source && (origin == nil || $0.origin == origin) }
            return .int(found.reduce(0) { $0 + $1.microCredits } / 1_000_000)
        }
        return [
            "state": .string(view.standing.state.rawValue), "plan": .string(view.standing.plan.name),
            "bought_plan": .optional(provider?.boughtPlan), "plan_known": .bool(provider?.isPlanKnown ?? true),
            "pool_credits_granted": credits(.subscription, of: provider?.subscription ?? "none"),
            "purchased_credits": credits(.purchase),
            "grace_ends_at": .optional(view.standing.graceEndsAt?.rfc3339),
            "last_stripe_event": .optional(provider?.lastEventID),
            "parked": .int(Int64(try await ledger.providerEvents(.parked, limit: 100).count)),
        ]
    }
}
