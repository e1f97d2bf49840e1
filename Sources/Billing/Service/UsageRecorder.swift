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
        do {
            let rated = try event.rated(by: prices, markup: work.markup, creditValueMicroUSD: work.creditValue)
            let missing = try settle(event, rated)
            uncollected = uncollected.addingSaturated(missing)
            if rated.isQuarantined { quarantined += 1 }
            try writer.add(
                event.row(rated, receivedAt: work.changes.recordedAt, uncollectedMicroCredits: missing))
            return .success(rated.chargeMicroCredits)
        } catch let refusal as Refusal {
            return .failure(refusal)
        }
    }

    /// - Returns: what could not be collected, in micro-credits.
    private mutating func settle(_ event: UsageEvent, _ rated: RatedAmount) throws -> Int64 {
        if case .tasks(let count) = event.content {
            work.book.countTasks(count, standing: work.standing, into: &work.changes)
            return 0
        }
        let charge = Charge(rated, tokens: event.amounts(rated).tokens)
        if let id = event.reservation { return try commit(id, charge) }
        let outcome = work.book.use(
            charge, subject(event, rated), at: event.at, reference: "event:\(event.source)/\(event.id)",
            standing: work.standing, into: &work.changes)
        return outcome.uncollected
    }

    /// The event is the commit of a reservation.
    private mutating func commit(_ id: String, _ charge: Charge) throws -> Int64 {
        var reservation = try work.reservation(id)
        let before = reservation.uncollected
        _ = try work.book.commit(&reservation, total: charge, standing: work.standing, into: &work.changes)
        return reservation.uncollected - before
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
