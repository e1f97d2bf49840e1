// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// What somebody asks to have held.
package struct HoldRequest: Sendable, Hashable {
    /// Seconds that a hold lasts where nothing is said, and within which it may be chosen.
    package static let defaultSeconds: Int64 = 300
    package static let seconds: ClosedRange<Int64> = 10...3600

    /// Of the new reservation.
    package var id: String
    package var key: String
    /// Of the body: tells a repeat from another request with the same key.
    package var digest: String
    package var ttlSeconds: Int64
    package var use: EligibilityQuestion.TokenUse
    package var requirements: EligibilityQuestion.Requirements

    package init(
        id: String, key: String, digest: String, ttlSeconds: Int64 = HoldRequest.defaultSeconds,
        use: EligibilityQuestion.TokenUse,
        requirements: EligibilityQuestion.Requirements = EligibilityQuestion.Requirements()
    ) {
        self.id = id
        self.key = key
        self.digest = digest
        self.ttlSeconds = ttlSeconds
        self.use = use
        self.requirements = requirements
    }
}

extension AccountBook {
    /// Holds all of an amount or nothing.
    ///
    /// - Throws: what `Eligibility` refuses; `request.invalid` for a time outside of 10 s to 1 h or a negative amount;
    ///   `billing.too_many_reservations`.
    package mutating func reserve(
        _ request: HoldRequest, standing: Standing, terms: BillingTerms, into changes: inout AccountChanges
    ) throws(Refusal) -> Reservation {
        guard HoldRequest.seconds.contains(request.ttlSeconds) else {
            throw Refusal(.requestInvalid, message: "ttl must be between 10 seconds and 1 hour")
        }
        let subject = request.use.subject
        let charge = request.use.charge ?? .zero
        guard charge.microCredits >= 0, charge.tokens >= 0, charge.chargeMicroUSD >= 0 else {
            throw Refusal(.requestInvalid, message: "An amount is not below 0")
        }
        try check(.tokens(request.use), request.requirements, standing, terms, into: &changes)
        guard openReservations < Self.maximumOpenReservations else {
            throw Refusal(.billingTooManyReservations, retryAfterSeconds: 1)
        }
        var reservation = Reservation(
            id: request.id, key: request.key, digest: request.digest, createdAt: clock, ttlSeconds: request.ttlSeconds,
            subject: subject, estimate: charge)
        if charge.microCredits > 0 {
            let legs = hold(charge.microCredits, for: &reservation, standing: standing)
            post(
                .hold, key: "hold:\(reservation.id)", at: clock, legs, reference: "reservation:\(reservation.id)",
                into: &changes)
        }
        reservation.heldTokens = charge.tokens
        reservation.heldMicroUSD = charge.chargeMicroUSD
        countHold(of: &reservation)
        openReservations += 1
        noteEnd(reservation.expiresAt)
        changes.put(reservation)
        changes.isAccountChanged = true
        return reservation
    }

    /// Settles what was used so far, then fills the hold up again and sets its end anew.
    ///
    /// - Parameters:
    ///   - used: the running total since the reservation began.
    ///   - size: what shall be held afterwards, in micro-credits; nil = as much as at first.
    /// - Returns: what this settled, and whether the hold could be filled: where it could not, what was settled stays settled.
    /// - Throws: `billing.reservation_committed`, `_released`, `_expired`; `billing.not_monotonic`.
    package mutating func increment(
        _ reservation: inout Reservation, used: Charge, size: Int64?, standing: Standing, terms: BillingTerms,
        into changes: inout AccountChanges
    ) throws(Refusal) -> IncrementOutcome {
        if let refusal = refusal(of: reservation) { throw refusal }
        if reservation.state == .expired { throw Refusal(.billingReservationExpired) }
        try checkMonotonic(used, reservation)
        let before = reservation
        let delta = used.above(reservation.used)
        reservation.revision += 1
        settle(
            delta, of: &reservation, key: "settle:\(reservation.id):\(reservation.revision)", standing: standing,
            into: &changes)
        uncountHold(of: reservation)
        reservation.used = used
        reservation.heldTokens = max(0, reservation.heldTokens - delta.tokens)
        reservation.heldMicroUSD = max(0, reservation.heldMicroUSD - delta.chargeMicroUSD)
        count(delta, reservation.subject, at: clock, standing: standing, into: &changes)
        tellOvershoot(reservation.uncollected - before.uncollected, reservation.id, into: &changes)
        countHold(of: &reservation)
        let refusal = fill(
            &reservation, to: size ?? reservation.estimate.microCredits, standing: standing, terms: terms,
            into: &changes)
        let latest = reservation.createdAt.adding(seconds: Reservation.maximumSeconds)
        reservation.expiresAt = min(clock.adding(seconds: reservation.ttlSeconds), latest)
        noteEnd(reservation.expiresAt)
        dropFinished(&changes)
        tellExhaustion(standing, into: &changes)
        changes.put(reservation)
        return IncrementOutcome(
            charged: reservation.charged - before.charged, overage: reservation.overage - before.overage,
            uncollected: reservation.uncollected - before.uncollected, delta: delta, refusal: refusal)
    }

    /// Settles the total and gives the rest back. The work is done: it never fails for want of credits.
    ///
    /// - Returns: what is charged beyond what increments charged; nil where the same total was committed before.
    /// - Throws: `billing.reservation_committed` for another total, `billing.reservation_released`, `billing.reservation_expired` a day after
    ///   its end, `billing.not_monotonic`.
    package mutating func commit(
        _ reservation: inout Reservation, total: Charge, standing: Standing, into changes: inout AccountChanges
    ) throws(Refusal) -> Charge? {
        if reservation.state == .committed, reservation.used.microCredits == total.microCredits { return nil }
        if let refusal = refusal(of: reservation) { throw refusal }
        let isLate = reservation.state == .expired
        if isLate, clock >= reservation.expiresAt.adding(seconds: Reservation.lateSeconds) {
            throw Refusal(.billingReservationExpired)
        }
        try checkMonotonic(total, reservation)
        let delta = total.above(reservation.used)
        let uncollected = reservation.uncollected
        reservation.revision += 1
        settle(
            delta, of: &reservation, key: "settle:\(reservation.id):\(reservation.revision)", standing: standing,
            into: &changes)
        giveBack(&reservation, key: "release:\(reservation.id)", into: &changes)
        if !isLate { endHold(of: reservation) }
        reservation.heldTokens = 0
        reservation.heldMicroUSD = 0
        reservation.used = total
        reservation.state = .committed
        reservation.isLate = isLate
        count(delta, reservation.subject, at: clock, standing: standing, into: &changes)
        tellOvershoot(reservation.uncollected - uncollected, reservation.id, into: &changes)
        dropFinished(&changes)
        tellExhaustion(standing, into: &changes)
        changes.put(reservation)
        changes.isAccountChanged = true
        return delta
    }

    /// Gives everything back that was not settled. Again, or after its end, it changes nothing.
    ///
    /// - Throws: `billing.reservation_committed`.
    package mutating func release(
        _ reservation: inout Reservation, into changes: inout AccountChanges
    ) throws(Refusal) {
        if reservation.state == .committed { throw Refusal(.billingReservationCommitted) }
        guard reservation.state == .open else { return }
        close(&reservation, as: .released, key: "release:\(reservation.id)", into: &changes)
    }

    /// Gives back what a reservation holds whose end has come.
    mutating func expire(_ ended: Reservation, into changes: inout AccountChanges) {
        guard ended.state == .open else { return }
        var reservation = ended
        close(&reservation, as: .expired, key: "release:\(reservation.id)", into: &changes)
    }

    private mutating func close(
        _ reservation: inout Reservation, as state: Reservation.State, key: String, into changes: inout AccountChanges
    ) {
        giveBack(&reservation, key: key, into: &changes)
        endHold(of: reservation)
        reservation.heldTokens = 0
        reservation.heldMicroUSD = 0
        reservation.state = state
        dropFinished(&changes)
        changes.put(reservation)
        changes.isAccountChanged = true
    }

    /// Refuses what is over; an expired one is the caller's to judge.
    private func refusal(of reservation: Reservation) -> Refusal? {
        switch reservation.state {
        case .open, .expired: nil
        case .committed: Refusal(.billingReservationCommitted)
        case .released: Refusal(.billingReservationReleased)
        }
    }

    private func checkMonotonic(_ used: Charge, _ reservation: Reservation) throws(Refusal) {
        guard used.microCredits >= reservation.used.microCredits, used.tokens >= reservation.used.tokens else {
            throw Refusal(
                .billingNotMonotonic, details: ["settled_micro_credits": .int(reservation.used.microCredits)])
        }
    }

    private mutating func noteEnd(_ end: Timestamp) { earliestEnd = earliestEnd.map { min($0, end) } ?? end }
}

/// What an increment did, in micro-credits.
package struct IncrementOutcome: Sendable, Hashable {
    package var charged: Int64
    package var overage: Int64
    package var uncollected: Int64
    /// What this increment was beyond the last.
    package var delta: Charge
    /// Why the hold could not be filled up again.
    package var refusal: Refusal?
}
