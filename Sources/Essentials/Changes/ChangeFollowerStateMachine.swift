// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Decides what a reader of a feed does next. Pure: times are handed in, asking and applying are its runner's.
///
/// It begins lost: everything is read. From then on it looks when it is told to, when a signal connects, and every few seconds; oftener while
/// no signal is connected. What fails is tried again from the same position.
package struct ChangeFollowerStateMachine: Sendable {
    /// How often it asks.
    package struct Rhythm: Sendable {
        /// Between looks while a signal tells of changes.
        package var poll: Duration
        /// Between looks while none does: short enough that a revocation still arrives within a second.
        package var pollUnsignalled: Duration
        /// Between tries while the store does not answer: the first, doubled up to the longest.
        package var firstRetry: Duration
        package var longestRetry: Duration

        package init(
            poll: Duration = .milliseconds(800), pollUnsignalled: Duration = .milliseconds(400),
            firstRetry: Duration = .milliseconds(100), longestRetry: Duration = .seconds(1)
        ) {
            self.poll = poll
            self.pollUnsignalled = pollUnsignalled
            self.firstRetry = firstRetry
            self.longestRetry = longestRetry
        }
    }

    /// What the runner does next.
    package enum Action: Sendable, Hashable {
        /// Take the feed's position, then read everything.
        case reload(ChangeLoss)
        /// Ask what changed since then.
        case look(ChangePosition)
        /// Nothing until then, unless a signal comes.
        case wait(until: Duration)
    }

    private enum Place: Sendable {
        case lost(ChangeLoss)
        case at(ChangePosition)
    }

    private let rhythm: Rhythm
    private var place = Place.lost(.start)
    /// Somebody said that there is something new.
    private var isNoticed = false
    /// The signals that are connected.
    private var signals: Set<String> = []
    /// When the next look is due.
    private var due = Duration.zero
    /// Tries that failed in a row, and when the next one is.
    private var failures = 0
    private var retry = Duration.zero

    package init(rhythm: Rhythm = Rhythm()) { self.rhythm = rhythm }

    /// Whether everything was read at least once.
    package private(set) var hasStarted = false

    /// The signals that are connected.
    package var connectedSignals: Set<String> { signals }

    /// What to do now.
    package mutating func next(at now: Duration) -> Action {
        if failures > 0, now < retry { return .wait(until: retry) }
        switch place {
        case .lost(let loss): return .reload(loss)
        case .at(let position):
            guard isNoticed || now >= due else { return .wait(until: due) }
            // A notice that comes from here on may be of something that this look does not see.
            isNoticed = false
            return .look(position)
        }
    }

    /// A signal said something.
    package mutating func heard(_ event: ChangeSignalEvent, from signal: String, at now: Duration) {
        switch event {
        case .notice: isNoticed = true
        case .up:
            signals.insert(signal)
            // What was told before it connected was not heard.
            isNoticed = true
        case .down:
            signals.remove(signal)
            if signals.isEmpty { due = min(due, now + rhythm.pollUnsignalled) }
        }
    }

    /// Everything was read and is in force; the position is from before.
    package mutating func reloaded(from position: ChangePosition, at now: Duration) {
        hasStarted = true
        settle(at: position, now)
    }

    /// What changed up to that position is in force.
    package mutating func followed(to position: ChangePosition, at now: Duration) { settle(at: position, now) }

    /// The feed cannot say what changed.
    package mutating func lost(_ loss: ChangeLoss) {
        failures = 0
        place = .lost(loss)
    }

    /// Asking or applying failed: the same again, later.
    package mutating func failed(at now: Duration) {
        let longest = rhythm.longestRetry
        let pause = failures < 16 ? min(rhythm.firstRetry * (1 << failures), longest) : longest
        failures += 1
        retry = now + pause
        // A look that failed has answered no notice.
        isNoticed = true
    }

    private mutating func settle(at position: ChangePosition, _ now: Duration) {
        failures = 0
        place = .at(position)
        due = now + (signals.isEmpty ? rhythm.pollUnsignalled : rhythm.poll)
    }
}
