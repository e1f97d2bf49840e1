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

    /// The limit of a window; nil = none.
    package subscript(window: LimitWindow) -> Int64? {
        switch window {
        case .minute: minute
        case .hour: hour
        case .day: day
        }
    }
}
