// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials

extension ProviderEventRow {
    /// The row that a claim inserts.
    var asClaimed: ProviderEventRow {
        var row = self
        row.state = .claimed
        row.nextAt = nil
        return row
    }

    /// What comes of claiming this event where the database holds another state of it, or none.
    func claim(over stored: ProviderEventRow?, at now: Timestamp) -> ProviderEventClaim {
        var row = asClaimed
        guard let stored else { return .claimed(row) }
        switch stored.state {
        case .done: return .done(stored)
        case .claimed:
            if let until = stored.leaseUntil, until > now { return .busy(until: until) }
        // A dead one may come again, from the provider or by an operator: then it is tried again.
        case .failed, .parked, .dead: break
        }
        row.account = account ?? stored.account
        row.customer = customer ?? stored.customer
        row.subscription = subscription ?? stored.subscription
        row.outcome = stored.outcome
        row.attempts = stored.attempts
        row.receivedAt = stored.receivedAt
        return .claimed(row)
    }
}
