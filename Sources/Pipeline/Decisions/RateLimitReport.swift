// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// The request limits that a decision met, as answers tell them.
package struct RateLimitReport: Sendable, Hashable {
    /// One window of one limit.
    package struct Window: Sendable, Hashable {
        package enum Name: String, Sendable, CaseIterable {
            case minute, hour, day
        }
        package var name: Name
        package var limit: Int64
        /// After this request.
        package var remaining: Int64
        /// The UNIX second at which the oldest counted part leaves the window.
        package var reset: Int64

        package init(name: Name, limit: Int64, remaining: Int64, reset: Int64) {
            self.name = name
            self.limit = limit
            self.remaining = remaining
            self.reset = reset
        }
    }

    /// The windows that limit, the shortest first; of several limits with the same window the tightest.
    package var windows: [Window]
    /// Which of them `X-RateLimit-Limit`, `-Remaining` and `-Reset` tell: the fewest remaining, of equals the shorter.
    package var told: Window
    /// The UNIX second of the decision.
    package var now: Int64

    /// - Parameter now: the UNIX second of the decision.
    package init(windows: [Window], told: Window, now: Int64 = 0) {
        self.windows = windows
        self.told = told
        self.now = now
    }
}
