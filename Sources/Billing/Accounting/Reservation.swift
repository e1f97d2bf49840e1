// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Credits that are held for something that has begun. All amounts are micro-credits where no other unit is named.
package struct Reservation: Sendable, Hashable {
    /// How far it got.
    package enum State: String, Sendable, CaseIterable {
        case open, committed, released, expired
    }

    /// An amount of a grant.
    package struct Part: Sendable, Hashable {
        package var grant: String
        package var microCredits: Int64

        package init(grant: String, microCredits: Int64) {
            self.grant = grant
            self.microCredits = microCredits
        }
    }

    /// What a decision took at once, beside what it holds.
    package struct Fee: Sendable, Hashable {
        package var charge: Charge
        /// What it was paid with, by grant, and by debt.
        package var parts: [Part] = []
        package var overage: Int64 = 0
        package var tasks: Int64 = 0
        /// Names of the budgets that it counts in.
        package var budgets: [String] = []
        package var at: Timestamp
        /// Start of the period that it counts in.
        package var period: Timestamp
        /// Key of its entry in the ledger; empty where nothing was charged.
        package var entry = ""

        package init(charge: Charge, at instant: Timestamp, period: Timestamp) {
            self.charge = charge
            self.period = period
            at = instant
        }
    }

    /// How long it holds at the longest, in seconds.
    package static let maximumSeconds: Int64 = 86_400
    /// How long after its end a commit still counts, in seconds.
    package static let lateSeconds: Int64 = 86_400

    package var id: String
    package var key: String
    /// Of the body that it was asked for with.
    package var digest: String
    package var state = State.open
    package var createdAt: Timestamp
    /// When the hold returns by itself, or returned.
    package var expiresAt: Timestamp
    package var ttlSeconds: Int64
    package var subject: ChargeSubject
    /// What was asked for at first; an increment without a wish fills up to it.
    package var estimate: Charge
    /// Held now, in the order in which it is spent.
    package var holds: [Part] = []
    /// Held now of the room for debt.
    package var heldOverage: Int64 = 0
    /// What the open hold counts for in budgets (micro-US-dollars) and in tokens per day.
    package var heldMicroUSD: Int64 = 0
    package var heldTokens: Int64 = 0
    /// Names of the budgets that the hold counts in.
    package var budgets: [String] = []

    /// The running total of what was used.
    package var used = Charge.zero
    /// The tokens of it, where they were told.
    package var counts = TokenCounts()
    /// What was paid so far, by grant.
    package var taken: [Part] = []
    /// Paid from credits, paid by debt, not paid.
    package var charged: Int64 = 0
    package var overage: Int64 = 0
    package var uncollected: Int64 = 0
    /// Settled after its end.
    package var isLate = false
    /// How many times it was settled: part of ledger keys.
    package var revision: Int64 = 0
    /// Nil where nothing was taken at once.
    package var fee: Fee?

    package init(
        id: String, key: String, digest: String, createdAt: Timestamp, ttlSeconds: Int64, subject: ChargeSubject,
        estimate: Charge
    ) {
        self.id = id
        self.key = key
        self.digest = digest
        self.createdAt = createdAt
        self.ttlSeconds = ttlSeconds
        self.subject = subject
        self.estimate = estimate
        expiresAt = createdAt.adding(seconds: ttlSeconds)
    }

    /// Everything that is held.
    package var held: Int64 { holds.reduce(heldOverage) { $0 + $1.microCredits } }

    /// Notes what was taken from a grant.
    mutating func take(_ microCredits: Int64, from grant: String) {
        guard microCredits > 0 else { return }
        charged += microCredits
        if let index = taken.firstIndex(where: { $0.grant == grant }) {
            taken[index].microCredits += microCredits
        } else {
            taken.append(Part(grant: grant, microCredits: microCredits))
        }
    }
}
