// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// What one event of the provider does, within one transaction of its account.
struct ProviderEventWork: Sendable {
    let event: ProviderEvent
    /// As it was claimed.
    let row: ProviderEventRow
    let account: String
    let now: Timestamp
    let rules: ProviderEventRules
    let catalogue: PlanCatalogue
    let effects: any ProviderEffects
    /// The kinds of the entries that were posted.
    var entries: [LedgerEntry.Kind] = []

    init(
        event: ProviderEvent, row: ProviderEventRow, account: String, now: Timestamp, rules: ProviderEventRules,
        catalogue: PlanCatalogue, effects: any ProviderEffects
    ) {
        self.event = event
        self.row = row
        self.account = account
        self.now = now
        self.rules = rules
        self.catalogue = catalogue
        self.effects = effects
    }

    /// What came of it.
    struct Done: Sendable, Hashable {
        var outcome: ProviderOutcome
        /// The kinds of the entries that were posted.
        var entries: [LedgerEntry.Kind] = []
        /// Whether the subscription's price has just become one that the catalogue does not know.
        var hasUnknownPrice = false
    }

    /// Links, folds, grants, and stores how far the event got.
    func run(in transaction: any BillingTransaction) throws -> Done {
        // The transaction may run again.
        var work = self
        var done = try work.work(in: transaction)
        done.entries = work.entries
        return done
    }

    private mutating func work(in transaction: any BillingTransaction) throws -> Done {
        let link = CustomerLink.decide(
            event, account: account, customers: try transaction.customers(),
            owner: try event.customer.flatMap { try transaction.account(ofCustomer: $0) })
        if let reason = link.parkedBecause { return Done(outcome: try park(because: reason, in: transaction)) }
        if case .new(let customer) = link { try transaction.link(customer: customer) }
        var done = Done(outcome: .processed)
        // What has paid for a plan buys no credits beside it.
        if let invoice = event.invoice, let payment = event.paymentIntent {
            _ = try transaction.tie(purchases: [PackSale.purchase(paymentIntent: payment)], to: "in:\(invoice)")
        }
        if event.isSale {
            try sell(in: transaction)
        } else if let subscription = event.fact {
            done = try fold(subscription, in: transaction)
        } else {
            // A single bill, a session that only keeps a card: nothing of ours.
            done.outcome = .ignored
        }
        try transaction.put(finished(.done, done.outcome))
        return done
    }

    private func finished(_ state: ProviderEventRow.State, _ outcome: ProviderOutcome) -> ProviderEventRow {
        var row = row
        row.state = state
        row.outcome = outcome.rawValue
        row.account = account
        row.customer = event.customer
        row.subscription = event.fact
        row.document = event.json.jsonText
        row.leaseUntil = nil
        row.nextAt = nil
        return row
    }

    private mutating func park(because reason: String, in transaction: any BillingTransaction) throws -> ProviderOutcome
    {
        // Those that wait are looked at again and again, and told once.
        if row.outcome != ProviderOutcome.parked.rawValue {
            entries += try effects.alert(
                .customerConflict(event: event.id, customer: event.customer ?? "", reason: reason), account: account,
                at: now, in: transaction)
        }
        try transaction.put(finished(.parked, .parked))
        return .parked
    }

    private mutating func sell(in transaction: any BillingTransaction) throws {
        switch PackSale.read(event, catalogue: catalogue) {
        case .nothing, .waits: break
        case .unknownPack(let pack):
            entries += try effects.alert(
                .unknownPack(session: event.session ?? "", pack: pack), account: account, at: now, in: transaction)
        case .sale(let sale): entries += try Self.book(sale, account, now, effects, in: transaction) ?? []
        }
    }

    /// Grants a sale unless its payment bought something before, by whichever key and for whichever account.
    ///
    /// - Returns: the kinds of the entries that were posted; nil where it bought something else.
    static func book(
        _ sale: PackSale, _ account: String, _ now: Timestamp, _ effects: any ProviderEffects,
        in transaction: any BillingTransaction
    ) throws -> [LedgerEntry.Kind]? {
        guard try transaction.tie(purchases: sale.purchases, to: sale.key) else { return nil }
        return try effects.grant(sale, account: account, at: now, in: transaction)
    }
}
