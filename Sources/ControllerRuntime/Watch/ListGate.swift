// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Lets few lists be read at a time: dozens that come at once would all be in memory before the first is taken up.
package final class ListGate: Sendable {
    private struct State {
        var free: Int
        /// In the order in which they came; those that gave up have nothing to be woken by.
        var line: [UInt64] = []
        var waiters: [UInt64: CheckedContinuation<Bool, Never>] = [:]
        var tickets: UInt64 = 0

        mutating func popFirst() -> CheckedContinuation<Bool, Never>? {
            while !line.isEmpty {
                if let waiter = waiters.removeValue(forKey: line.removeFirst()) { return waiter }
            }
            return nil
        }
    }

    private let state: Mutex<State>

    /// - Parameter permits: how many at a time.
    package init(permits: Int) { state = Mutex(State(free: permits)) }

    /// Waits for a turn, in the order of arrival, or until the task is cancelled.
    ///
    /// - Returns: whether it is one's turn; then `leave` has to follow.
    func enter() async -> Bool {
        let ticket = state.withLock { state in
            state.tickets += 1
            return state.tickets
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                let isOver = state.withLock { state -> Bool? in
                    guard !Task.isCancelled else { return false }
                    guard state.free == 0 else {
                        state.free -= 1
                        return true
                    }
                    state.line.append(ticket)
                    state.waiters[ticket] = waiter
                    return nil
                }
                if let isOver { waiter.resume(returning: isOver) }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: ticket) }?.resume(returning: false)
        }
    }

    /// The turn is over: the next one's begins.
    func leave() {
        let next = state.withLock { state in
            let next = state.popFirst()
            if next == nil { state.free += 1 }
            return next
        }
        next?.resume(returning: true)
    }
}
