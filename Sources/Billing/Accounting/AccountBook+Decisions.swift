// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// What a decision takes of an account.
package struct DecisionOrder: Sendable, Hashable {
    /// Of the reservation that keeps what was taken.
    package var id: String
    /// Of the request: unique within the account.
    package var key: String
    /// Of what is asked: tells a repeat from another request with the same key.
    package var digest: String
    /// Tokens are held, tasks counted; places are looked at only.
    package var action: EligibilityQuestion.Action
    package var requirements: EligibilityQuestion.Requirements
    /// Charged at once.
    package var fee: Charge
    /// Who pays the fee, and what for.
    package var subject: ChargeSubject

    package init(
        id: String, key: String, digest: String, action: EligibilityQuestion.Action,
        requirements: EligibilityQuestion.Requirements = EligibilityQuestion.Requirements(), fee: Charge = .zero,
        subject: ChargeSubject = ChargeSubject()
    ) {
        self.id = id
        self.key = key
        self.digest = digest
        self.action = action
        self.requirements = requirements
        self.fee = fee
        self.subject = subject
    }
}

extension AccountBook {
    /// Checks and takes everything that a decision takes, or nothing: holds tokens, counts tasks, charges the fee.
    ///
    /// - Returns: what was taken, as the reservation that keeps it; nil where nothing was.
    /// - Throws: what `Eligibility` refuses; `billing.overflow`, `billing.too_many_reservations`.
    package mutating func decide(
        _ order: DecisionOrder, standing: Standing, terms: BillingTerms, into changes: inout AccountChanges
    ) throws(Refusal) -> Reservation? {
        try check(try order.whole, order.requirements, standing, terms, into: &changes)
        let before = (book: self, changes: changes)
        do throws(Refusal) {
            return try take(order, standing, terms, into: &changes)
        } catch {
            // The fee may have left too little in a budget for the hold: then it was not taken either.
            (self, changes) = before
            if let name = error.details?["budget"]?.stringValue { tellBudget(name, into: &changes) }
            throw error
        }
    }

    private mutating func take(
        _ order: DecisionOrder, _ standing: Standing, _ terms: BillingTerms, into changes: inout AccountChanges
    ) throws(Refusal) -> Reservation? {
        var fee: Reservation.Fee?
        if order.fee.microCredits > 0 { fee = try charge(order, standing, terms, into: &changes) }
        if case .task(let count) = order.action {
            countTasks(count, standing: standing, into: &changes)
            fee = fee ?? Reservation.Fee(charge: .zero, at: clock, period: period.start)
            fee?.tasks = count
        }
        var reservation: Reservation
        if case .tokens(let use) = order.action {
            let hold = HoldRequest(
                id: order.id, key: order.key, digest: order.digest, use: use, requirements: order.requirements)
            reservation = try reserve(hold, standing: standing, terms: terms, into: &changes)
        } else {
            guard fee != nil else { return nil }
            reservation = Reservation(
                id: order.id, key: order.key, digest: order.digest, createdAt: clock, ttlSeconds: 0,
                subject: order.subject, estimate: .zero)
            reservation.state = .committed
            reservation.used = order.fee
        }
        reservation.fee = fee
        changes.put(reservation)
        return reservation
    }

    private mutating func charge(
        _ order: DecisionOrder, _ standing: Standing, _ terms: BillingTerms, into changes: inout AccountChanges
    ) throws(Refusal) -> Reservation.Fee {
        let entry = "use:\(lastSequence + 1)"
        let outcome = try charge(
            EligibilityQuestion.TokenUse(subject: order.subject, charge: order.fee),
            requirements: EligibilityQuestion.Requirements(), reference: "reservation:\(order.id)",
            standing: standing, terms: terms, into: &changes)
        var fee = Reservation.Fee(charge: order.fee, at: clock, period: period.start)
        fee.parts = outcome.parts
        fee.overage = outcome.overage
        fee.entry = entry
        fee.budgets = budgets.filter { $0.budget.counts(order.subject) }.map(\.budget.name)
        return fee
    }

    /// Undoes what a decision took, and frees its key. What was settled of its hold since is work that was done: then nothing changes.
    ///
    /// - Parameter spent: grants that the fee was paid with and that are not in the account any more.
    /// - Returns: whether something was undone.
    package mutating func takeBack(
        _ reservation: inout Reservation, spent: [Grant], standing: Standing, into changes: inout AccountChanges
    ) throws(Refusal) -> Bool {
        guard reservation.revision == 0 else { return false }
        if reservation.state == .open { try release(&reservation, into: &changes) }
        if let fee = reservation.fee { undo(fee, of: reservation.id, spent, standing, into: &changes) }
        if reservation.state == .committed { reservation.state = .released }
        reservation.fee = nil
        reservation.key = "returned:\(reservation.id)"
        changes.put(reservation)
        changes.isAccountChanged = true
        return true
    }

    private mutating func undo(
        _ fee: Reservation.Fee, of id: String, _ spent: [Grant], _ standing: Standing,
        into changes: inout AccountChanges
    ) {
        for grant in spent where !grants.contains(where: { $0.id == grant.id }) { reopen(grant) }
        var legs: [LedgerEntry.Leg] = []
        for part in fee.parts { legs += giveBack(part, into: &changes) }
        let owed = min(fee.overage, debt)
        if owed > 0 {
            debt -= owed
            legs.append(LedgerEntry.Leg(.overage, owed))
        }
        let sum = legs.reduce(0) { $0 + $1.microCredits }
        if sum > 0 {
            totals.consumed -= sum
            post(
                .adjust, key: "undo:\(id)", at: clock, legs + [LedgerEntry.Leg(.consumed, -sum)],
                reference: fee.entry, into: &changes)
        }
        // Debt that new credits have paid since: those come back as credits.
        _ = adjust(
            fee.overage - owed, key: "undo:\(id):repaid", correcting: fee.entry, standing: standing, into: &changes)
        uncount(fee)
        meter(-fee.charge.chargeMicroUSD, standing: standing)
        if spendable(for: nil, standing: standing) > 0 { counters.isExhaustionTold = false }
        dropFinished(&changes)
    }

    /// Gives a part of a grant back to it. What a closed grant gets back is gone.
    private mutating func giveBack(_ part: Reservation.Part, into changes: inout AccountChanges) -> [LedgerEntry.Leg] {
        guard let index = grants.firstIndex(where: { $0.id == part.grant }) else { return [] }
        grants[index].spent -= part.microCredits
        let bucket: LedgerEntry.Bucket
        switch grants[index].state {
        case .open:
            grants[index].remaining += part.microCredits
            bucket = .grant(part.grant)
        case .expired:
            note(part.microCredits, of: index, as: .expired)
            bucket = .expired
        case .voided:
            note(part.microCredits, of: index, as: .voided)
            bucket = .voided
        }
        changes.put(grants[index])
        return [LedgerEntry.Leg(bucket, part.microCredits)]
    }

    /// Puts a grant back that was spent to its end.
    private mutating func reopen(_ grant: Grant) {
        var grant = grant
        if let end = grant.expiresAt {
            if end <= clock, grant.state == .open { grant.state = .expired }
            if end > clock { nextDue = nextDue.map { min($0, end) } ?? end }
        }
        insert(grant)
    }

    private mutating func uncount(_ fee: Reservation.Fee) {
        if fee.period == period.start {
            counters.period.usedMicroCredits = max(0, counters.period.usedMicroCredits - fee.charge.microCredits)
            counters.period.tasks = max(0, counters.period.tasks - fee.tasks)
        }
        for index in budgets.indices
        where fee.budgets.contains(budgets[index].budget.name) && fee.at >= budgets[index].window.start {
            budgets[index].spentMicroUSD = max(0, budgets[index].spentMicroUSD - fee.charge.chargeMicroUSD)
        }
    }
}

extension DecisionOrder {
    /// The action with the fee on top of what tokens cost, so that a refusal names all that is needed.
    fileprivate var whole: EligibilityQuestion.Action {
        get throws(Refusal) {
            guard case .tokens(var use) = action, let charge = use.charge else { return action }
            let (sum, overflow) = charge.microCredits.addingReportingOverflow(fee.microCredits)
            guard !overflow else { throw Refusal(.billingOverflow) }
            use.charge?.microCredits = sum
            return .tokens(use)
        }
    }
}
