// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// What an account was granted for one request.
package struct Entitlement: Sendable, Hashable {
    /// Credits that are held until the call is over.
    package struct Reservation: Sendable, Hashable {
        package var id: String
        package var heldMicroCredits: Int64
        package var expiresAt: Timestamp

        package init(id: String, heldMicroCredits: Int64, expiresAt: Timestamp) {
            self.id = id
            self.heldMicroCredits = heldMicroCredits
            self.expiresAt = expiresAt
        }
    }

    /// Who pays.
    package var account: String
    /// Of the request: by it everything that was taken is found again.
    package var key: String
    /// Name of the plan in force.
    package var plan: String
    /// What may be spent after this request; below 0 = debt; nil where the ledger was not asked.
    package var remainingMicroCredits: Int64?
    /// What the request needs: the estimate, what it costs at once, and an extra place.
    package var neededMicroCredits: Int64
    /// Nil where nothing is held.
    package var reservation: Reservation?
    /// Charged at once.
    package var chargedMicroCredits: Int64
    /// Tasks that were counted.
    package var countedTasks: Int64

    package init(
        account: String, key: String, plan: String, remainingMicroCredits: Int64? = nil, neededMicroCredits: Int64 = 0,
        reservation: Reservation? = nil, chargedMicroCredits: Int64 = 0, countedTasks: Int64 = 0
    ) {
        self.account = account
        self.key = key
        self.plan = plan
        self.remainingMicroCredits = remainingMicroCredits
        self.neededMicroCredits = neededMicroCredits
        self.reservation = reservation
        self.chargedMicroCredits = chargedMicroCredits
        self.countedTasks = countedTasks
    }

    /// Whether there is anything to give back.
    package var tookSomething: Bool { reservation != nil || chargedMicroCredits != 0 || countedTasks != 0 }
}

/// The entitlement that a decision carries: one reference, because most decisions have none.
package final class GrantedEntitlement: Sendable {
    package let entitlement: Entitlement

    package init(_ entitlement: Entitlement) { self.entitlement = entitlement }
}

extension Decision {
    /// What the account was granted; nil where nothing is metered, and for every refusal.
    package var entitlement: Entitlement? { granted?.entitlement }
}
