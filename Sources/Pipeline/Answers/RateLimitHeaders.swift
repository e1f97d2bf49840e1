// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

extension RateLimitReport {
    /// Tells `X-RateLimit-*`: the window that is told, then the limit and what remains of each.
    package func eachHeader(_ tell: (String, String) -> Void) {
        tell("X-RateLimit-Limit", String(told.limit))
        tell("X-RateLimit-Remaining", String(told.remaining))
        tell("X-RateLimit-Reset", String(told.reset))
        for window in windows {
            tell("X-RateLimit-Limit-\(window.name.title)", String(window.limit))
            tell("X-RateLimit-Remaining-\(window.name.title)", String(window.remaining))
        }
    }
}

extension RateLimitReport.Window.Name {
    /// As the names of headers carry it.
    fileprivate var title: String {
        switch self {
        case .minute: "Minute"
        case .hour: "Hour"
        case .day: "Day"
        }
    }
}
