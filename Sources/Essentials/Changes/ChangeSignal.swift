// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Wakes readers of a feed up. It may lose notices and it may give too many: the feed is the truth.
package protocol ChangeSignal: Sendable {
    /// What it is, for people and for metrics: `listen`, `redis`.
    var name: String { get }

    /// Tells of notices and of its connection until it is cancelled; it connects again by itself.
    func run(_ tell: @escaping @Sendable (ChangeSignalEvent) -> Void) async
}

/// What a signal says.
package enum ChangeSignalEvent: Sendable, Hashable {
    /// Somebody changed something.
    case notice
    /// Notices come from here on; what happened before may have been missed.
    case up
    /// Notices do not come any more.
    case down
}
