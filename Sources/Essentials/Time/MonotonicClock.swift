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
    /// There is one machine, and one timer is enough for it.
    private static let keeper = PauseKeeper()

    private let start = ContinuousClock().now

    /// Begins to count now.
    package init() {}

    package func now() -> Duration { ContinuousClock().now - start }

    package func pause(for duration: Duration) async throws {
        try await Self.keeper.pause(until: ContinuousClock().now + max(duration, .zero))
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
