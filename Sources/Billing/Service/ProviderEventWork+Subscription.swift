// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// What an event changes about the subscription that it tells of.
extension ProviderEventWork {
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

    /// Folds the event into what is known of its subscription, and puts in force what comes of all of the account.
    mutating func fold(_ subscription: String, in transaction: any BillingTransaction) throws -> Done {
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
