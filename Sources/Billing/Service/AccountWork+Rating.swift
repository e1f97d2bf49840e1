// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

extension AccountWork {
    /// A total that was told, rated.
    struct Total {
        var charge: Charge
        /// Where tokens were told.
        var counts: TokenCounts?
        var isQuarantined = false
    }

    /// What the account adds to prices.
    var markup: MarkupPercent? { standing.limits.markupPercent }

    var creditValue: Int64 { terms.catalogue.creditValueMicroUSD }

    /// An amount as a check and a hold ask for it. A model without a price has no charge.
    ///
    /// - Throws: `billing.overflow`.
    func tokenUse(
        _ amount: UsageAmount, user: String?, project: String?, agent: String?, prices: PriceList
    ) throws(Refusal) -> EligibilityQuestion.TokenUse {
        var subject = ChargeSubject(agent: agent ?? "", user: user ?? "", project: project ?? "")
        switch amount {
        case .microCredits(let microCredits):
            let charge = Charge(microCredits: microCredits, creditValueMicroUSD: creditValue)
            return EligibilityQuestion.TokenUse(subject: subject, charge: charge)
        case .tokens(let tokens):
            let name = tokens.model ?? ""
            let price = prices.model(name, provider: tokens.provider, at: now)
            subject.model = price?.model ?? PriceList.fullName(name, provider: tokens.provider)
            subject.provider = tokens.provider
            subject.isPremium = price?.isPremium ?? false
            subject.purpose = .tokens(model: subject.model)
            do throws(Refusal) {
                let rated = try amount.rated(
                    by: prices, markup: markup, creditValueMicroUSD: creditValue, at: now)
                return EligibilityQuestion.TokenUse(
                    tier: price?.tier, subject: subject, charge: Charge(rated, tokens: tokens.total), modelName: name)
            } catch {
                guard error.code == .billingUnknownModel else { throw error }
                return EligibilityQuestion.TokenUse(subject: subject, charge: nil, modelName: name)
            }
        }
    }

    /// The running total of a reservation, rated as at its beginning. What was settled of it stays as it was charged, also where the account
    /// has another markup or a price was changed since: only what came after it is rated by what holds now.
    ///
    /// - Throws: `billing.unknown_model`, `billing.overflow`; `billing.not_monotonic` where a class of tokens fell;
    ///   `billing.reservation_committed` where other tokens were committed.
    func total(
        _ amount: UsageAmount, of reservation: Reservation, prices: PriceList
    ) throws(Refusal) -> Total {
        switch amount {
        case .microCredits(let microCredits):
            return Total(charge: Charge(microCredits: microCredits, creditValueMicroUSD: creditValue))
        case .tokens(let tokens):
            if reservation.state == .committed {
                guard tokens.counts == reservation.counts else { throw Refusal(.billingReservationCommitted) }
                return Total(charge: reservation.used, counts: tokens.counts)
            }
            guard tokens.counts.isAtLeast(reservation.counts) else {
                throw Refusal(
                    .billingNotMonotonic,
                    details: ["settled_micro_credits": .int(reservation.used.microCredits)])
            }
            let rated = try rated(tokens, of: reservation, prices: prices)
            var charge = Charge(rated, tokens: tokens.counts.total)
            if reservation.counts != TokenCounts() {
                var settled = tokens
                settled.counts = reservation.counts
                let before = Charge(
                    try self.rated(settled, of: reservation, prices: prices), tokens: settled.counts.total)
                charge = reservation.used.with(charge.above(before))
            }
            return Total(charge: charge, counts: tokens.counts, isQuarantined: rated.isQuarantined)
        }
    }

    private func rated(
        _ tokens: UsageAmount.Tokens, of reservation: Reservation, prices: PriceList
    ) throws(Refusal) -> RatedAmount {
        try UsageAmount.tokens(tokens).rated(
            by: prices, model: reservation.subject.model, provider: reservation.subject.provider, markup: markup,
            creditValueMicroUSD: creditValue, at: reservation.createdAt)
    }

    /// A reservation of the account.
    ///
    /// - Throws: `Refusal` `billing.not_found`; `BillingStoreError`.
    func reservation(_ id: String) throws -> Reservation {
        // What `advance` has ended in this transaction is not stored yet.
        if let ended = changes.reservations.last(where: { $0.id == id }) { return ended }
        guard let row = try transaction.reservation(id: id) else { throw Refusal(.billingNotFound) }
        return try knownReservations?.reservation(row) ?? Reservation(row)
    }

    /// Records a step of a reservation as usage.
    mutating func record(
        _ delta: Charge, _ total: Total, of reservation: inout Reservation, id: String, uncollected: Int64,
        in transaction: any BillingTransaction
    ) throws {
        let before = reservation.counts
        var amounts = UsageAmounts()
        amounts.requests = reservation.state == .committed ? 1 : 0
        if let counts = total.counts {
            amounts.input = counts.input - before.input
            amounts.output = counts.output - before.output
            amounts.cacheRead = counts.cacheRead - before.cacheRead
            amounts.cacheWrite = counts.cacheWrite - before.cacheWrite
            amounts.reasoning = counts.reasoning - before.reasoning
            reservation.counts = counts
        }
        amounts.listMicroUSD = delta.listMicroUSD
        amounts.chargeMicroUSD = delta.chargeMicroUSD
        amounts.chargeMicroCredits = delta.microCredits
        let subject = reservation.subject
        let dimensions = UsageDimensions(
            model: subject.model, agent: subject.agent, user: subject.user, project: subject.project)
        let row = UsageRow(
            kind: "tokens", source: "reservation", id: id, digest: "", at: now, receivedAt: changes.recordedAt,
            dimensions: dimensions, amounts: amounts, uncollectedMicroCredits: uncollected,
            isQuarantined: total.isQuarantined, priceVersion: delta.priceVersion, reservation: reservation.id)
        changes.put(reservation)
        var writer = UsageWriter(transaction, self)
        try writer.add(row)
        try writer.store()
        admitted += writer.admitted
    }
}

extension Charge {
    /// What rating says.
    init(_ rated: RatedAmount, tokens: Int64) {
        self.init(
            microCredits: rated.chargeMicroCredits, listMicroUSD: rated.listMicroUSD,
            chargeMicroUSD: rated.chargeMicroUSD, tokens: tokens, priceVersion: rated.priceVersion)
    }
}

extension UsageAmount {
    /// All that it says.
    var json: JSONValue {
        switch self {
        case .microCredits(let amount): ["micro_credits": .int(amount)]
        case .tokens(let tokens):
            [
                "model": .optional(tokens.model), "provider": .optional(tokens.provider),
                "input": .int(tokens.counts.input), "output": .int(tokens.counts.output),
                "cache_read": .int(tokens.counts.cacheRead), "cache_write": .int(tokens.counts.cacheWrite),
                "reasoning": .int(tokens.counts.reasoning), "max_output": .int(tokens.maxOutput),
            ]
        }
    }
}
