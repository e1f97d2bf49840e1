// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Billing
package import Essentials

extension RateLimitReport {
    /// What answers tell of what a store found; nil when there is no window.
    package init?(_ answer: RequestLimitAnswer, now: Timestamp) {
        guard let told = answer.told else { return nil }
        self.init(windows: answer.tightest.map(Window.init), told: Window(told), now: now.seconds)
    }
}

extension RateLimitReport.Window {
    fileprivate init(_ window: RequestLimitAnswer.Window) {
        let name: Name =
            switch window.window {
            case .minute: .minute
            case .hour: .hour
            case .day: .day
            }
        self.init(name: name, limit: window.limit, remaining: window.remaining, reset: window.reset)
    }
}
