// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Something that waits in the queue of usage events.
package struct QueueEntry: Sendable, Hashable {
    /// Its name within the queue.
    package let id: String
    package let payload: [UInt8]
    /// How often it was handed out, this time included.
    package let deliveries: Int

    package init(id: String, payload: [UInt8], deliveries: Int) {
        self.id = id
        self.payload = payload
        self.deliveries = deliveries
    }
}

/// How much is in the queue.
package struct QueueDepth: Sendable, Hashable {
    /// Entries that are not done, those in work included.
    package var entries: Int
    /// Those of them that were handed out.
    package var inWork: Int
    /// Entries that failed too often.
    package var dead: Int

    package init(entries: Int, inWork: Int, dead: Int) {
        self.entries = entries
        self.inWork = inWork
        self.dead = dead
    }
}

/// Why the queue cannot be used now.
package struct QueueError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// It cannot be asked; what was asked may have been done.
        case away
        /// The payload is over the bound.
        case tooLarge
        /// It takes no more.
        case full
    }

    package let code: Code
    package let description: String

    package init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}

/// The rules that every queue of usage events keeps.
package enum UsageQueueRules {
    /// How long an entry may be in the hands of a worker before another one takes it.
    package static let idle = Duration.seconds(60)
    /// After so many failures an entry is dead.
    package static let maximumDeliveries = 10
    package static let maximumPayloadBytes = 1 << 20
    /// Dead entries that are kept; beyond it the oldest go.
    package static let maximumDead = 10_000
}

/// Usage events on their way from the replicas that take them to the workers that apply them: handed out at least once.
///
/// An entry that was handed out and is neither done nor buried comes back through `reclaim`: a worker that died loses nothing.
package protocol UsageQueue: Sendable {
    /// Adds an entry.
    ///
    /// - Returns: its id.
    /// - Throws: `away`, `tooLarge`, `full`.
    func add(_ payload: [UInt8]) async throws(QueueError) -> String

    /// Adds entries, in their order; where it throws, the first of them may be there.
    ///
    /// - Throws: as above.
    func add(_ payloads: [[UInt8]]) async throws(QueueError)

    /// Entries that were never handed out, the oldest first; waits for one where there is none.
    ///
    /// - Parameter limit: how long to wait at most; nought = not at all.
    func take(most: Int, by worker: String, waiting limit: Duration) async throws(QueueError) -> [QueueEntry]

    /// Entries that were handed out and of which nothing was heard for so long, the oldest first. They are the worker's now.
    func reclaim(most: Int, by worker: String, idle: Duration) async throws(QueueError) -> [QueueEntry]

    /// These are done and gone. Again changes nothing.
    func done(_ ids: [String]) async throws(QueueError)

    /// Puts an entry where nobody takes it by itself.
    ///
    /// - Parameter reason: in one line; no secrets.
    func bury(_ entry: QueueEntry, reason: String) async throws(QueueError)

    func depth() async throws(QueueError) -> QueueDepth
}

extension UsageQueue {
    package func add(_ payloads: [[UInt8]]) async throws(QueueError) {
        for payload in payloads { _ = try await add(payload) }
    }
}
