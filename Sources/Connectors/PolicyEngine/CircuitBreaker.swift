// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Keeps calls away from a system that does not answer: after some failures in a row it lets nothing through for a while, then one call to try.
///
/// A plain value that decides; whoever shares it puts it into a `Mutex`. Results of calls that began before the last change of state are ignored.
package struct CircuitBreaker: Sendable {
    /// Where it stands.
    package enum State: Sendable, Hashable {
        /// Calls pass. Moves to `open` at the last permitted failure in a row.
        case closed(failures: Int)
        /// No call passes. Moves to `probing` with the first call after `until`.
        case open(since: Timestamp, until: Timestamp)
        /// One call is under way to try. Moves to `closed` when it is answered, to `open` when it fails.
        case probing

        /// The name in metrics and details.
        package var name: String {
            switch self {
            case .closed: "closed"
            case .probing: "half_open"
            case .open: "open"
            }
        }
    }

    /// The right to make one call. It is handed back with `ended`.
    package struct Permit: Sendable, Hashable {
        fileprivate let generation: UInt64
    }

    /// How a call ended.
    package enum Outcome: Sendable {
        /// The other side answered, whatever it said.
        case answered
        case failed
        /// Given up by this side: it says nothing about the other one.
        case abandoned
    }

    private let threshold: Int
    private let pauseMicroseconds: Int64
    package private(set) var state = State.closed(failures: 0)
    private var generation: UInt64 = 0

    /// - Parameters:
    ///   - threshold: failures in a row that open it.
    ///   - pause: how long it stays open.
    package init(threshold: Int = 5, pause: Duration = .seconds(10)) {
        self.threshold = max(1, threshold)
        pauseMicroseconds = pause.wholeMicroseconds
    }

    /// Asks for a call. Nil: do not make it.
    package mutating func permit(at now: Timestamp) -> Permit? {
        switch state {
        case .closed: return Permit(generation: generation)
        case .probing: return nil
        case .open(let since, let until):
            // A clock that was set back must not keep it open for longer.
            guard now >= until || now < since else { return nil }
            move(to: .probing)
            return Permit(generation: generation)
        }
    }

    /// Takes the end of a call.
    ///
    /// - Returns: whether the state changed.
    package mutating func ended(_ permit: Permit, _ outcome: Outcome, at now: Timestamp) -> Bool {
        guard permit.generation == generation else { return false }
        let open = State.open(since: now, until: Timestamp(microseconds: now.microseconds + pauseMicroseconds))
        switch (state, outcome) {
        case (.closed(let failures), .failed):
            guard failures + 1 >= threshold else {
                state = .closed(failures: failures + 1)
                return false
            }
            move(to: open)
        case (.closed, .answered):
            state = .closed(failures: 0)
            return false
        case (.closed, .abandoned), (.open, _): return false
        case (.probing, .answered): move(to: .closed(failures: 0))
        case (.probing, .failed): move(to: open)
        // Nothing was learnt: the next call may try.
        case (.probing, .abandoned): move(to: .open(since: now, until: now))
        }
        return true
    }

    private mutating func move(to next: State) {
        state = next
        generation += 1
    }
}
