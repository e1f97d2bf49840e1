// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// A way for replicas to tell each other short texts. It may lose some and give others twice: whoever hears one looks for what is new.
package protocol NoticeChannel: Sendable {
    /// What it is, for people: `listen`, `redis`.
    var name: String { get }

    /// Has the other replicas told soon; the same text is told once until then. Returns at once.
    func announce(_ text: String)

    /// Announces, and tells of notices and of its connection, until it is cancelled; it connects again by itself.
    func run(_ tell: @escaping @Sendable (NoticeEvent) -> Void) async
}

/// What a channel of notices says.
package enum NoticeEvent: Sendable, Hashable {
    /// Somebody announced something.
    case notice(String)
    /// Notices come from here on; what was announced before may have been missed.
    case up
    /// Notices do not come any more.
    case down
}
