// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// A budget and what was spent in its window.
package struct BudgetAccount: Sendable, Hashable {
    package var budget: Budget
    package var window: BillingPeriod
    /// Charges in the window, in micro-US-dollars.
    package var spentMicroUSD: Int64 = 0
    /// What open reservations hold, in micro-US-dollars.
    package var heldMicroUSD: Int64 = 0
    /// Thresholds that were told in the window.
    package var fired = ThresholdLevels()
    /// Whether in this window it was told that the soft limit is reached, and that the hard limit was in the way.
    package var isSoftTold = false
    package var isHardTold = false

    package init(budget: Budget, window: BillingPeriod) {
        self.budget = budget
        self.window = window
    }

    /// Whether request rates are divided by 10 at an instant.
    package func throttles(at now: Timestamp) -> Bool {
        guard budget.actionOnHard == .throttle, let limit = budget.hardLimitMicroUSD, window.contains(now) else {
            return false
        }
        return spentMicroUSD > limit
    }

    /// What may still be spent; nil without a hard limit. Never below 0.
    package var roomMicroUSD: Int64? {
        budget.hardLimitMicroUSD.map { max(0, $0 - spentMicroUSD.addingSaturated(heldMicroUSD)) }
    }

    /// Whether a charge still fits below or exactly at the hard limit.
    package func fits(_ chargeMicroUSD: Int64) -> Bool {
        guard let limit = budget.hardLimitMicroUSD else { return true }
        return spentMicroUSD.addingSaturated(heldMicroUSD).addingSaturated(chargeMicroUSD) <= limit
    }

    /// Begins another window where this one is over; what is held goes along.
    mutating func roll(to now: Timestamp, period: BillingPeriod) {
        switch budget.period {
        case .daily: begin(.day(containing: now), onlyAfterEndAt: now)
        case .weekly: begin(.week(containing: now), onlyAfterEndAt: now)
        case .monthly: begin(.calendarMonth(containing: now), onlyAfterEndAt: now)
        case .billingPeriod: if period.start > window.start { begin(period) } else { window.end = period.end }
        }
    }

    private mutating func begin(_ next: @autoclosure () -> BillingPeriod, onlyAfterEndAt now: Timestamp) {
        if now >= window.end { begin(next()) }
    }

    private mutating func begin(_ next: BillingPeriod) {
        window = next
        spentMicroUSD = 0
        fired = ThresholdLevels()
        isSoftTold = false
        isHardTold = false
    }

    /// The window that a new budget begins with.
    static func firstWindow(_ period: Budget.Period, at now: Timestamp, billing: BillingPeriod) -> BillingPeriod {
        switch period {
        case .daily: .day(containing: now)
        case .weekly: .week(containing: now)
        case .monthly: .calendarMonth(containing: now)
        case .billingPeriod: billing
        }
    }
}

extension AccountBook {
    /// Until when budgets divide request rates by 10, at its clock; nil where none does.
    package var throttledUntil: Timestamp? {
        budgets.filter { $0.throttles(at: clock) }.map(\.window.end).max()
    }
}
