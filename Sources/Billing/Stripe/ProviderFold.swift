// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// From the events of the provider to how an account stands: a function of the set of events, not of their arrival.
package struct ProviderFold: Sendable {
    /// How far events go back that are still put into their place; what is older is the base.
    package static let minimumWindow = Duration.seconds(768 * 3600)

    private let catalogue: PlanCatalogue

    package init(catalogue: PlanCatalogue) { self.catalogue = catalogue }

    /// Folds the events of one subscription, given in any order and any number of times.
    ///
    /// - Parameter base: what older events came to. Events that are not after it are left out.
    package func fold(
        _ events: some Sequence<ProviderEvent>, subscription: String, base: SubscriptionFold? = nil
    ) -> SubscriptionFold {
        var fold = base ?? SubscriptionFold(subscription)
        let floor = base?.last
        var previous: String?
        for event in events.sorted(by: { $0.position < $1.position }) {
            if let floor, event.position <= floor { continue }
            // The same event twice is one; ids are unique, and repeats have the same position.
            if event.id == previous { continue }
            previous = event.id
            fold.take(event, catalogue: catalogue)
        }
        return fold
    }

    /// What an arriving event of a subscription is to those that are known of it.
    ///
    /// - Parameters:
    ///   - known: those that were folded before, in any order.
    ///   - base: what those before them came to.
    ///   - window: the dedup window: events from longer ago than this are the base.
    /// - Returns: `processed`, `late`, `stale` or `duplicate`.
    package func outcome(
        of event: ProviderEvent, among known: [ProviderEvent], base: SubscriptionFold? = nil, at now: Timestamp,
        window: Duration
    ) -> ProviderOutcome {
        if known.contains(where: { $0.id == event.id }) { return .duplicate }
        let edge = Self.edge(at: now, window: window)
        let position = event.position
        if let floor = base?.last, position <= floor { return .stale }
        if event.created < edge, known.contains(where: { $0.created < edge && position < $0.position }) {
            return .stale
        }
        return known.contains { position < $0.position } ? .late : .processed
    }

    /// Events from before this are the base.
    private static func edge(at now: Timestamp, window: Duration) -> Timestamp {
        Timestamp(microseconds: now.microseconds.addingSaturated(-window.wholeMicroseconds))
    }

    /// Which of the events may be folded into the base for good: those from before the window, but from the last of them on that says what
    /// the subscription is. That one stays as it is, because the catalogue may learn its price later.
    ///
    /// - Returns: in the order in which they are folded.
    package func foldable(_ known: [ProviderEvent], at now: Timestamp, window: Duration) -> ArraySlice<ProviderEvent> {
        let edge = Self.edge(at: now, window: window)
        let old = known.filter { $0.created < edge }.sorted { $0.position < $1.position }
        guard let last = old.lastIndex(where: { $0.kind?.isSubscription == true }) else { return [] }
        return old[..<last]
    }

    /// Which of an account's subscriptions is in force: the entitling one with the highest rank, then the later end of period; without an
    /// entitling one the one that was made last.
    package func inForce(
        _ standings: some Sequence<ProviderStanding>, at now: Timestamp, timers: ProviderTimers
    ) -> ProviderStanding? {
        standings.max { isLess($0, $1, at: now, timers) }
    }

    private func isLess(
        _ left: ProviderStanding, _ right: ProviderStanding, at now: Timestamp, _ timers: ProviderTimers
    ) -> Bool {
        let entitles = (timers.state(of: left, at: now).entitles, timers.state(of: right, at: now).entitles)
        if entitles.0 != entitles.1 { return entitles.1 }
        if entitles.0 {
            let ranks = (rank(left), rank(right))
            if ranks.0 != ranks.1 { return ranks.0 < ranks.1 }
            let ends = (left.periodEnd ?? .latest, right.periodEnd ?? .latest)
            if ends.0 != ends.1 { return ends.0 < ends.1 }
        }
        let births = (left.subscribedAt ?? left.lastEventCreated, right.subscribedAt ?? right.lastEventCreated)
        if births.0 != births.1 { return births.0 < births.1 }
        return left.subscription.utf8.lexicographicallyPrecedes(right.subscription.utf8)
    }

    private func rank(_ standing: ProviderStanding) -> Int64 {
        (standing.boughtPlan.flatMap(catalogue.plan) ?? catalogue.fallback).rank
    }
}

/// What became of an event of the provider.
package enum ProviderOutcome: String, Sendable, CaseIterable {
    case processed
    /// Sorted before one that was folded already; the fold was run again.
    case late
    /// Older than the folded base: recorded, without effect.
    case stale
    /// It was done before.
    case duplicate
    /// Of a type that is not used, or of the other mode than the key.
    case ignored
    /// No account is known for it yet.
    case parked
}
