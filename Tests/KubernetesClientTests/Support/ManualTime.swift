// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Synchronization

/// Time that a test moves. Whoever sleeps wakes when the time has come, or is cancelled.
final class ManualTime: MonotonicClock {
    private struct State {
        var now = Duration.zero
        var nextID = 0
        var sleepers: [Int: (until: Duration, wake: CheckedContinuation<Void, any Error>)] = [:]
        var cancelled: Set<Int> = []
        var slept: [Duration] = []
    }

    private let state = Mutex(State())
    private let passesByItself: Bool

    /// - Parameter passesByItself: whether a sleep ends at once, with the time gone by.
    init(passesByItself: Bool = false) { self.passesByItself = passesByItself }

    /// How long was asked to sleep, in order.
    var slept: [Duration] { state.withLock { $0.slept } }

    /// How many sleep now.
    var sleepers: Int { state.withLock { $0.sleepers.count } }

    func now() -> Duration { state.withLock { $0.now } }

    func advance(_ duration: Duration) {
        let awake = state.withLock { state in
            state.now += duration
            let due = state.sleepers.filter { $0.value.until <= state.now }
            for id in due.keys { state.sleepers[id] = nil }
            return due.values.map(\.wake)
        }
        for wake in awake { wake.resume() }
    }

    func pause(for duration: Duration) async throws {
        let id = state.withLock { state in
            state.slept.append(duration)
            if passesByItself { state.now += duration }
            state.nextID += 1
            return state.nextID
        }
        if passesByItself { return try Task.checkCancellation() }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { wake in
                let isCancelled = state.withLock { state in
                    if state.cancelled.contains(id) { return true }
                    state.sleepers[id] = (state.now + duration, wake)
                    return false
                }
                if isCancelled { wake.resume(throwing: CancellationError()) }
            }
        } onCancel: {
            let wake = state.withLock { state in
                state.cancelled.insert(id)
                return state.sleepers.removeValue(forKey: id)?.wake
            }
            wake?.resume(throwing: CancellationError())
        }
    }
}
