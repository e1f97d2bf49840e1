// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// A place that is taken.
package struct Slot: Sendable, Hashable {
    /// Whether it works.
    package enum State: String, Sendable {
        case active
        /// The account could not pay for it at the last reset.
        case suspended
    }

    package var kind: SlotRow.Kind
    package var id: String
    /// Order of hiring.
    package var order: Int64
    package var isPremium: Bool
    package var takenAt: Timestamp
    package var state: State
    /// Paid for it this period, in micro-credits.
    package var chargedMicroCredits: Int64
    /// The periods that it was paid for, the latest last: one that the account comes back to is not paid for again.
    var paidPeriods: [String] = []

    package init(
        kind: SlotRow.Kind, id: String, order: Int64, isPremium: Bool, takenAt: Timestamp, state: State = .active,
        chargedMicroCredits: Int64 = 0
    ) {
        self.kind = kind
        self.id = id
        self.order = order
        self.isPremium = isPremium
        self.takenAt = takenAt
        self.state = state
        self.chargedMicroCredits = chargedMicroCredits
    }

    /// Notes that a period was paid for. Few are kept: an account goes back to the one before, where a payment was late.
    mutating func pay(_ microCredits: Int64, for period: String) {
        chargedMicroCredits = microCredits
        paidPeriods = paidPeriods.filter { $0 != period }.suffix(3) + [period]
    }
}
