// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// When a database that could not be reached may be tried again: at once, then after 100 ms, doubled each time, at most 2 s. Until then whoever
/// asks is told at once instead of waiting for another try.
struct PostgreSQLBackoff: Sendable {
    static let first = Duration.milliseconds(100)
    static let longest = Duration.seconds(2)

    private(set) var failures = 0
    private var retryAt: Duration?
    private var lastFailure: PostgreSQLError?

    /// What it failed with, while it must not be tried again.
    func refusal(at now: Duration) -> PostgreSQLError? {
        guard let retryAt, now < retryAt else { return nil }
        return lastFailure
    }

    /// Notes that no connection could be made.
    ///
    /// - Parameter draw: from 0 up to, not including, 1: half of the pause is drawn, so that replicas do not come back as one.
    /// - Returns: whether this is the first failure in a row.
    mutating func failed(_ error: PostgreSQLError, at now: Duration, draw: Double) -> Bool {
        lastFailure = error
        // Those that were trying at the same time have met the same failure.
        if let retryAt, now < retryAt { return false }
        let pause = min(Self.longest, Self.first * (1 << min(failures, 5)))
        retryAt = now + pause * (0.5 + draw / 2)
        failures += 1
        return failures == 1
    }

    /// Notes that a connection was made.
    ///
    /// - Returns: whether there were failures before.
    mutating func succeeded() -> Bool {
        defer { self = PostgreSQLBackoff() }
        return failures > 0
    }
}
