// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

extension AccountBook {
    /// What was taken without a hold, in micro-credits.
    struct Spent {
        /// By grant, in the order of spending.
        var parts: [Reservation.Part] = []
        var charged: Int64 = 0
        var overage: Int64 = 0
        /// What neither credits nor debt could pay.
        var uncollected: Int64 = 0
        /// Out of grants and debt; they lack the other side.
        var legs: [LedgerEntry.Leg] = []
    }

    /// Takes from grants in their order, then makes debt as far as the plan lets. The caller posts the legs.
    mutating func spend(_ microCredits: Int64, for purpose: SpendPurpose, standing: Standing) -> Spent {
        var spent = Spent()
        var missing = microCredits
        for index in grants.indices where missing > 0 {
            guard isSpendable(grants[index], origin: standing.origin), grants[index].pays(for: purpose) else {
                continue
            }
            let part = min(missing, grants[index].remaining)
            grants[index].remaining -= part
            grants[index].spent += part
            missing -= part
            spent.charged += part
            spent.parts.append(Reservation.Part(grant: grants[index].id, microCredits: part))
            spent.legs.append(LedgerEntry.Leg(.grant(grants[index].id), -part))
        }
        spent.overage = min(missing, overageRoom(standing))
        if spent.overage > 0 {
            debt += spent.overage
            missing -= spent.overage
            spent.legs.append(LedgerEntry.Leg(.overage, -spent.overage))
        }
        spent.uncollected = missing
        return spent
    }

    /// Holds from grants in their order, then of the room for debt. The caller has seen that it fits.
    mutating func hold(
        _ microCredits: Int64, for reservation: inout Reservation, standing: Standing
    ) -> [LedgerEntry.Leg] {
        var missing = microCredits
        var legs: [LedgerEntry.Leg] = []
        for index in grants.indices where missing > 0 {
            guard isSpendable(grants[index], origin: standing.origin),
                grants[index].pays(for: reservation.subject.purpose)
            else { continue }
            let part = min(missing, grants[index].remaining)
            grants[index].remaining -= part
            grants[index].held += part
            missing -= part
            reservation.addHold(part, of: grants[index].id)
            legs.append(LedgerEntry.Leg(.grant(grants[index].id), -part))
        }
        if missing > 0 {
            heldOverage += missing
            reservation.heldOverage += missing
            legs.append(LedgerEntry.Leg(.overage, -missing))
        }
        legs.append(LedgerEntry.Leg(.held(reservation.id), microCredits))
        return legs
    }

    /// Settles an amount of what was used: from the hold, then like usage without one.
    ///
    /// - Parameter key: of the ledger, unique for this settlement.
    mutating func settle(
        _ charge: Charge, of reservation: inout Reservation, key: String, standing: Standing,
        into changes: inout AccountChanges
    ) {
        var missing = charge.microCredits
        var legs: [LedgerEntry.Leg] = []
        var fromHold: Int64 = 0
        for index in reservation.holds.indices where missing > 0 {
            let part = min(missing, reservation.holds[index].microCredits)
            missing -= part
            fromHold += part
            reservation.holds[index].microCredits -= part
            let id = reservation.holds[index].grant
            if let place = grants.firstIndex(where: { $0.id == id }) {
                grants[place].held -= part
                grants[place].spent += part
            }
            reservation.take(part, from: id)
        }
        reservation.holds.removeAll { $0.microCredits == 0 }
        let owed = min(missing, reservation.heldOverage)
        missing -= owed
        reservation.heldOverage -= owed
        heldOverage -= owed
        debt += owed
        let spent = spend(missing, for: reservation.subject.purpose, standing: standing)
        for part in spent.parts { reservation.take(part.microCredits, from: part.grant) }
        reservation.overage += owed + spent.overage
        reservation.uncollected = reservation.uncollected.addingSaturated(spent.uncollected)
        if fromHold + owed > 0 { legs.append(LedgerEntry.Leg(.held(reservation.id), -(fromHold + owed))) }
        legs += spent.legs
        let paid = fromHold + owed + spent.charged + spent.overage
        finishSettling(
            charge, paid: paid, uncollected: spent.uncollected, legs: legs, key: key,
            reference: "reservation:\(reservation.id)", owed: owed + spent.overage, into: &changes)
    }

    /// Counts what was paid and posts it.
    mutating func finishSettling(
        _ charge: Charge, paid: Int64, uncollected: Int64, legs: [LedgerEntry.Leg], key: String, reference: String,
        owed: Int64, into changes: inout AccountChanges
    ) {
        totals.consumed = totals.consumed.addingSaturated(paid)
        totals.uncollected = totals.uncollected.addingSaturated(uncollected)
        guard paid > 0 else { return }
        post(
            owed == paid ? .overage : .settle, key: key, at: clock, legs + [LedgerEntry.Leg(.consumed, paid)],
            reference: reference, charge: charge, into: &changes)
    }

    /// Gives everything back that is still held. What a closed grant gets back is gone.
    mutating func giveBack(
        _ reservation: inout Reservation, key: String, into changes: inout AccountChanges
    ) {
        let sum = reservation.held
        guard sum > 0 else { return }
        var legs = [LedgerEntry.Leg(.held(reservation.id), -sum)]
        var isGone = true
        for part in reservation.holds {
            guard let index = grants.firstIndex(where: { $0.id == part.grant }) else { continue }
            grants[index].held -= part.microCredits
            switch grants[index].state {
            case .open:
                isGone = false
                grants[index].remaining += part.microCredits
                legs.append(LedgerEntry.Leg(.grant(part.grant), part.microCredits))
            case .expired:
                note(part.microCredits, of: index, as: .expired)
                legs.append(LedgerEntry.Leg(.expired, part.microCredits))
            case .voided:
                note(part.microCredits, of: index, as: .voided)
                legs.append(LedgerEntry.Leg(.voided, part.microCredits))
            }
        }
        if reservation.heldOverage > 0 {
            isGone = false
            heldOverage -= reservation.heldOverage
            legs.append(LedgerEntry.Leg(.overage, reservation.heldOverage))
        }
        reservation.holds = []
        reservation.heldOverage = 0
        post(
            isGone ? .expire : .release, key: key, at: clock, legs, reference: "reservation:\(reservation.id)",
            into: &changes)
    }
}

extension Reservation {
    fileprivate mutating func addHold(_ microCredits: Int64, of grant: String) {
        guard microCredits > 0 else { return }
        if let index = holds.firstIndex(where: { $0.grant == grant }) {
            holds[index].microCredits += microCredits
        } else {
            holds.append(Part(grant: grant, microCredits: microCredits))
        }
    }
}
