// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Applies events one after another to an account that was read once; what they come to is written once.
struct UsageRecorder {
    var work: AccountWork
    var writer: UsageWriter
    /// What could not be collected, in micro-credits.
    private(set) var uncollected: Int64 = 0
    /// Events of models without a price.
    private(set) var quarantined = 0
    private let transaction: any BillingTransaction
    private let prices: PriceList

    init(_ work: AccountWork, _ transaction: any BillingTransaction, prices: PriceList) {
        self.work = work
        self.transaction = transaction
        self.prices = prices
        writer = UsageWriter(transaction, work)
    }

    /// Rates, settles and records an event.
    ///
    /// - Returns: its charge in micro-credits, or why it is refused and nothing was done.
    /// - Throws: `BillingStoreError`.
    mutating func apply(_ event: UsageEvent) throws -> Result<Int64?, Refusal> {
        let actor = work.changes.actor
        defer { work.changes.actor = actor }
        // Events that waited come from more than one sender.
        if let reporter = event.actor { work.changes.actor = reporter }
        do {
            let rated = try event.rated(by: prices, markup: work.markup, creditValueMicroUSD: work.creditValue)
            let settled =
                if let id = event.reservation { try commit(id, event, rated) } else { try settle(event, rated) }
            uncollected = uncollected.addingSaturated(settled.uncollected)
            if rated.isQuarantined { quarantined += 1 }
            var row = event.row(
                rated, receivedAt: work.changes.recordedAt, uncollectedMicroCredits: settled.uncollected)
            row.amounts = settled.amounts
            try writer.add(row)
            return .success(settled.charged ?? rated.chargeMicroCredits)
        } catch let refusal as Refusal {
            return .failure(refusal)
        }
    }

    /// What an event came to.
    private struct Settled {
        /// In micro-credits.
        var uncollected: Int64
        /// What the event adds to what is recorded already.
        var amounts: UsageAmounts
        /// In micro-credits; nil = what the event is rated at.
        var charged: Int64?
    }

    private mutating func settle(_ event: UsageEvent, _ rated: RatedAmount) throws -> Settled {
        let amounts = event.amounts(rated)
        if case .tasks(let count) = event.content {
            work.book.countTasks(count, standing: work.standing, into: &work.changes)
            return Settled(uncollected: 0, amounts: amounts)
        }
        let charge = Charge(rated, tokens: amounts.tokens)
        let outcome = work.book.use(
            charge, subject(event, rated), at: event.at, reference: "event:\(event.source)/\(event.id)",
            standing: work.standing, into: &work.changes)
        return Settled(uncollected: outcome.uncollected, amounts: amounts)
    }

    /// The event is the commit of a reservation, whose increments were recorded when they came. It is rated as every commit is.
    private mutating func commit(_ id: String, _ event: UsageEvent, _ rated: RatedAmount) throws -> Settled {
        var reservation = try work.reservation(id)
        let before = reservation
        let total: AccountWork.Total
        switch event.content {
        case .tokens(let counts, let model, let provider):
            let tokens = UsageAmount.Tokens(model: model, provider: provider, counts: counts)
            total = try work.total(.tokens(tokens), of: reservation, prices: prices)
        case .agent: total = AccountWork.Total(charge: Charge(rated, tokens: 0))
        case .tasks: return try settle(event, rated)
        }
        guard
            let delta = try work.book.commit(
                &reservation, total: total.charge, standing: work.standing, into: &work.changes)
        else { return Settled(uncollected: 0, amounts: UsageAmounts(), charged: 0) }
        var rest = event.amounts(rated)
        if let counts = total.counts {
            rest.take(away: before.counts)
            reservation.counts = counts
        }
        rest.listMicroUSD = delta.listMicroUSD
        rest.chargeMicroUSD = delta.chargeMicroUSD
        rest.chargeMicroCredits = delta.microCredits
        work.changes.put(reservation)
        return Settled(
            uncollected: reservation.uncollected - before.uncollected, amounts: rest, charged: delta.microCredits)
    }

    private func subject(_ event: UsageEvent, _ rated: RatedAmount) -> ChargeSubject {
        let dimensions = event.dimensions(rated)
        var subject = ChargeSubject(
            model: dimensions.model, agent: dimensions.agent, user: dimensions.user, project: dimensions.project)
        switch event.content {
        case .tokens(_, let name, let provider):
            subject.purpose = .tokens(model: dimensions.model)
            subject.provider = provider
            subject.isPremium = prices.model(name, provider: provider, at: event.at)?.isPremium ?? false
        case .agent: subject.purpose = .agents
        case .tasks: break
        }
        return subject
    }
}

extension UsageAmounts {
    /// Takes away the tokens that a reservation has recorded, of which there are no more than of these.
    fileprivate mutating func take(away counts: TokenCounts) {
        input -= counts.input
        output -= counts.output
        cacheRead -= counts.cacheRead
        cacheWrite -= counts.cacheWrite
        reasoning -= counts.reasoning
    }
}
