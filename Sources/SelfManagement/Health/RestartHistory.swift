// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// How often the main containers of a pod had been restarted, as it was seen over time.
package struct RestartHistory: Sendable, Hashable {
    package struct Observation: Sendable, Hashable {
        package var at: Timestamp
        package var restarts: Int

        package init(at: Timestamp, restarts: Int) {
            self.at = at
            self.restarts = restarts
        }
    }

    /// The oldest first.
    package private(set) var observations: [Observation] = []

    /// Nothing was seen yet.
    package init() {}

    /// Takes up what is seen now, and forgets what no window reaches any more.
    package mutating func observe(restarts: Int, at now: Timestamp, window: Duration) {
        if let last = observations.last, last.restarts == restarts, observations.count > 1,
            observations[observations.count - 2].restarts == restarts
        {
            // What stays the same is two observations: the first of that number and the last.
            observations[observations.count - 1].at = now
        } else {
            observations.append(Observation(at: now, restarts: restarts))
        }
        let start = now.adding(.zero - window)
        // The newest one at or before the window's start is its base; what is older says nothing more.
        if let base = observations.lastIndex(where: { $0.at <= start }), base > 0 { observations.removeFirst(base) }
        if observations.count > 64 { observations.remove(at: observations.count / 2) }
    }

    /// By how many restarts it grew within the window; nil where that cannot be said.
    package func growth(to restarts: Int, at now: Timestamp, window: Duration, createdAt: Timestamp?) -> Int? {
        let start = now.adding(.zero - window)
        if let base = observations.last(where: { $0.at <= start }) { return restarts - base.restarts }
        if let createdAt, createdAt > start { return restarts }
        return observations.first.map { restarts - $0.restarts }
    }
}

extension Timestamp {
    /// So much later, or earlier.
    func adding(_ duration: Duration) -> Timestamp {
        Timestamp(microseconds: microseconds.addingSaturated(duration.wholeMicroseconds))
    }

    /// How much later than the other one this is.
    func since(_ other: Timestamp) -> Duration { .microseconds(microseconds - other.microseconds) }
}
