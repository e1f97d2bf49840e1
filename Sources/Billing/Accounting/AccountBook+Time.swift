// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Rows that `advance` needs and an account does not hold itself.
package struct AdvanceInput: Sendable {
    /// Every open reservation whose end has come.
    package var ended: [Reservation]
    /// The earliest end of the others.
    package var nextEnd: Timestamp?
    /// Every hired agent.
    package var agents: [Slot]

    package init(ended: [Reservation] = [], nextEnd: Timestamp? = nil, agents: [Slot] = []) {
        self.ended = ended
        self.nextEnd = nextEnd
        self.agents = agents
    }
}

extension AccountBook {
    /// Whether reservations may have ended, and must be handed to `advance`.
    package func needsEndedReservations(at now: Timestamp) -> Bool { earliestEnd.map { $0 <= now } ?? false }

    /// Whether hired agents may have to be paid for, and must be handed to `advance`.
    package func needsAgents(at now: Timestamp, terms: BillingTerms) -> Bool {
        guard counters.agents > 0 else { return false }
        return periodOrigin.isEmpty || dueAt.map { $0 <= now } ?? false || isOutOfLine(standing(at: now, terms: terms))
    }

    /// When time changes the account next, ends of reservations apart; nil = never.
    package var dueAt: Timestamp? { nextDue }

    /// Does everything that time has brought up to an instant, in its order: at one instant resets, then ends of reservations, then expiries.
    ///
    /// Time never runs back: an instant before the last one is taken for that one.
    ///
    /// - Returns: how the account stands then.
    package mutating func advance(
        to now: Timestamp, _ input: AdvanceInput = AdvanceInput(), terms: BillingTerms,
        into changes: inout AccountChanges
    ) -> Standing {
        let target = max(now, clock)
        var ended = input.ended.sorted { ($0.expiresAt, $0.id) < ($1.expiresAt, $1.id) }[...]
        var agents = input.agents.sorted { $0.order < $1.order }
        if periodOrigin.isEmpty {
            align(agents: &agents, terms: terms, into: &changes)
            nextDue = computeDue(standing(at: clock, terms: terms), terms: terms)
        }
        while true {
            let boundary = [nextDue, ended.first?.expiresAt].compactMap { $0 }.min()
            guard let boundary, boundary <= target else { break }
            clock = max(clock, boundary)
            changes.isAccountChanged = true
            if let due = nextDue, due <= clock { align(agents: &agents, terms: terms, into: &changes) }
            while let first = ended.first, first.expiresAt <= clock {
                ended.removeFirst()
                expire(first, into: &changes)
            }
            closeExpired(terms: terms, into: &changes)
            nextDue = computeDue(standing(at: clock, terms: terms), terms: terms)
        }
        clock = target
        counters.roll(to: clock)
        for index in budgets.indices { budgets[index].roll(to: clock, period: period) }
        if needsEndedReservations(at: now) {
            earliestEnd = openReservations > 0 ? input.nextEnd ?? earliestEnd : nil
            changes.isAccountChanged = true
        }
        let standing = standing(at: clock, terms: terms)
        guard isOutOfLine(standing) else { return standing }
        return realign(agents: agents, terms: terms, into: &changes)
    }

    /// Whether period, pool or what the owner was told are not what they should be although no time has brought it: another catalogue does.
    func isOutOfLine(_ standing: Standing) -> Bool {
        if standing.origin != periodOrigin || standing.period.start > period.start || standing.period.end != period.end
        {
            return true
        }
        if Self.told(standing) != toldState { return true }
        guard let amount = standing.periodCredits, let pool = pools.first(where: { $0.origin == standing.origin })
        else { return false }
        return isRaised(pool, to: amount, standing)
    }

    /// Brings the account in line with another subscription or other terms, at the instant of the last `advance`.
    ///
    /// - Parameter agents: every hired agent.
    package mutating func realign(
        agents: [Slot] = [], terms: BillingTerms, into changes: inout AccountChanges
    ) -> Standing {
        var agents = agents.sorted { $0.order < $1.order }
        align(agents: &agents, terms: terms, into: &changes)
        closeExpired(terms: terms, into: &changes)
        let standing = standing(at: clock, terms: terms)
        nextDue = computeDue(standing, terms: terms)
        for index in budgets.indices { budgets[index].roll(to: clock, period: period) }
        changes.isAccountChanged = true
        return standing
    }

    private func computeDue(_ standing: Standing, terms: BillingTerms) -> Timestamp? {
        var due = standing.nextBoundary(after: clock)
        func take(_ instant: Timestamp) {
            guard instant > clock else { return }
            due = due.map { min($0, instant) } ?? instant
        }
        for grant in grants where grant.state == .open {
            take(grant.effectiveAt)
            guard let end = grant.expiresAt else { continue }
            take(end)
            if grant.origin != nil { take(end.adding(seconds: terms.timers.renewalSlackSeconds)) }
        }
        return due
    }

    /// Closes the grants whose end has come, in the order in which they are spent.
    private mutating func closeExpired(terms: BillingTerms, into changes: inout AccountChanges) {
        guard grants.contains(where: { $0.state == .open && $0.expiresAt != nil }) else { return }
        let standing = standing(at: clock, terms: terms)
        for index in grants.indices where grants[index].state == .open {
            guard let end = end(of: grants[index], standing: standing, terms: terms), end <= clock else { continue }
            close(at: index, as: .expired, when: clock, into: &changes)
        }
        dropFinished(&changes)
    }

    /// When a grant ends. A pool of the provider's in force goes on while a payment is late, and for the slack of a renewal.
    private func end(of grant: Grant, standing: Standing, terms: BillingTerms) -> Timestamp? {
        guard let origin = grant.origin, standing.source == .stripe, standing.origin == origin else {
            return grant.expiresAt
        }
        if standing.state == .pastDue { return nil }
        return grant.expiresAt?.adding(seconds: terms.timers.renewalSlackSeconds)
    }
}
