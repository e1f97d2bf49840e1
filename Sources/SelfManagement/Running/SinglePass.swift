// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
internal import Synchronization

/// Work of which one piece runs at a time: who asks while it runs gets what that one comes to.
package final class SinglePass<Value: Sendable>: Sendable {
    package typealias Outcome = Result<Value, Refusal>

    private struct State {
        var isRunning = false
        var waiting: [CheckedContinuation<Outcome?, Never>] = []
    }

    private let state = Mutex(State())

    /// Nothing runs.
    package init() {}

    /// Runs the body, or waits for the one that runs.
    package func run(_ body: () async -> Outcome) async -> Outcome {
        let joined = await withCheckedContinuation { continuation in
            let isFirst = state.withLock { state in
                guard state.isRunning else {
                    state.isRunning = true
                    return true
                }
                state.waiting.append(continuation)
                return false
            }
            if isFirst { continuation.resume(returning: nil) }
        }
        if let joined { return joined }
        let outcome = await body()
        let waiting = state.withLock { state in
            defer { state = State() }
            return state.waiting
        }
        for waiter in waiting { waiter.resume(returning: outcome) }
        return outcome
    }
}
