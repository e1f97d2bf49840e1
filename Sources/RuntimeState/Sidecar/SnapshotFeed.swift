// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
internal import Synchronization

/// Lets many wait for the next change of what snapshots are made of. However many changes come in a moment, it wakes everybody once.
package final class SnapshotFeed: Sendable {
    /// How a wait ended.
    package enum Outcome: Sendable, Hashable {
        case changed, timeout, closed
    }

    private struct State {
        var version: UInt64 = 1
        var isClosed = false
        var waiters: [UInt64: CheckedContinuation<Outcome, Never>] = [:]
        var nextWaiter: UInt64 = 0
        /// Waits that have been given a number and have not begun; true once they were cancelled.
        var beginning: [UInt64: Bool] = [:]
    }

    /// The least time between two wake-ups: a burst of changes is one.
    package static let spacing = Duration.milliseconds(50)

    private let state = Mutex(State())
    private let signal = Signal()
    private let clock: any MonotonicClock

    /// - Parameter clock: bounds waits and spaces wake-ups.
    package init(clock: any MonotonicClock) { self.clock = clock }

    /// Something changed. Cheap, and may be called with locks held.
    package func changed() { signal.call() }

    /// Counts up with every wake-up.
    package var version: UInt64 { state.withLock(\.version) }

    /// How many wait.
    package var waiting: Int { state.withLock(\.waiters.count) }

    /// Whether it has been closed.
    package var isClosed: Bool { state.withLock(\.isClosed) }

    /// Turns changes into wake-ups until it is cancelled. Runs once.
    package func run() async {
        while !Task.isCancelled {
            await signal.wait()
            if Task.isCancelled { break }
            let woken = state.withLock { state in
                state.version += 1
                return Self.takeAll(&state)
            }
            for waiter in woken { waiter.resume(returning: .changed) }
            // Cancelled: the loop ends at its condition.
            try? await clock.pause(for: Self.spacing)
        }
    }

    /// Ends every wait, now and from now on.
    package func close() {
        let woken = state.withLock { state in
            state.isClosed = true
            return Self.takeAll(&state)
        }
        for waiter in woken { waiter.resume(returning: .closed) }
    }

    /// Waits until the version is another one.
    package func wait(after version: UInt64, atMost limit: Duration) async -> Outcome {
        guard limit > .zero else { return .timeout }
        return await clock.limited(to: limit) { await self.wait(after: version) } ?? .timeout
    }

    private func wait(after version: UInt64) async -> Outcome {
        let id = state.withLock { state in
            state.nextWaiter += 1
            state.beginning[state.nextWaiter] = false
            return state.nextWaiter
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let outcome = state.withLock { state -> Outcome? in
                    if state.beginning.removeValue(forKey: id) == true { return .timeout }
                    if state.isClosed { return .closed }
                    if state.version != version { return .changed }
                    state.waiters[id] = continuation
                    return nil
                }
                if let outcome { continuation.resume(returning: outcome) }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                if state.beginning[id] != nil { state.beginning[id] = true }
                return state.waiters.removeValue(forKey: id)
            }
            waiter?.resume(returning: .timeout)
        }
    }

    private static func takeAll(_ state: inout State) -> [CheckedContinuation<Outcome, Never>] {
        defer { state.waiters = [:] }
        return Array(state.waiters.values)
    }
}
