// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Time that only goes forward, and waiting by it. Tests hand in a clock that they move.
package struct SteadyTime: Sendable {
    /// How long ago some fixed instant was.
    package let now: @Sendable () -> Duration
    /// Waits that long; a cancelled task stops waiting with `CancellationError`.
    package let sleep: @Sendable (Duration) async throws -> Void

    /// Takes both.
    package init(
        now: @escaping @Sendable () -> Duration, sleep: @escaping @Sendable (Duration) async throws -> Void
    ) {
        self.now = now
        self.sleep = sleep
    }

    /// Tells time by a clock.
    package init(_ clock: some Clock<Duration>) {
        let origin = clock.now
        self.init(now: { origin.duration(to: clock.now) }, sleep: { try await clock.sleep(for: $0) })
    }
}
