// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Everything of one account that its operations need: open grants, debt, counters, budgets, and what its subscription says. A plain value
/// without clock and store; each operation changes it and adds what happened to `AccountChanges`.
///
/// Reservations and slots live in rows of their own and are handed in: an operation costs as much as there are open grants, not reservations.
/// Whoever begins an operation first calls `advance`.
package struct AccountBook: Sendable, Hashable {
    /// A pool of credits that was granted for a period.
    struct Pool: Sendable, Hashable {
        var origin: String
        var period: BillingPeriod
        /// All that was granted for the period, in micro-credits.
        var granted: Int64
        /// What was counted in the period when another subscription came in force; nil while this one is.
        var counted: PeriodCounters?
    }

    /// The most reservations that may be open at once.
    package static let maximumOpenReservations: Int64 = 10_000

    package let account: String
    package let createdAt: Timestamp
    /// Up to when everything that time brings has been done.
    package internal(set) var clock: Timestamp
    /// Number of the last entry of the ledger.
    package internal(set) var lastSequence: Int64 = 0

    // MARK: - Subscription

    package internal(set) var spec: StatedSubscription?
    package internal(set) var provider: ProviderStanding?
    /// The provider's other subscriptions: one of them is in force when time ends the first.
    var otherProviders: [ProviderStanding] = []
    /// From where periods of the fallback plan are counted.
    package internal(set) var freeAnchor: Timestamp
    /// The period that tasks, premium models and budgets are counted in, and whose it is.
    var periodOrigin = ""
    package internal(set) var period: BillingPeriod
    /// One for each origin whose pool may still be spent.
    var pools: [Pool] = []
    /// When time changes something next, ends of reservations apart.
    var nextDue: Timestamp?
    /// What the owner was told last: state and plan in force.
    var toldState = ""

    // MARK: - Credits

    /// Grants that something may still come of, in the order in which they are spent.
    package internal(set) var grants: [Grant] = []
    /// Micro-credits that are owed.
    package internal(set) var debt: Int64 = 0
    /// Room for debt that reservations hold, in micro-credits.
    package internal(set) var heldOverage: Int64 = 0
    package internal(set) var totals = AccountTotals()
    package internal(set) var counters = AccountCounters()
    package internal(set) var budgets: [BudgetAccount] = []
    package internal(set) var openReservations: Int64 = 0
    /// Not after the earliest end of an open reservation; nil where none is open.
    package internal(set) var earliestEnd: Timestamp?

    /// A new account on the fallback plan, whose periods begin with the UTC day of its making.
    ///
    /// Nothing is granted before `advance`, so that a subscription may be put in force first.
    package init(account: String, at now: Timestamp) {
        self.account = account
        createdAt = now
        clock = now
        freeAnchor = BillingPeriod.day(containing: now).start
        period = BillingPeriod(start: now, end: now)
    }

    /// The provider's subscriptions, the one that its events put in force first.
    package var providers: [ProviderStanding] { (provider.map { [$0] } ?? []) + otherProviders }

    /// How it stands at an instant.
    package func standing(at now: Timestamp, terms: BillingTerms) -> Standing {
        Standing.of(
            spec: spec, providers: providers, freeAnchor: freeAnchor,
            known: periodOrigin.isEmpty ? nil : (periodOrigin, period), at: now, terms: terms)
    }

    // MARK: - Figures

    /// Credits that are neither held nor spent, less debt, in micro-credits.
    package var balance: Int64 { grants.reduce(0) { $0 + $1.remaining } - debt }

    /// What is held of grants and of the room for debt, in micro-credits.
    package var held: Int64 { grants.reduce(heldOverage) { $0 + $1.held } }

    /// Credits that pay for something now, in micro-credits, without room for debt.
    package func available(for purpose: SpendPurpose?, standing: Standing) -> Int64 {
        grants.reduce(0) { sum, grant in
            guard isSpendable(grant, origin: standing.origin), purpose.map(grant.pays) ?? true else { return sum }
            return sum.addingSaturated(grant.remaining)
        }
    }

    /// How much more debt is allowed, in micro-credits.
    package func overageRoom(_ standing: Standing) -> Int64 {
        let limit = standing.limits.overageCredits ?? Self.unlimitedOverage
        return max(0, limit - debt - heldOverage)
    }

    /// Credits and room for debt together, in micro-credits.
    package func spendable(for purpose: SpendPurpose?, standing: Standing) -> Int64 {
        available(for: purpose, standing: standing).addingSaturated(overageRoom(standing))
    }

    /// Where the plan names no limit of debt.
    private static let unlimitedOverage: Int64 = 1_000_000_000_000_000_000

    /// Whether a grant pays now. What has expired was closed by `advance`.
    func isSpendable(_ grant: Grant, origin: String) -> Bool {
        grant.state == .open && grant.remaining > 0 && grant.effectiveAt <= clock
            && (grant.origin == nil || grant.origin == origin)
    }

    /// Puts a grant in its place in the order of spending.
    mutating func insert(_ grant: Grant) {
        let index = grants.firstIndex { grant.precedes($0) } ?? grants.endIndex
        grants.insert(grant, at: index)
    }

    /// Appends an entry to the ledger.
    mutating func post(
        _ kind: LedgerEntry.Kind, key: String, at: Timestamp, _ legs: [LedgerEntry.Leg], reference: String? = nil,
        charge: Charge? = nil, into changes: inout AccountChanges
    ) {
        lastSequence += 1
        changes.add(
            LedgerEntry(
                sequence: lastSequence, id: "\(account)-\(lastSequence)", key: key, kind: kind, at: at,
                recordedAt: changes.recordedAt, legs: legs, reference: reference,
                listMicroUSD: charge?.listMicroUSD, chargeMicroUSD: charge?.chargeMicroUSD,
                priceVersion: charge?.priceVersion, actor: changes.actor, balanceAfter: balance))
    }

    /// Takes grants out that nothing can come of any more, and has their rows written.
    mutating func dropFinished(_ changes: inout AccountChanges) {
        guard grants.contains(where: \.isFinished) else { return }
        for grant in grants where grant.isFinished { changes.put(grant) }
        grants.removeAll(where: \.isFinished)
    }
}
