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
    private var entries: [LedgerEntry.Kind] = []

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

    /// What is known of one subscription.
    private struct Facts {
        /// What the events before `rows` came to; nil where none was folded away.
        var base: SubscriptionFold?
        /// Those that were folded, each with its row.
        var rows: [(event: ProviderEvent, row: ProviderEventRow)] = []
        /// Whether anything was ever kept of it.
        var isNew: Bool

        var events: [ProviderEvent] { rows.map(\.event) }
    }

    private mutating func fold(_ subscription: String, in transaction: any BillingTransaction) throws -> Done {
        let fold = ProviderFold(catalogue: catalogue)
        let known = try facts(
            subscription, transaction.named(.providerSubscription, subscription), in: transaction)
        let outcome = fold.outcome(of: event, among: known.events, base: known.base, at: now, window: rules.window)
        var done = Done(outcome: outcome)
        guard outcome == .processed || outcome == .late else { return done }
        let before = fold.fold(known.events, subscription: subscription, base: known.base).standing
        let after = fold.fold(known.events + [event], subscription: subscription, base: known.base).standing
        if known.isNew {
            try transaction.put(NamedRow(kind: .providerSubscription, name: subscription, document: "{}"))
        }
        try foldAway(known, of: subscription, fold, in: transaction)
        let others = try self.others(than: subscription, fold, in: transaction)
        if let after { done.hasUnknownPrice = try warn(before, after, in: transaction) }
        let all = others + [after].compactMap(\.self)
        guard let standing = fold.inForce(all, at: now, timers: rules.timers) else { return done }
        entries += try effects.apply(
            standing, others: all.filter { $0.subscription != standing.subscription }, account: account, at: now,
            in: transaction)
        return done
    }

    /// Folds what is older than the window into the base, so that what is kept of a subscription does not grow with its age.
    private func foldAway(
        _ known: Facts, of subscription: String, _ fold: ProviderFold, in transaction: any BillingTransaction
    ) throws {
        let old = fold.foldable(known.events, at: now, window: rules.window)
        guard old.count >= ProviderEventRules.foldedAtOnce else { return }
        let base = fold.fold(old, subscription: subscription, base: known.base)
        try transaction.put(NamedRow(kind: .providerSubscription, name: subscription, document: base.document))
        let gone = Set(old.map(\.id))
        for var row in known.rows.map(\.row) where gone.contains(row.id) {
            row.outcome = ProviderEventRules.foldedOutcome
            try transaction.put(row)
        }
    }

    /// What was folded of a subscription before.
    private func facts(
        _ subscription: String, _ stored: NamedRow?, in transaction: any BillingTransaction
    ) throws -> Facts {
        var facts = Facts(
            base: try stored.flatMap { try SubscriptionFold(subscription, document: $0.document) },
            isNew: stored == nil)
        for row in try transaction.providerEvents(subscription: subscription) {
            guard row.state == .done, row.id != event.id,
                row.outcome == ProviderOutcome.processed.rawValue || row.outcome == ProviderOutcome.late.rawValue
            else { continue }
            guard let event = ProviderEvent(document: row.document) else {
                throw BillingStoreError(.unreadable, "the event \(row.id) cannot be read")
            }
            facts.rows.append((event, row))
        }
        return facts
    }

    private func others(
        than subscription: String, _ fold: ProviderFold, in transaction: any BillingTransaction
    ) throws -> [ProviderStanding] {
        let rows = try transaction.named(
            .providerSubscription, after: nil, limit: ProviderEventRules.maximumSubscriptions)
        return try rows.filter { $0.name != subscription }.compactMap { row in
            let known = try facts(row.name, row, in: transaction)
            return fold.fold(known.events, subscription: row.name, base: known.base).standing
        }
    }

    /// - Returns: whether the price has become unknown.
    private mutating func warn(
        _ before: ProviderStanding?, _ after: ProviderStanding, in transaction: any BillingTransaction
    ) throws -> Bool {
        let hasUnknownPrice = !after.isPlanKnown && (before?.isPlanKnown ?? true)
        if hasUnknownPrice {
            entries += try effects.alert(
                .unknownPrice(subscription: after.subscription, prices: event.prices), account: account, at: now,
                in: transaction)
        }
        if !after.isStatusKnown, before?.isStatusKnown ?? true {
            entries += try effects.alert(
                .unknownStatus(subscription: after.subscription, status: event.status ?? ""), account: account,
                at: now, in: transaction)
        }
        return hasUnknownPrice
    }
}
