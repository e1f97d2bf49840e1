// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials

/// How an account stood when the ledger was looked at, as the status of its object says it.
package struct AccountReport: Sendable, Hashable {
    /// What moves with every call that is charged.
    struct Numbers: Sendable, Hashable {
        var creditsGranted: Int64
        var creditsUsed: Int64
        var creditsHeld: Int64
        var creditsRemaining: Int64
        var agents: Int64
        var workers: Int64
        var workspaces: Int64
    }

    var state: SubscriptionState
    var plan: String
    var boughtPlan: String?
    var period: BillingPeriod
    var pastDueSince: Timestamp?
    var graceEndsAt: Timestamp?
    var cancelsAtPeriodEnd: Bool
    /// The provider's subscription in force, or the last that was; nil where nothing was heard.
    var provider: ProviderStanding?
    /// Whether there was no news for too long past the end of the provider's period.
    var isStale: Bool
    var isOverLimit: Bool
    /// The provider's customers that are linked to the account.
    var customers: [String]
    /// Whether events of the provider wait because their customer is not the account's.
    var hasParkedEvents: Bool
    /// What of the object could not be put in force.
    var faults: [String]
    var numbers: Numbers

    init(_ facts: AccountFacts, hasParkedEvents: Bool, faults: [String], terms: BillingTerms) {
        let (view, standing) = (facts.view, facts.view.standing)
        let (book, counters) = (view.book, view.book.counters)
        state = standing.state
        plan = standing.plan.name
        boughtPlan = book.spec?.source == .manual ? book.spec?.plan : standing.boughtPlan?.name
        period = standing.period
        pastDueSince = standing.pastDueSince
        graceEndsAt = standing.graceEndsAt
        cancelsAtPeriodEnd = standing.cancelsAtPeriodEnd
        provider = book.providers.first { $0.subscription == standing.origin } ?? book.provider
        isStale = Self.staleAt(provider, terms).map { $0 <= view.asOf } ?? false
        isOverLimit = view.isOverLimit
        customers = facts.customers
        self.hasParkedEvents = hasParkedEvents
        self.faults = faults
        numbers = Numbers(
            creditsGranted: view.grantedMicroCredits, creditsUsed: counters.period.usedMicroCredits,
            creditsHeld: book.held,
            creditsRemaining: view.availableMicroCredits, agents: counters.agents, workers: counters.workers,
            workspaces: counters.workspaces)
    }

    /// When time alone changes what is said; nil = never.
    static func dueAt(_ facts: AccountFacts, terms: BillingTerms) -> Timestamp? {
        let stale = staleAt(facts.view.book.provider, terms).flatMap { $0 > facts.view.asOf ? $0 : nil }
        return [facts.view.book.dueAt, stale].compactMap { $0 }.min()
    }

    private static func staleAt(_ provider: ProviderStanding?, _ terms: BillingTerms) -> Timestamp? {
        guard let provider, provider.state != .canceled else { return nil }
        return provider.periodEnd?.adding(seconds: terms.timers.staleAfterSeconds)
    }

    /// Whether another says the same but for numbers.
    func agrees(with other: AccountReport) -> Bool {
        var other = other
        other.numbers = numbers
        return self == other
    }

    /// The members of `status`.
    func members(reason: String) -> JSONObject {
        [
            "state": .string(state.rawValue), "reason": .string(reason), "plan": .string(plan),
            "boughtPlan": .optional(boughtPlan), "periodStart": .string(period.start.rfc3339),
            "periodEnd": .string(period.end.rfc3339), "pastDueSince": .optional(pastDueSince?.rfc3339),
            "graceEndsAt": .optional(graceEndsAt?.rfc3339), "cancelAtPeriodEnd": .bool(cancelsAtPeriodEnd),
            "creditsGranted": .int(numbers.creditsGranted), "creditsUsed": .int(numbers.creditsUsed),
            "creditsHeld": .int(numbers.creditsHeld), "creditsRemaining": .int(numbers.creditsRemaining),
            "slotsUsed": [
                "agents": .int(numbers.agents), "workers": .int(numbers.workers),
                "workspaces": .int(numbers.workspaces),
            ],
            "lastStripeEvent": provider.map { provider in
                [
                    "id": .string(provider.lastEventID), "type": .string(provider.lastEventType),
                    "created": .string(provider.lastEventCreated.rfc3339),
                ]
            } ?? .null,
        ]
    }
}
