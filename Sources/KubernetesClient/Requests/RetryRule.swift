// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import ResourceModel

/// Which failures are tried again, and after how long.
struct RetryRule: Sendable {
    var attempts = 3
    var firstPause = Duration.milliseconds(500)
    var longestPause = Duration.seconds(5)
    /// A server that asks for more patience than this is told to the caller instead.
    var longestRetryAfter = Duration.seconds(30)

    /// How an attempt ended.
    struct Outcome: Sendable, Equatable {
        var error: KubernetesError
        /// Whether the server cannot have carried the request out.
        var wasNotExecuted: Bool
        /// Whether the answer had `Retry-After`, in its header or its Status.
        var saysWhen: Bool { error.retryAfter != nil }
    }

    /// How long to wait before the next attempt; nil when there is none.
    ///
    /// - Parameters:
    ///   - attempt: the one that failed, from 1.
    ///   - jitter: 0 ..< 1; up to a fifth is added to a pause of our own.
    func pause(
        after outcome: Outcome, method: APIRequest.Method, attempt: Int, jitter: Double
    ) -> Duration? {
        guard attempt < attempts, isWorthAnother(outcome, method: method) else { return nil }
        if let asked = outcome.error.retryAfter {
            return asked <= longestRetryAfter ? asked : nil
        }
        let pause = min(firstPause * (1 << min(attempt - 1, 16)), longestPause)
        return pause + pause / 5 * jitter
    }

    private func isWorthAnother(_ outcome: Outcome, method: APIRequest.Method) -> Bool {
        let mayRepeat = method != .post || outcome.wasNotExecuted
        switch (outcome.error.code, outcome.error.status) {
        case (_, 429): return true
        case (_, 503): return mayRepeat || outcome.saysWhen
        case (_, 504): return mayRepeat
        case (.unreachable, nil): return mayRepeat
        default: return false
        }
    }
}
