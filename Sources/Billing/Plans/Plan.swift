// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// One plan of the catalogue. It is an object, because whatever stands on a plan holds it, and is copied with every operation on an account.
package final class Plan: Sendable, Hashable {
    /// How its periods are counted.
    package enum Interval: String, Sendable, CaseIterable {
        /// Calendar months from the anchor.
        case month
        /// Thirty days.
        case thirtyDays = "P30D"
    }

    package let name: String
    /// For people.
    package let displayName: String
    /// Order of worth: the dearer plan has the higher rank.
    package let rank: Int64
    /// A period's price in micro-US-dollars; nil where somebody else sells it.
    package let priceMicroUSD: Int64?
    package let stripePriceID: String?
    package let interval: Interval
    package let trialDays: Int64
    /// Discount on extra agents, for display: the price has it already.
    package let extraDiscountPercent: Int64?
    package let limits: PlanLimits

    package init(
        name: String, displayName: String, rank: Int64, priceMicroUSD: Int64?, stripePriceID: String?,
        interval: Interval, trialDays: Int64, extraDiscountPercent: Int64?, limits: PlanLimits
    ) {
        self.name = name
        self.displayName = displayName
        self.rank = rank
        self.priceMicroUSD = priceMicroUSD
        self.stripePriceID = stripePriceID
        self.interval = interval
        self.trialDays = trialDays
        self.extraDiscountPercent = extraDiscountPercent
        self.limits = limits
    }

    package static func == (left: Plan, right: Plan) -> Bool {
        left === right
            || left.name == right.name && left.displayName == right.displayName && left.rank == right.rank
                && left.priceMicroUSD == right.priceMicroUSD && left.stripePriceID == right.stripePriceID
                && left.interval == right.interval && left.trialDays == right.trialDays
                && left.extraDiscountPercent == right.extraDiscountPercent && left.limits == right.limits
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(name) }
}
