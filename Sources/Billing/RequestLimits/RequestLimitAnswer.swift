// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// What a store found for a request: every window of every limit, and whether all had room.
package struct RequestLimitAnswer: Sendable, Hashable {
    /// One window as it stands after the request.
    package struct Window: Sendable, Hashable {
        /// Which of the limits, in the order in which they were given.
        package var limitIndex: Int
        package var window: LimitWindow
        package var limit: Int64
        package var remaining: Int64
        /// The UNIX second at which the oldest counted part leaves.
        package var reset: Int64
        /// The UNIX second at which there is room again; nil when there was room for this request.
        package var opens: Int64?

        package init(
            limitIndex: Int, window: LimitWindow, limit: Int64, remaining: Int64, reset: Int64, opens: Int64?
        ) {
            self.limitIndex = limitIndex
            self.window = window
            self.limit = limit
            self.remaining = remaining
            self.reset = reset
            self.opens = opens
        }
    }

    /// Whether the request was counted, in all windows; else it is counted in none.
    package var isAdmitted: Bool
    /// By limit, then the shortest window first.
    package var windows: [Window]
    /// The instant under which it was counted, for `giveBack`.
    package var countedAt: Timestamp
    /// The instant under which a store shared by several replicas counted it, on that store's clock; nil where none did.
    package var sharedAt: Timestamp?

    package init(isAdmitted: Bool, windows: [Window], countedAt: Timestamp) {
        self.isAdmitted = isAdmitted
        self.windows = windows
        self.countedAt = countedAt
    }

    /// Which window answers tell: the one with the fewest remaining, of equals the shorter; of a refused request the full window that
    /// opens last. Nil when there is no window at all.
    package var told: Window? {
        if !isAdmitted {
            let full = windows.filter { $0.opens != nil }
            // Of windows that open at the same second the shorter one is told.
            return full.reduce(nil as Window?) { best, next in
                guard let best, let bestOpens = best.opens, let nextOpens = next.opens else { return next }
                if bestOpens != nextOpens { return bestOpens > nextOpens ? best : next }
                return best.window.seconds <= next.window.seconds ? best : next
            }
        }
        return windows.min {
            ($0.remaining, $0.window.seconds, -$0.reset) < ($1.remaining, $1.window.seconds, -$1.reset)
        }
    }

    /// Of each window the tightest among all limits, the shortest window first.
    package var tightest: [Window] {
        LimitWindow.allCases.compactMap { window in
            windows.filter { $0.window == window }.min {
                ($0.remaining, -($0.opens ?? $0.reset)) < ($1.remaining, -($1.opens ?? $1.reset))
            }
        }
    }

    /// Whole seconds, at least 1, until a refused request has a chance; nil when it was admitted.
    package func wait(from now: Timestamp) -> Int64? {
        guard !isAdmitted, let opens = told?.opens else { return nil }
        return max(1, opens - now.seconds)
    }
}
