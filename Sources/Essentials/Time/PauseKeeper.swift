// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Dispatch
internal import Synchronization

/// Ends pauses when their time has come, with one timer of the system for all of them.
///
/// A sleep of the concurrency library has a timer of its own, which stays until its time has come when the sleep is cancelled: thousands of
/// short pieces of work with a limit each would leave as many behind, and each wakes the process.
final class PauseKeeper: Sendable {
    typealias Instant = ContinuousClock.Instant
    fileprivate typealias Waiter = CheckedContinuation<Void, any Error>

    fileprivate struct Place {
        var due: Instant
        var ticket: UInt64
    }

    fileprivate struct State {
        var waiters: [UInt64: Waiter] = [:]
        /// A heap by time; places of pauses that have ended are left out when they are met.
        var line: [Place] = []
        var tickets: UInt64 = 0
        /// For when the timer is set; nil when it is not.
        var alarm: Instant?
        var timer: (any DispatchSourceTimer)?
    }

    /// The timer is set for no longer than this: a machine that slept notices late what was due meanwhile.
    private static let longestAlarm = Duration.seconds(5)
    /// Of ended pauses so many places more than of others are kept.
    private static let slack = 256

    private let state = Mutex(State())

    /// How many wait.
    var count: Int { state.withLock(\.waiters.count) }

    /// How many places are kept, for these and for pauses that have ended.
    var places: Int { state.withLock(\.line.count) }

    /// Waits until that instant; throws `CancellationError` as soon as the task is cancelled.
    func pause(until due: Instant) async throws {
        let ticket = state.withLock { state in
            state.tickets += 1
            return state.tickets
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (waiter: Waiter) in
                let isCancelled = state.withLock { state -> Bool in
                    guard !Task.isCancelled else { return true }
                    state.waiters[ticket] = waiter
                    state.push(Place(due: due, ticket: ticket))
                    arm(&state)
                    return false
                }
                if isCancelled { waiter.resume(throwing: CancellationError()) }
            }
        } onCancel: {
            let waiter = state.withLock { state -> Waiter? in
                defer { state.tidy(slack: Self.slack) }
                return state.waiters.removeValue(forKey: ticket)
            }
            waiter?.resume(throwing: CancellationError())
        }
    }

    /// Sets the timer for the first pause, unless it is set for as early a time.
    private func arm(_ state: inout State) {
        guard let first = state.line.first else {
            state.alarm = nil
            return
        }
        if let alarm = state.alarm, alarm <= first.due { return }
        let now = ContinuousClock().now
        let wait = min(max(first.due - now, .zero), Self.longestAlarm)
        state.alarm = now + wait
        let timer = state.timer ?? makeTimer()
        state.timer = timer
        let (seconds, attoseconds) = wait.components
        timer.schedule(
            deadline: .now() + .nanoseconds(Int(seconds) * 1_000_000_000 + Int(attoseconds / 1_000_000_000)),
            leeway: .milliseconds(1))
    }

    private func makeTimer() -> any DispatchSourceTimer {
        let timer = DispatchSource.makeTimerSource()
        timer.setEventHandler { [weak self] in self?.ring() }
        timer.activate()
        return timer
    }

    private func ring() {
        let now = ContinuousClock().now
        let due = state.withLock { state -> [Waiter] in
            state.alarm = nil
            var due: [Waiter] = []
            while let first = state.line.first {
                let waiter = state.waiters[first.ticket]
                guard first.due <= now || waiter == nil else { break }
                state.popFirst()
                state.waiters[first.ticket] = nil
                if let waiter { due.append(waiter) }
            }
            arm(&state)
            return due
        }
        for waiter in due { waiter.resume() }
    }

    deinit { state.withLock { $0.timer?.cancel() } }
}

extension PauseKeeper.State {
    fileprivate mutating func push(_ place: PauseKeeper.Place) {
        line.append(place)
        var child = line.count - 1
        while child > 0, line[child].due < line[(child - 1) / 2].due {
            line.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    fileprivate mutating func popFirst() {
        let last = line.removeLast()
        guard !line.isEmpty else { return }
        line[0] = last
        sift(from: 0)
    }

    /// Drops the places of ended pauses when they are many.
    fileprivate mutating func tidy(slack: Int) {
        guard line.count > 2 * waiters.count + slack else { return }
        line.removeAll { waiters[$0.ticket] == nil }
        for parent in stride(from: line.count / 2 - 1, through: 0, by: -1) { sift(from: parent) }
    }

    private mutating func sift(from start: Int) {
        var parent = start
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < line.count && line[child].due < line[least].due
            {
                least = child
            }
            guard least != parent else { return }
            line.swapAt(parent, least)
            parent = least
        }
    }
}
