// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

extension AccountBook {
    /// Throws what `Eligibility` refuses. A budget in the way is told to the owner, once in its window.
    mutating func check(
        _ action: EligibilityQuestion.Action, _ requirements: EligibilityQuestion.Requirements, _ standing: Standing,
        _ terms: BillingTerms, into changes: inout AccountChanges
    ) throws(Refusal) {
        var purpose: SpendPurpose?
        switch action {
        case .tokens(let use): purpose = use.subject.purpose
        case .hire: purpose = .agents
        case .task, .slot, .nothing: purpose = nil
        }
        let question = EligibilityQuestion(action, requirements: requirements)
        let answer = Eligibility(facts(standing, for: purpose), terms: terms).answer(question)
        if let name = answer.budget { tellBudget(name, into: &changes) }
        if let refusal = answer.refusal { throw refusal }
    }

    /// Fills a hold up to a size; all of what is missing or nothing.
    mutating func fill(
        _ reservation: inout Reservation, to size: Int64, standing: Standing, terms: BillingTerms,
        into changes: inout AccountChanges
    ) -> Refusal? {
        let missing = size - reservation.held
        guard missing > 0 else { return nil }
        // Dollars in proportion to credits, at what a credit is worth.
        var wanted = Charge(microCredits: missing, creditValueMicroUSD: terms.catalogue.creditValueMicroUSD)
        wanted.tokens = reservation.expectedTokens(of: missing)
        var unpriced = reservation.subject
        unpriced.isPremium = false
        let use = EligibilityQuestion.TokenUse(subject: unpriced, charge: wanted)
        do throws(Refusal) {
            try check(.tokens(use), EligibilityQuestion.Requirements(), standing, terms, into: &changes)
        } catch { return error }
        uncountHold(of: reservation)
        let legs = hold(missing, for: &reservation, standing: standing)
        post(
            .hold, key: "hold:\(reservation.id):\(reservation.revision)", at: clock, legs,
            reference: "reservation:\(reservation.id)", into: &changes)
        reservation.heldMicroUSD = reservation.heldMicroUSD.addingSaturated(wanted.chargeMicroUSD)
        if reservation.estimate.microCredits > 0 {
            reservation.heldTokens = reservation.expectedTokens(of: reservation.held)
        }
        countHold(of: &reservation)
        return nil
    }

    /// Counts what a reservation holds in budgets, tokens per day and premium models.
    mutating func countHold(of reservation: inout Reservation) {
        counters.tokensHeld = counters.tokensHeld.addingSaturated(reservation.heldTokens)
        if reservation.subject.isPremium { counters.hold(premiumModel: reservation.subject.model) }
        reservation.budgets = []
        for index in budgets.indices where budgets[index].budget.counts(reservation.subject) {
            budgets[index].heldMicroUSD = budgets[index].heldMicroUSD.addingSaturated(reservation.heldMicroUSD)
            reservation.budgets.append(budgets[index].budget.name)
        }
    }

    /// Takes it out of the counters again.
    mutating func uncountHold(of reservation: Reservation) {
        counters.tokensHeld = max(0, counters.tokensHeld - reservation.heldTokens)
        if reservation.subject.isPremium { counters.release(premiumModel: reservation.subject.model) }
        guard !reservation.budgets.isEmpty else { return }
        for index in budgets.indices where reservation.budgets.contains(budgets[index].budget.name) {
            // A budget that was made anew since does not hold it.
            budgets[index].heldMicroUSD = max(0, budgets[index].heldMicroUSD - reservation.heldMicroUSD)
        }
    }

    /// A reservation is open no more.
    mutating func endHold(of reservation: Reservation) {
        uncountHold(of: reservation)
        openReservations = max(0, openReservations - 1)
        if openReservations == 0 { earliestEnd = nil }
    }
}

extension Reservation {
    /// How many tokens credits are: as many to the credit as were expected at first.
    fileprivate func expectedTokens(of microCredits: Int64) -> Int64 {
        guard estimate.microCredits > 0 else { return 0 }
        return Int64(clamping: Int128(estimate.tokens) * Int128(microCredits) / Int128(estimate.microCredits))
    }
}
