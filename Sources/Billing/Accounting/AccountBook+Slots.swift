// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

extension AccountBook {
    /// Takes a place. An agent beyond those that the plan includes is paid for.
    ///
    /// - Parameter known: the slot of the same kind and id, where there is one.
    /// - Returns: the slot, and whether it is new: a worker or workspace that has its place keeps it.
    /// - Throws: what `Eligibility` refuses.
    package mutating func take(
        _ kind: SlotRow.Kind, id: String, isPremium: Bool, known: Slot?,
        requirements: EligibilityQuestion.Requirements = EligibilityQuestion.Requirements(), standing: Standing,
        terms: BillingTerms, into changes: inout AccountChanges
    ) throws(Refusal) -> (slot: Slot, isNew: Bool) {
        let action: EligibilityQuestion.Action =
            kind == .agent ? .hire(isPremium: isPremium, isHired: known != nil) : .slot(kind, isTaken: known != nil)
        try check(action, requirements, standing, terms, into: &changes)
        if let known { return (known, false) }
        counters.lastSlot += 1
        var slot = Slot(
            kind: kind, id: id, order: counters.lastSlot, isPremium: isPremium, takenAt: clock)
        let slots = standing.limits.agentSlots
        if kind == .agent, let included = slots.included, counters.agents >= included, slots.extraPrice > 0 {
            pay(slots.extraPrice, for: &slot, standing, terms, into: &changes)
        }
        counters.addSlots(kind, 1)
        changes.put(slot)
        changes.isAccountChanged = true
        return (slot, true)
    }

    /// Gives a place back.
    package mutating func release(_ slot: Slot, into changes: inout AccountChanges) {
        counters.addSlots(slot.kind, -1)
        changes.remove(slot)
        changes.isAccountChanged = true
    }

    /// Whether more places are taken than the plan in force has.
    package func isOverLimit(_ standing: Standing) -> Bool {
        let limits = standing.limits
        return limits.agentSlots.max.map { counters.agents > $0 } ?? false
            || limits.workers.map { counters.workers > $0 } ?? false
            || limits.workspaces.map { counters.workspaces > $0 } ?? false
    }

    /// At a reset agents beyond the included ones are paid again, in the order of hiring; one that cannot be paid is suspended. Those that were
    /// paid for a period that the account comes back to are paid.
    mutating func payForAgents(
        _ agents: inout [Slot], _ standing: Standing, _ terms: BillingTerms, into changes: inout AccountChanges
    ) {
        let slots = standing.limits.agentSlots
        let period = periodKey
        for (position, index) in agents.indices.enumerated() {
            var slot = agents[index]
            slot.state = .active
            slot.chargedMicroCredits = 0
            if let included = slots.included, Int64(position) >= included, slots.extraPrice > 0 {
                if slot.paidPeriods.contains(period) {
                    slot.chargedMicroCredits = slots.extraPrice
                } else if spendable(for: .agents, standing: standing) >= slots.extraPrice {
                    pay(slots.extraPrice, for: &slot, standing, terms, into: &changes)
                } else {
                    slot.state = .suspended
                }
            }
            guard slot != agents[index] else { continue }
            agents[index] = slot
            changes.put(slot)
        }
    }

    /// The period in force, as slots name those that they were paid for.
    private var periodKey: String { "\(periodOrigin) \(period.start.rfc3339)" }

    private mutating func pay(
        _ price: Int64, for slot: inout Slot, _ standing: Standing, _ terms: BillingTerms,
        into changes: inout AccountChanges
    ) {
        let charge = Charge(microCredits: price, creditValueMicroUSD: terms.catalogue.creditValueMicroUSD)
        let subject = ChargeSubject(purpose: .agents, agent: slot.id)
        _ = use(
            charge, subject, at: clock, reference: "slot:\(slot.kind.rawValue)/\(slot.id)", standing: standing,
            into: &changes)
        slot.pay(price, for: periodKey)
    }
}
