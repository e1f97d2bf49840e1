// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

extension RateLimitReport {
    /// Tells every header about request limits: the window that is told, then the limit and what remains of each, then the same in the
    /// form of the IETF's draft.
    package func eachHeader(_ tell: (String, String) -> Void) {
        tell("X-RateLimit-Limit", String(told.limit))
        tell("X-RateLimit-Remaining", String(told.remaining))
        tell("X-RateLimit-Reset", String(told.reset))
        for window in windows {
            let names = window.name.headerNames
            tell(names.limit, String(window.limit))
            tell(names.remaining, String(window.remaining))
        }
        tell("RateLimit-Policy", policyField)
        tell("RateLimit", "\"\(told.name.rawValue)\";r=\(told.remaining);t=\(max(0, told.reset - now))")
    }

    /// Every name that `eachHeader` may tell, in its order.
    package static let headerNames =
        ["X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"]
        + Window.Name.allCases.flatMap { [$0.headerNames.limit, $0.headerNames.remaining] }
        + ["RateLimit-Policy", "RateLimit"]

    private var policyField: String {
        var field = ""
        for window in windows {
            if !field.isEmpty { field += ", " }
            field += "\"\(window.name.rawValue)\";q=\(window.limit);w=\(window.name.seconds)"
        }
        return field
    }
}

extension RateLimitReport.Window.Name {
    /// Seconds of the window.
    fileprivate var seconds: Int {
        switch self {
        case .minute: 60
        case .hour: 3600
        case .day: 86_400
        }
    }

    /// The headers of the window itself.
    fileprivate var headerNames: (limit: String, remaining: String) {
        switch self {
        case .minute: ("X-RateLimit-Limit-Minute", "X-RateLimit-Remaining-Minute")
        case .hour: ("X-RateLimit-Limit-Hour", "X-RateLimit-Remaining-Hour")
        case .day: ("X-RateLimit-Limit-Day", "X-RateLimit-Remaining-Day")
        }
    }
}
