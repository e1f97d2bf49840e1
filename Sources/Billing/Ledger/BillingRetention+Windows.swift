// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

extension BillingRetention {
    private static let secondsPerDay: Int64 = 86_400
    private static let hourWindowDays: Int64 = 90
    private static let dayWindowDays: Int64 = 400
    private static let weekWindowDays: Int64 = 104 * 7
    private static let deliveryDays: Int64 = 30

    /// What is over at an instant: windows of hours after 90 days, of days after 400 days, of weeks after 104 weeks, of months never; webhooks
    /// 30 days after they were delivered or given up; repeats of usage, reservations that ended and answered events of the provider with
    /// the dedup window. Recorded usage and the ledger stay.
    package init(at now: Timestamp, dedupWindow: Duration) {
        func days(_ count: Int64) -> Timestamp { now.adding(seconds: -count * Self.secondsPerDay) }
        let window = now.adding(seconds: -dedupWindow.wholeSeconds)
        self.init(
            hours: days(Self.hourWindowDays), days: days(Self.dayWindowDays), weeks: days(Self.weekWindowDays),
            reservations: window, dedup: window, deliveries: days(Self.deliveryDays), events: window)
    }
}
