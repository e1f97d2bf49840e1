// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// What time alone does to a standing. It is evaluated when somebody looks, so a late worker never lengthens anything.
package struct ProviderTimers: Sendable, Hashable {
    /// How long a failed payment keeps the plan, in seconds.
    package var pastDueGraceSeconds: Int64
    /// How long after the end of its period a pool stays usable while the next period is not known, in seconds.
    package var renewalSlackSeconds: Int64
    /// Without news for so long past the end of the period the provider is asked, in seconds.
    package var staleAfterSeconds: Int64
    /// Without news for so long past the end of the period nothing is paid any more, in seconds.
    package var lapseAfterSeconds: Int64

    package init(
        pastDueGraceSeconds: Int64 = 168 * 3600, renewalSlackSeconds: Int64 = 24 * 3600,
        staleAfterSeconds: Int64 = 72 * 3600, lapseAfterSeconds: Int64 = 336 * 3600
    ) {
        self.pastDueGraceSeconds = pastDueGraceSeconds
        self.renewalSlackSeconds = renewalSlackSeconds
        self.staleAfterSeconds = staleAfterSeconds
        self.lapseAfterSeconds = lapseAfterSeconds
    }

    /// When the grace of a failed payment ends; nil where none failed.
    package func graceEnd(of standing: ProviderStanding) -> Timestamp? {
        guard standing.state == .pastDue else { return nil }
        return standing.pastDueSince.map { $0.adding(seconds: pastDueGraceSeconds) }
    }

    /// The state at an instant: grace and lapse end exactly at their ends.
    package func state(of standing: ProviderStanding, at now: Timestamp) -> SubscriptionState {
        if let end = graceEnd(of: standing), now >= end { return .unpaid }
        if standing.state.entitles, let end = standing.periodEnd, now >= end.adding(seconds: lapseAfterSeconds) {
            return .unpaid
        }
        return standing.state
    }

    /// Whether there was no news for too long, so that the provider has to be asked.
    package func isStale(_ standing: ProviderStanding, at now: Timestamp) -> Bool {
        guard standing.state != .canceled, let end = standing.periodEnd else { return false }
        return now >= end.adding(seconds: staleAfterSeconds)
    }
}
