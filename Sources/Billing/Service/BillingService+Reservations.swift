// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

extension BillingService {
    /// Holds an amount for something that begins. The same key with the same body is the same reservation.
    ///
    /// - Parameter actor: who the ledger names.
    /// - Throws: what `Eligibility` refuses, `request.invalid`, `request.idempotency_mismatch`, `billing.too_many_reservations`.
    package func reserve(
        _ request: ReservationRequest, account: String, actor: String = "system",
        requirements: EligibilityQuestion.Requirements = EligibilityQuestion.Requirements()
    ) async throws(Refusal) -> ReservationAnswer {
        let (id, prices) = (UUIDv7.make(at: clock.now()), prices.prices)
        let digest = Self.digest(of: request)
        do throws(Refusal) {
            let answer = try await change(account, actor: actor) { work, transaction in
                if let row = try transaction.reservation(key: request.key) {
                    let known = try Reservation(row)
                    guard known.digest == digest else { throw Refusal(.requestIdempotencyMismatch) }
                    return ReservationAnswer(known, work)
                }
                let use = try work.tokenUse(
                    request.amount, user: request.user, project: request.project, agent: request.agent, prices: prices)
                let hold = HoldRequest(
                    id: id, key: request.key, digest: digest, ttlSeconds: request.ttl.wholeSeconds, use: use,
                    requirements: requirements)
                let reservation = try work.book.reserve(
                    hold, standing: work.standing, terms: work.terms, into: &work.changes)
                return ReservationAnswer(reservation, work)
            }
            metrics.decided(.tokens, code: nil)
            metrics.became(.open)
            return answer
        } catch {
            metrics.decided(.tokens, code: error.code.rawValue)
            throw error
        }
    }

    /// A reservation as it is.
    ///
    /// - Throws: `billing.not_found`.
    package func reservation(_ id: String, account: String) async throws(Refusal) -> ReservationAnswer {
        try await look(account) { work, reader in
            guard let row = try reader.reservation(id: id) else { throw Refusal(.billingNotFound) }
            var reservation = try Reservation(row)
            // Its end has come, and nobody has written that yet.
            if reservation.state == .open, reservation.expiresAt <= work.now {
                reservation = work.changes.reservations.last { $0.id == id } ?? reservation
            }
            return ReservationAnswer(reservation, work)
        }
    }

    /// Settles the running total of a stream, and fills the hold up again.
    ///
    /// - Returns: where the hold could not be filled, with a refusal: what was settled stays.
    /// - Throws: `billing.not_found`, `billing.reservation_committed`, `_released`, `_expired`, `billing.not_monotonic`.
    package func increment(
        _ id: String, _ request: IncrementRequest, account: String, actor: String = "system"
    ) async throws(Refusal) -> ReservationAnswer {
        let prices = prices.prices
        let answer = try await change(account, actor: actor) { work, transaction in
            var reservation = try work.reservation(id)
            let total = try work.total(request.amount, of: reservation, prices: prices)
            let outcome = try work.book.increment(
                &reservation, used: total.charge, size: request.holdMicroCredits, standing: work.standing,
                terms: work.terms, into: &work.changes)
            try work.record(
                outcome.delta, total, of: &reservation, id: "\(id)#\(reservation.revision)",
                uncollected: outcome.uncollected, in: transaction)
            return (ReservationAnswer(reservation, work, outcome: outcome), isQuarantined: total.isQuarantined)
        }
        metrics.collectedLess(answer.0.outcome?.uncollected ?? 0)
        if answer.isQuarantined { metrics.unknownModel() }
        return answer.0
    }

    /// Settles the total and gives the rest back.
    ///
    /// - Throws: `billing.not_found`, `billing.reservation_committed`, `_released`, `_expired`, `billing.not_monotonic`.
    package func commit(
        _ id: String, _ request: CommitRequest, account: String, actor: String = "system"
    ) async throws(Refusal) -> ReservationAnswer {
        let prices = prices.prices
        let answer = try await change(account, actor: actor) { work, transaction in
            var reservation = try work.reservation(id)
            let total = try work.total(request.amount, of: reservation, prices: prices)
            let before = reservation.uncollected
            // The same again is counted no more.
            guard
                let delta = try work.book.commit(
                    &reservation, total: total.charge, standing: work.standing, into: &work.changes)
            else { return (ReservationAnswer(reservation, work), uncollected: Int64?.none, isQuarantined: false) }
            let uncollected = reservation.uncollected - before
            try work.record(delta, total, of: &reservation, id: id, uncollected: uncollected, in: transaction)
            return (ReservationAnswer(reservation, work), uncollected, total.isQuarantined)
        }
        if let uncollected = answer.uncollected {
            metrics.collectedLess(uncollected)
            metrics.became(.committed)
        }
        if answer.isQuarantined { metrics.unknownModel() }
        return answer.0
    }

    /// Gives everything back that was not settled.
    ///
    /// - Throws: `billing.not_found`, `billing.reservation_committed`.
    package func release(
        _ id: String, account: String, actor: String = "system"
    ) async throws(Refusal) -> ReservationAnswer {
        let answer = try await change(account, actor: actor) { work, _ in
            var reservation = try work.reservation(id)
            try work.book.release(&reservation, into: &work.changes)
            return ReservationAnswer(reservation, work)
        }
        metrics.became(.released)
        return answer
    }

    /// Of everything that the body of a reservation says.
    private static func digest(of request: ReservationRequest) -> String {
        UsageDigest.of(
            type: "reservation", account: "", time: nil,
            data: [
                "ttl": .int(request.ttl.wholeSeconds), "user": .optional(request.user),
                "project": .optional(request.project), "agent": .optional(request.agent),
                "amount": request.amount.json,
            ])
    }
}
