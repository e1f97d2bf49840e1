// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// How a subscription stands.
package enum SubscriptionState: String, Sendable, CaseIterable {
    case active, trialing
    case pastDue = "past_due"
    case unpaid, incomplete, canceled

    /// Whether credits are granted for a period that begins now.
    package var grantsCredits: Bool { self == .active || self == .trialing }

    /// Whether the bought plan is in force; for `pastDue` only as long as its grace lasts.
    package var entitles: Bool { grantsCredits || self == .pastDue }
}
