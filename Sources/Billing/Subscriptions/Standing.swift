// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// How an account stands at an instant: what is in force, and until when.
package struct Standing: Sendable, Hashable {
    /// Whose word holds.
    package enum Source: String, Sendable {
        case fallback, manual, stripe
    }

    /// The origin of the fallback plan's pools.
    package static let freeOrigin = "free"

    package var source: Source
    package var state: SubscriptionState
    /// The plan in force.
    package var plan: Plan
    /// Its limits, with the overrides of the Subscription.
    package var limits: PlanLimits
    /// The plan that was bought, in force or not; nil where there is none.
    package var boughtPlan: Plan?
    /// Its limits, with the overrides of the Subscription.
    package var boughtLimits: PlanLimits?
    /// Whose pools may be spent.
    package var origin: String
    package var period: BillingPeriod
    package var pastDueSince: Timestamp?
    package var graceEndsAt: Timestamp?
    package var cancelsAtPeriodEnd = false
    package var isSuspended = false
    /// Limits of the plan whose credits were granted for the period, by what the provider's events say together: the state or the plan may be
    /// another by now, and nothing is taken back.
    var creditedLimits: PlanLimits?
    /// When time alone takes the plan away, unless something is heard before; nil where it does not.
    package private(set) var endsAt: Timestamp?
    /// Instants at which time alone changes something of this.
    var boundaries: [Timestamp]

    /// Whether the bought plan is in force.
    package var isEntitled: Bool { source != .fallback && state.entitles }
    /// The size of the period's pool, in micro-credits; nil where none is granted.
    var periodCredits: Int64? {
        [state.grantsCredits ? limits : nil, creditedLimits].compactMap { limits in
            limits.map { min($0.creditsPerPeriod ?? Grant.maximumMicroCredits, Grant.maximumMicroCredits) }
        }.max()
    }

    /// How it stands.
    ///
    /// - Parameters:
    ///   - providers: the provider's subscriptions, the one in force first; another one is when time has ended that.
    ///   - known: the period that was in force last: it goes on until one that the provider has named begins.
    static func of(
        spec: StatedSubscription?, providers: [ProviderStanding], freeAnchor: Timestamp,
        known: (origin: String, period: BillingPeriod)?, at now: Timestamp, terms: BillingTerms
    ) -> Standing {
        var standing = fallback(freeAnchor: freeAnchor, at: now, terms: terms)
        standing.isSuspended = spec?.isSuspended ?? false
        if let spec, spec.source == .manual {
            standing.apply(spec, at: now, terms: terms)
        } else if let first = providers.first {
            let others = standing
            standing.apply(first, overrides: spec?.overrides, known: known, at: now, terms: terms)
            if !standing.state.entitles {
                let candidates = providers.dropFirst().map { other in
                    var candidate = others
                    candidate.apply(other, overrides: spec?.overrides, known: known, at: now, terms: terms)
                    return candidate
                }
                if var best = candidates.filter(\.state.entitles).max(by: { $0.isWorthLess(than: $1) }) {
                    best.boundaries += standing.boundaries
                    standing = best
                }
            }
        } else if let overrides = spec?.overrides {
            standing.limits = standing.limits.overridden(by: overrides)
        }
        return standing
    }

    /// Whether another entitling subscription goes before: the higher rank, then the later end of the period.
    private func isWorthLess(than other: Standing) -> Bool {
        (plan.rank, period.end, other.origin) < (other.plan.rank, other.period.end, origin)
    }

    private static func fallback(freeAnchor: Timestamp, at now: Timestamp, terms: BillingTerms) -> Standing {
        let plan = terms.catalogue.fallback
        let period = BillingPeriod.of(plan.interval, anchor: freeAnchor, containing: now)
        return Standing(
            source: .fallback, state: .active, plan: plan, limits: plan.limits, origin: freeOrigin, period: period,
            boundaries: [period.end])
    }

    private mutating func apply(_ spec: StatedSubscription, at now: Timestamp, terms: BillingTerms) {
        let bought = spec.plan.flatMap { terms.catalogue.plan($0) } ?? terms.catalogue.fallback
        source = .manual
        boughtPlan = bought
        boughtLimits = bought.limits.overridden(by: spec.overrides)
        if let end = spec.validUntil {
            boundaries.append(end)
            guard now < end else {
                state = .canceled
                return
            }
            endsAt = end
        }
        plan = bought
        limits = boughtLimits ?? bought.limits
        origin = spec.uid
        period = BillingPeriod.of(bought.interval, anchor: spec.anchor, containing: now)
        boundaries.append(period.end)
    }

    private mutating func apply(
        _ provider: ProviderStanding, overrides: JSONValue?, known: (origin: String, period: BillingPeriod)?,
        at now: Timestamp, terms: BillingTerms
    ) {
        source = .stripe
        state = provider.state
        cancelsAtPeriodEnd = provider.cancelAtPeriodEnd
        boughtPlan = provider.boughtPlan.flatMap { terms.catalogue.plan($0) }
        boughtLimits = boughtPlan.map { $0.limits.overridden(by: overrides) }
        if state == .pastDue {
            let since = provider.pastDueSince ?? provider.lastEventCreated
            let end = since.adding(seconds: terms.timers.pastDueGraceSeconds)
            pastDueSince = since
            graceEndsAt = end
            boundaries.append(end)
            if end <= now { state = .unpaid } else { endsAt = end }
        } else if state.grantsCredits, let end = provider.periodEnd {
            boundaries.append(end)
            let lapse = end.adding(seconds: terms.timers.lapseAfterSeconds)
            boundaries.append(lapse)
            if lapse <= now { state = .unpaid } else { endsAt = lapse }
        }
        guard state.entitles else { return }
        plan = boughtPlan ?? plan
        limits = boughtLimits ?? limits.overridden(by: overrides)
        origin = provider.subscription
        if let start = provider.periodStart, let end = provider.periodEnd, start < end {
            boundaries.append(start)
            let named = BillingPeriod(start: start, end: end)
            if start > now, let known, known.origin == origin {
                period = known.period
                return
            }
            period = named
        }
        creditedLimits = provider.creditedPlan.flatMap { terms.catalogue.plan($0) }?.limits
            .overridden(by: overrides)
    }

    /// The first instant after one at which time alone changes something.
    package func nextBoundary(after instant: Timestamp) -> Timestamp? {
        boundaries.reduce(nil) { earliest, boundary in
            guard boundary > instant else { return earliest }
            return earliest.map { min($0, boundary) } ?? boundary
        }
    }
}
