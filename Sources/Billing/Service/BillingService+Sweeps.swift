// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

extension BillingService {
    /// Brings accounts up to now that time has changed: resets, expiries, and ends of reservations. Whoever looks at an account does the same:
    /// a late sweep changes no balance.
    ///
    /// - Parameter limit: most accounts of each kind.
    /// - Returns: how many accounts were due; as many as the limit mean that there may be more.
    /// - Throws: `billing.unavailable`, also where one account could not be read: the others are done all the same.
    package func sweep(at now: Timestamp, limit: Int = 100) async throws(Refusal) -> Int {
        let due: [String]
        do {
            let ended = try await ledger.accountsWithEndedReservations(at: now, limit: limit)
            due = ended + (try await ledger.dueAccounts(at: now, limit: limit)).filter { !ended.contains($0) }
        } catch { throw fault(error, "") }
        var fault: Refusal?
        for account in due {
            do throws(Refusal) {
                // Reading it within `change` has done it all.
                try await change(account, makes: false) { work, _ in work.changes.isAccountChanged = true }
            } catch {
                fault = error
            }
        }
        if let fault { throw fault }
        return due.count
    }

    /// Counts the open reservations of all accounts for the metrics.
    ///
    /// - Throws: `billing.unavailable`.
    package func countReservations() async throws(Refusal) {
        do {
            metrics.show(openReservations: try await ledger.openReservations())
        } catch { throw fault(error, "") }
    }
}
