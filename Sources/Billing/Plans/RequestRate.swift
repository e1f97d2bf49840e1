// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// How many requests pass in each window. Nil = no such window; 0 = none passes.
package struct RequestRate: Sendable, Hashable {
    package var minute: Int64?
    package var hour: Int64?
    package var day: Int64?

    package init(minute: Int64? = nil, hour: Int64? = nil, day: Int64? = nil) {
        self.minute = minute
        self.hour = hour
        self.day = day
    }

    /// Whether nothing is limited.
    package var isUnlimited: Bool { minute == nil && hour == nil && day == nil }

    /// A tenth of it, and at least one request where any passes.
    var throttled: RequestRate {
        func tenth(_ limit: Int64) -> Int64 { limit == 0 ? 0 : max(1, limit / 10) }
        return RequestRate(minute: minute.map(tenth), hour: hour.map(tenth), day: day.map(tenth))
    }

    /// The limit of a window; nil = none.
    package subscript(window: LimitWindow) -> Int64? {
        switch window {
        case .minute: minute
        case .hour: hour
        case .day: day
        }
    }
}
