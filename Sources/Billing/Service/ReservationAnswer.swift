// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// A reservation as its caller sees it.
package struct ReservationAnswer: Sendable, Hashable {
    package let reservation: Reservation
    /// Of an increment.
    package let outcome: IncrementOutcome?
    /// What may be spent now, in micro-credits.
    package let remainingMicroCredits: Int64
    package let plan: String
    package let state: SubscriptionState

    init(_ reservation: Reservation, _ work: AccountWork, outcome: IncrementOutcome? = nil) {
        self.reservation = reservation
        self.outcome = outcome
        remainingMicroCredits = work.book.spendable(for: nil, standing: work.standing)
        plan = work.standing.plan.name
        state = work.standing.state
    }

    /// Why the hold of an increment was not filled; nil where nothing is refused.
    package var refusal: Refusal? { outcome?.refusal }

    /// `{id, state, held_micro_credits, expires_at, remaining_micro_credits, subscription{plan, state}, charged_micro_credits, …}`
    package var json: JSONValue {
        var object: JSONObject = [
            "id": .string(reservation.id), "key": .string(reservation.key),
            "state": .string(reservation.state.rawValue), "held_micro_credits": .int(reservation.held),
            "created_at": .string(reservation.createdAt.rfc3339), "expires_at": .string(reservation.expiresAt.rfc3339),
            "remaining_micro_credits": .int(remainingMicroCredits),
            "subscription": ["plan": .string(plan), "state": .string(state.rawValue)],
            "charged_micro_credits": .int(outcome?.charged ?? reservation.charged),
            "overage_micro_credits": .int(outcome?.overage ?? reservation.overage),
            "uncollected_micro_credits": .int(outcome?.uncollected ?? reservation.uncollected),
            "used_micro_credits": .int(reservation.used.microCredits),
            "used_micro_usd": .int(reservation.used.chargeMicroUSD), "late": .bool(reservation.isLate),
        ]
        if let model = reservation.subject.model.isEmpty ? nil : reservation.subject.model {
            object["model"] = .string(model)
        }
        return .object(object)
    }
}
