// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// The life of the fetched key set of one URL, without clock and network.
///
/// Legal moves: idle → fetching (`poll` when something is due, `missesKey` when the last attempt began at least 30 s ago) → idle
/// (`fetchSucceeded`, `fetchFailed`). There is never more than one fetch.
package struct KeySetStateMachine: Sendable {
    /// What its runner has to do.
    package enum Action: Sendable, Hashable {
        case fetch
        /// Nothing before that instant.
        case wait(until: Timestamp)
        /// Nothing before the running fetch ends.
        case none
    }

    /// What to tell a token whose key id is in no known set.
    package enum MissingKeyAnswer: Sendable, Hashable {
        /// A newer set may have it: try again.
        case mayAppear
        /// The set is fresh enough to say that there is no such key.
        case unknown
    }

    private struct Held: Sendable {
        let keys: KeySet
        let fetchedAt: Timestamp
        /// The end of its time to live and of the time past it.
        let usableUntil: Timestamp
    }

    private enum Phase: Sendable {
        case idle(next: Timestamp)
        case fetching
    }

    private static let firstBackoffSeconds: Int64 = 1
    private static let lastBackoffSeconds: Int64 = 30
    private static let refetchIntervalSeconds: Int64 = 30

    private let settings: KeySetSettings
    private var held: Held?
    private var phase: Phase
    private var lastAttempt: (began: Timestamp, failed: Bool)?
    /// Failures since the last success.
    package private(set) var failures = 0

    /// A set that was never fetched; the first fetch is due at once.
    package init(settings: KeySetSettings, now: Timestamp) {
        self.settings = settings
        phase = .idle(next: now)
    }

    /// The set, unless there is none or it is too old.
    package func keys(now: Timestamp) -> KeySet? {
        guard let held, now < held.usableUntil else { return nil }
        return held.keys
    }

    /// When the set that is held was fetched.
    package var fetchedAt: Timestamp? { held?.fetchedAt }

    /// Asks what is due.
    package mutating func poll(now: Timestamp) -> Action {
        switch phase {
        case .fetching: return .none
        case .idle(let next) where now < next: return .wait(until: next)
        case .idle: return start(now: now)
        }
    }

    /// A token named a key that the set does not have.
    ///
    /// - Returns: what to answer, and `fetch` when a fetch starts.
    package mutating func missesKey(now: Timestamp) -> (answer: MissingKeyAnswer, action: Action) {
        if case .fetching = phase { return (.mayAppear, .none) }
        guard let lastAttempt, now < lastAttempt.began.adding(seconds: Self.refetchIntervalSeconds) else {
            return (.mayAppear, start(now: now))
        }
        return (lastAttempt.failed ? .mayAppear : .unknown, .none)
    }

    /// The running fetch brought a set.
    ///
    /// - Parameter jitter: 0 ..< 1, spreads the refreshes of several replicas over 72 % to 88 % of the time to live.
    package mutating func fetchSucceeded(
        _ keys: KeySet, cacheControl: String?, jitter: Double, now: Timestamp
    ) -> Action {
        let timeToLive = CacheControl.timeToLive(settingSeconds: settings.timeToLiveSeconds, header: cacheControl)
        held = Held(
            keys: keys, fetchedAt: now, usableUntil: now.adding(seconds: timeToLive + settings.maxStaleSeconds))
        failures = 0
        lastAttempt?.failed = false
        let share = 0.72 + 0.16 * min(max(jitter, 0), 1)
        return idle(until: now.adding(seconds: max(1, Int64((Double(timeToLive) * share).rounded()))))
    }

    /// The running fetch brought nothing usable.
    package mutating func fetchFailed(now: Timestamp) -> Action {
        lastAttempt?.failed = true
        let backoff = min(Self.firstBackoffSeconds << Int64(min(failures, 5)), Self.lastBackoffSeconds)
        failures += 1
        return idle(until: now.adding(seconds: backoff))
    }

    private mutating func start(now: Timestamp) -> Action {
        phase = .fetching
        lastAttempt = (now, false)
        return .fetch
    }

    private mutating func idle(until next: Timestamp) -> Action {
        phase = .idle(next: next)
        return .wait(until: next)
    }
}
