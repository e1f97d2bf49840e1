// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// What settling usage without a hold came to, in micro-credits.
package struct UseOutcome: Sendable, Hashable {
    /// By grant.
    package var parts: [Reservation.Part]
    package var charged: Int64
    package var overage: Int64
    package var uncollected: Int64
}

extension AccountBook {
    /// Settles usage that nothing was held for. It is done already: what cannot be paid is counted and told.
    ///
    /// - Parameters:
    ///   - instant: when it was used.
    ///   - reference: what the ledger says it is about; the number of its entry makes the key unique.
    package mutating func use(
        _ charge: Charge, _ subject: ChargeSubject, at instant: Timestamp, reference: String, standing: Standing,
        into changes: inout AccountChanges
    ) -> UseOutcome {
        let spent = spend(charge.microCredits, for: subject.purpose, standing: standing)
        finishSettling(
            charge, paid: spent.charged + spent.overage, uncollected: spent.uncollected, legs: spent.legs,
            key: "use:\(lastSequence + 1)", reference: reference, owed: spent.overage, into: &changes)
        count(charge, subject, at: instant, standing: standing, into: &changes)
        tellOvershoot(spent.uncollected, reference, into: &changes)
        dropFinished(&changes)
        if charge.microCredits > 0 { tellExhaustion(standing, into: &changes) }
        return UseOutcome(
            parts: spent.parts, charged: spent.charged, overage: spent.overage, uncollected: spent.uncollected)
    }

    /// Settles a price at once: all of it or nothing.
    ///
    /// - Throws: what `Eligibility` refuses.
    package mutating func charge(
        _ use: EligibilityQuestion.TokenUse, requirements: EligibilityQuestion.Requirements, reference: String,
        standing: Standing, terms: BillingTerms, into changes: inout AccountChanges
    ) throws(Refusal) -> UseOutcome {
        try check(.tokens(use), requirements, standing, terms, into: &changes)
        return self.use(
            use.charge ?? .zero, use.subject, at: clock, reference: reference, standing: standing, into: &changes)
    }

    /// Counts tasks that are about to begin.
    ///
    /// - Throws: what `Eligibility` refuses.
    package mutating func takeTasks(
        _ count: Int64, requirements: EligibilityQuestion.Requirements = EligibilityQuestion.Requirements(),
        standing: Standing, terms: BillingTerms, into changes: inout AccountChanges
    ) throws(Refusal) {
        try check(.task(count: count), requirements, standing, terms, into: &changes)
        countTasks(count, standing: standing, into: &changes)
    }

    /// Counts tasks that are done, whatever the limit.
    package mutating func countTasks(_ count: Int64, standing: Standing, into changes: inout AccountChanges) {
        counters.period.tasks = counters.period.tasks.addingSaturated(count)
        changes.isAccountChanged = true
        let limit = standing.limits.tasksPerMonth
        tell(
            counters.period.firedTasks.crossed(used: counters.period.tasks, limit: limit), of: "tasks",
            used: counters.period.tasks,
            limit: limit, until: period.end, into: &changes)
    }
}
