// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

extension AccountBook {
    /// Adds credits. They pay the debt first.
    ///
    /// Whoever calls has looked for a grant of the same key: this makes a new one.
    ///
    /// - Throws: `request.invalid` where it is not between 1 and `Grant.maximumMicroCredits`, its priority not between 1 and 255, or it ends
    ///   before it begins; `billing.overflow`.
    package mutating func grant(
        _ grant: Grant, standing: Standing, into changes: inout AccountChanges
    ) throws(Refusal) {
        guard (1...Grant.maximumMicroCredits).contains(grant.microCredits) else {
            throw Refusal(.requestInvalid, message: "A grant is between 1 and 10^15 micro-credits")
        }
        guard (1...255).contains(grant.priority) else {
            throw Refusal(.requestInvalid, message: "A priority is between 1 and 255")
        }
        if let end = grant.expiresAt, end <= grant.effectiveAt {
            throw Refusal(.requestInvalid, message: "A grant ends after it begins")
        }
        let (_, overflow) = totals.issued.addingReportingOverflow(grant.microCredits)
        guard !overflow else { throw Refusal(.billingOverflow) }
        issue(grant, into: &changes)
        repayDebt(standing, into: &changes)
        watchTime(of: grant, into: &changes)
    }

    /// Takes up when an open grant may be spent, and before which others; its amount stays. Nothing where it is not open any more.
    mutating func change(_ order: GrantOrder, of id: String, into changes: inout AccountChanges) {
        guard let index = grants.firstIndex(where: { $0.id == id }), grants[index].state == .open else { return }
        var grant = grants.remove(at: index)
        grant.priority = order.priority ?? order.source.defaultPriority
        grant.effectiveAt = order.effectiveAt ?? grant.createdAt
        grant.expiresAt = order.expiresAt
        grant.reason = order.reason
        grant.digest = order.digest
        insert(grant)
        changes.put(grant)
        changes.isAccountChanged = true
        watchTime(of: grant, into: &changes)
    }

    /// Is there when a grant begins and ends; one that has ended is closed.
    private mutating func watchTime(of grant: Grant, into changes: inout AccountChanges) {
        for instant in [grant.effectiveAt, grant.expiresAt].compactMap({ $0 }) where instant > clock {
            nextDue = nextDue.map { min($0, instant) } ?? instant
        }
        if let index = grants.firstIndex(where: { $0.id == grant.id }), let end = grant.expiresAt, end <= clock {
            close(at: index, as: .expired, when: clock, into: &changes)
            dropFinished(&changes)
        }
    }

    /// Takes away what is left of a grant. What was spent stays spent; what is held may still be settled, and is not returned.
    ///
    /// - Returns: the grant as it is then; nil where it is not open: then nothing is left to take.
    package mutating func void(grant id: String, into changes: inout AccountChanges) -> Grant? {
        guard let index = grants.firstIndex(where: { $0.id == id }), grants[index].state == .open else { return nil }
        close(at: index, as: .voided, when: clock, into: &changes)
        let grant = grants[index]
        dropFinished(&changes)
        return grant
    }

    /// Writes a new grant into ledger and list.
    mutating func issue(_ grant: Grant, into changes: inout AccountChanges) {
        insert(grant)
        totals.issued += grant.microCredits
        counters.isExhaustionTold = false
        changes.put(grant)
        post(
            .grant, key: "grant:\(grant.key)", at: clock,
            [LedgerEntry.Leg(.issued, -grant.microCredits), LedgerEntry.Leg(.grant(grant.id), grant.microCredits)],
            reference: "grant:\(grant.id)", into: &changes)
        changes.tell(
            AccountEvent(
                .creditsGranted, at: clock,
                data: [
                    "account": .string(account), "grant": .string(grant.id),
                    "source": .string(grant.source.rawValue), "micro_credits": .int(grant.microCredits),
                    "expires_at": .optional(grant.expiresAt?.rfc3339), "balance_micro_credits": .int(balance),
                ]))
    }

    /// Pays what is owed from credits that are there and pay for everything, in the order in which they are spent.
    mutating func repayDebt(_ standing: Standing, into changes: inout AccountChanges) {
        guard debt > 0 else { return }
        var legs: [LedgerEntry.Leg] = []
        var paid: Int64 = 0
        for index in grants.indices where debt > paid {
            guard isSpendable(grants[index], origin: standing.origin), grants[index].pays(for: .other) else { continue }
            let part = min(grants[index].remaining, debt - paid)
            grants[index].remaining -= part
            grants[index].spent += part
            paid += part
            legs.append(LedgerEntry.Leg(.grant(grants[index].id), -part))
        }
        guard paid > 0 else { return }
        debt -= paid
        legs.append(LedgerEntry.Leg(.overage, paid))
        post(.repay, key: "repay:\(lastSequence + 1)", at: clock, legs, into: &changes)
        dropFinished(&changes)
    }

    /// Ends a grant: what is left expires or is voided.
    mutating func close(at index: Int, as state: Grant.State, when: Timestamp, into changes: inout AccountChanges) {
        grants[index].state = state
        let left = grants[index].remaining
        let id = grants[index].id
        grants[index].remaining = 0
        if left > 0 {
            note(left, of: index, as: state)
            post(
                state == .voided ? .void : .expire, key: "\(state == .voided ? "void" : "expire"):\(id)", at: when,
                [
                    LedgerEntry.Leg(.grant(id), -left),
                    LedgerEntry.Leg(state == .voided ? .voided : .expired, left),
                ], reference: "grant:\(id)", into: &changes)
        }
        changes.put(grants[index])
        changes.isAccountChanged = true
    }

    /// Counts credits of a closed grant that are gone.
    mutating func note(_ microCredits: Int64, of index: Int, as state: Grant.State) {
        if state == .voided {
            grants[index].voided += microCredits
            totals.voided += microCredits
        } else {
            grants[index].expired += microCredits
            totals.expired += microCredits
        }
    }

    /// Books a correction: credits given back or taken after the fact.
    ///
    /// Given back they are a grant of its own; taken they are settled like usage without a hold.
    ///
    /// - Parameters:
    ///   - microCredits: what the account gains; negative where it loses.
    ///   - corrected: the ledger key of the entry that is corrected.
    /// - Returns: what could not be taken, in micro-credits.
    package mutating func adjust(
        _ microCredits: Int64, key: String, correcting corrected: String, standing: Standing,
        into changes: inout AccountChanges
    ) -> Int64 {
        guard microCredits != 0 else { return 0 }
        guard microCredits > 0 else {
            let spent = spend(-microCredits, for: .other, standing: standing)
            totals.consumed += spent.charged + spent.overage
            totals.uncollected = totals.uncollected.addingSaturated(spent.uncollected)
            if !spent.legs.isEmpty {
                let sum = spent.charged + spent.overage
                post(
                    .adjust, key: key, at: clock, spent.legs + [LedgerEntry.Leg(.consumed, sum)], reference: corrected,
                    into: &changes)
            }
            dropFinished(&changes)
            return spent.uncollected
        }
        let grant = Grant(
            id: key, key: key, digest: "", microCredits: microCredits, source: .admin, createdAt: clock,
            effectiveAt: clock, reason: "correction")
        insert(grant)
        changes.put(grant)
        totals.consumed -= microCredits
        post(
            .adjust, key: key, at: clock,
            [LedgerEntry.Leg(.consumed, -microCredits), LedgerEntry.Leg(.grant(grant.id), microCredits)],
            reference: corrected, into: &changes)
        repayDebt(standing, into: &changes)
        return 0
    }
}
