// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Synchronization

/// A clock that stands still until a test moves it; who sleeps on it is woken when its time has come.
package final class ManualMonotonicClock: MonotonicClock {
    private struct Sleeper {
        var duration: Duration
        var until: Duration
        var continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var now = Duration.zero
        var sleepers: [Int: Sleeper] = [:]
        var ids = 0
        /// Every pause that was asked for, in order.
        var asked: [Duration] = []
    }

    private let state = Mutex(State())

    package init() {}

    package func now() -> Duration { state.withLock(\.now) }

    /// How many sleep now.
    package var sleepers: Int { state.withLock(\.sleepers.count) }

    /// The pauses of those who sleep now, as they asked for them.
    package var pauses: [Duration] { state.withLock { $0.sleepers.values.map(\.duration) } }

    /// Every pause that was asked for, in order.
    package var asked: [Duration] { state.withLock(\.asked) }

    package func pause(for duration: Duration) async throws {
        // Who sees the pause in `asked` may move the clock at once: it counts from here on.
        let (id, until) = state.withLock { state in
            state.ids += 1
            state.asked.append(duration)
            return (state.ids, state.now + duration)
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let outcome = state.withLock { state -> Result<Void, any Error>? in
                    if Task.isCancelled { return .failure(CancellationError()) }
                    if until <= state.now { return .success(()) }
                    state.sleepers[id] = Sleeper(duration: duration, until: until, continuation: continuation)
                    return nil
                }
                if let outcome { continuation.resume(with: outcome) }
            }
        } onCancel: {
            state.withLock { $0.sleepers.removeValue(forKey: id) }?.continuation.resume(throwing: CancellationError())
        }
    }

    /// Moves forward and wakes whose time has come.
    package func advance(by duration: Duration) {
        let due = state.withLock { state in
            state.now += duration
            let due = state.sleepers.filter { $0.value.until <= state.now }
            for id in due.keys { state.sleepers[id] = nil }
            return due.values.map(\.continuation)
        }
        for continuation in due { continuation.resume() }
    }
}
