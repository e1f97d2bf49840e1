// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// A client's place among those who watch. It is given back when the stream ends, and at the latest when nobody holds this any more.
package final class LiveSubscription: Sendable {
    private let hub: LiveHub
    private let id: UInt64
    private let subscriber: LiveSubscriber

    init(hub: LiveHub, id: UInt64, subscriber: LiveSubscriber) {
        self.hub = hub
        self.id = id
        self.subscriber = subscriber
    }

    deinit {
        subscriber.end(.gone)
        hub.remove(id)
    }

    /// What is to be done next; waits for it. What the turn before said is done by then.
    package func next() async -> LiveTurn { await subscriber.next(replays: hub.replays) }

    /// Has `next` say `called`, soon and at least once.
    package func call() { subscriber.call() }

    /// Begins anew in the same place: what was asked for before is not given any more.
    package func change(to filter: LiveFilter, after lastID: String?) {
        hub.begin(subscriber, filter, after: lastID)
        subscriber.wake()
    }

    /// Ends the stream, and gives the place back.
    package func end() {
        subscriber.end(.gone)
        hub.release(id)
    }

    /// Ends the stream because the process is on its way out.
    package func drain() {
        subscriber.end(.draining)
        hub.release(id)
    }
}
