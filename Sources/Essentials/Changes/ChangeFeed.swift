// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// What others changed in a shared store, told to every reader at least once.
package protocol ChangeFeed: Sendable {
    /// Where the feed stands now: whoever takes the position first and reads the store afterwards misses nothing by following from there.
    func position() async throws(ChangeFeedError) -> ChangePosition

    /// Everything that was committed after that position and before the new one. A transaction that was under way at the old position is
    /// told once it has ended, however late that is.
    func changes(since position: ChangePosition) async throws(ChangeFeedError) -> ChangeReport

    /// Forgets changes that every reader has read, a bounded number at a time.
    func prune() async throws(ChangeFeedError)
}

/// A place in a feed. Only the feed that made it can read it.
package struct ChangePosition: Sendable, Hashable {
    package let text: String

    package init(_ text: String) { self.text = text }
}

/// What a feed says about the time since a position.
package enum ChangeReport: Sendable, Hashable {
    /// These entities changed; each is named once.
    ///
    /// - Parameter lag: how long ago the oldest of them was written, by the store's own clock.
    case changed([StoreChange], next: ChangePosition, lag: Duration)
    /// The position is too old, too much happened since, or the store is not the one of the position: everything has to be read again.
    case lost(ChangeLoss)
}

/// Why a reader cannot follow from where it was.
package enum ChangeLoss: String, Sendable, Hashable, CaseIterable {
    /// It was away for longer than changes are kept.
    case pruned
    /// More changed than is worth reading one by one.
    case tooMany = "too_many"
    /// The store was started again or is another one: its transactions are counted differently.
    case restarted
    /// A reader that begins, or was told so by its owner.
    case start
}

/// Why a feed did not answer.
package struct ChangeFeedError: Error, CustomStringConvertible {
    package enum Code: String, Sendable {
        case unavailable
        /// The position is no position of this feed.
        case unreadable
    }

    package let code: Code
    package let message: String
    package let cause: (any Error)?

    package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    package var description: String { cause.map { "\(message): \($0)" } ?? message }
}
