// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Decides how long a sidecar waits before it asks its operator again. Pure: asking and waiting are its runner's.
struct UpstreamPollStateMachine {
    /// What came of a question.
    enum Event: Sendable, Hashable {
        /// Another document.
        case document
        /// The same still, after the question had waited so long.
        case unchanged(after: Duration)
        /// A refusal in the operator's words: soon nothing will have changed.
        case refused
        /// No answer, or none that could be used.
        case failed
    }

    /// Documents that come one after the other come no faster than this.
    static let spacing = Duration.milliseconds(100)
    /// An answer without news that came sooner did not wait: the operator is ending, or waits for nobody.
    static let soonest = Duration.seconds(1)
    static let firstBackoff = Duration.milliseconds(500)
    static let firstBackoffAfterRefusal = Duration.seconds(2)
    static let lastBackoff = Duration.seconds(30)

    private(set) var failures = 0

    /// Takes notice of what came of a question.
    ///
    /// - Parameter jitter: 0 ..< 1, so that many sidecars do not ask at once.
    /// - Returns: the pause before the next question.
    mutating func next(after event: Event, jitter: Double) -> Duration {
        switch event {
        case .document:
            failures = 0
            return Self.spacing
        case .unchanged(let waited):
            failures = 0
            return waited < Self.soonest ? Self.soonest * (0.5 + jitter) : Self.spacing * jitter
        case .refused: return backoff(from: Self.firstBackoffAfterRefusal, jitter)
        case .failed: return backoff(from: Self.firstBackoff, jitter)
        }
    }

    private mutating func backoff(from first: Duration, _ jitter: Double) -> Duration {
        let longest = min(first * (1 << min(failures, 8)), Self.lastBackoff)
        failures += 1
        // Never at once, and spread over the whole of it.
        return max(longest * jitter, Self.spacing)
    }
}
