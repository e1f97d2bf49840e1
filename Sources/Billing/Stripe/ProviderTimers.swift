// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// What time alone does to a standing. It is evaluated when somebody looks, so a late worker never lengthens anything.
package struct ProviderTimers: Sendable, Hashable {
    /// How long a failed payment keeps the plan.
    package var pastDueGrace: Duration
    /// How long after the end of its period a pool stays usable while the next period is not known.
    package var renewalSlack: Duration
    /// Without news for so long past the end of the period the provider is asked.
    package var staleAfter: Duration
    /// Without news for so long past the end of the period nothing is paid any more.
    package var lapseAfter: Duration

    package init(
        pastDueGrace: Duration = .seconds(168 * 3600), renewalSlack: Duration = .seconds(24 * 3600),
        staleAfter: Duration = .seconds(72 * 3600), lapseAfter: Duration = .seconds(336 * 3600)
    ) {
        self.pastDueGrace = pastDueGrace
        self.renewalSlack = renewalSlack
        self.staleAfter = staleAfter
        self.lapseAfter = lapseAfter
    }

    /// When the grace of a failed payment ends; nil where none failed.
    package func graceEnd(of standing: ProviderStanding) -> Timestamp? {
        guard standing.state == .pastDue else { return nil }
        return standing.pastDueSince.map { Self.later($0, pastDueGrace) }
    }

    /// The state at an instant: grace and lapse end exactly at their ends.
    package func state(of standing: ProviderStanding, at now: Timestamp) -> SubscriptionState {
        if let end = graceEnd(of: standing), now >= end { return .unpaid }
        if standing.state.entitles, let end = standing.periodEnd, now >= Self.later(end, lapseAfter) {
            return .unpaid
        }
        return standing.state
    }

    /// Whether there was no news for too long, so that the provider has to be asked.
    package func isStale(_ standing: ProviderStanding, at now: Timestamp) -> Bool {
        guard standing.state != .canceled, let end = standing.periodEnd else { return false }
        return now >= Self.later(end, staleAfter)
    }

    private static func later(_ time: Timestamp, _ duration: Duration) -> Timestamp {
        Timestamp(microseconds: time.microseconds.addingSaturated(duration.wholeMicroseconds))
    }
}
