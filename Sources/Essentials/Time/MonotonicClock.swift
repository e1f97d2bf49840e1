// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// A clock that only goes forward, and the pauses of background work. Tests hand in one that they move themselves.
package protocol MonotonicClock: Sendable {
    /// How long ago some fixed instant was.
    func now() -> Duration
    /// Pauses; throws `CancellationError` as soon as the task is cancelled.
    func pause(for duration: Duration) async throws
}

/// The machine's own clock, which goes on while the machine sleeps.
package struct SystemMonotonicClock: MonotonicClock {
    /// A sleep that is cancelled leaves its timer behind until its time has come, with some memory: so no single one is long.
    private static let longestSleep = Duration.seconds(5)

    private let start = ContinuousClock().now

    /// Begins to count now.
    package init() {}

    package func now() -> Duration { ContinuousClock().now - start }

    package func pause(for duration: Duration) async throws {
        let end = now() + duration
        var rest = duration
        repeat {
            try await Task.sleep(for: min(rest, Self.longestSleep))
            rest = end - now()
        } while rest > .zero
    }
}

extension MonotonicClock {
    /// Runs the body for at most so long; then it is cancelled, and awaited.
    ///
    /// - Returns: nil when the time was over first.
    package func limited<Value: Sendable>(
        to limit: Duration, _ body: @escaping @Sendable () async -> Value
    ) async -> Value? {
        await withTaskGroup(of: Value?.self) { group in
            group.addTask { await body() }
            group.addTask {
                // A cancelled pause means that the body was first.
                try? await self.pause(for: limit)
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first
        }
    }
}
