// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ResourceModel
internal import Synchronization

/// What this process wrote and its caches have not seen yet: an object is never worked on in a state from before one's own write.
///
/// It is empty whenever the caches have caught up.
package final class OwnWrites: Sendable {
    private let written = Mutex<[ObjectKey: ClusterObject]>([:])
    private let caches: ClusterCaches

    /// Follows the caches from now on. Before their streams run.
    package init(over caches: ClusterCaches) {
        self.caches = caches
        caches.observeAll { [weak self] in self?.caughtUp($0) }
    }

    /// How many writes the caches have not seen.
    package var count: Int { written.withLock(\.count) }

    /// Takes note of what the server made of a write.
    func note(_ object: ClusterObject) {
        written.withLock { written in
            // The watch can be faster than the answer.
            let isSeen = caches.get(object.key).map { $0.uid == object.uid && !object.isNewer(than: $0) } ?? false
            written[object.key] = isSeen ? nil : object
        }
    }

    /// The cache has an object in that state, or has lost it: what is not later than that is known there.
    private func caughtUp(_ object: ClusterObject) {
        written.withLock { written in
            if let own = written[object.key], own.uid != object.uid || !own.isNewer(than: object) {
                written[object.key] = nil
            }
        }
    }

    /// The later state of the cached one and the own one; what caught up is forgotten.
    func latest(_ cached: ClusterObject?, of key: ObjectKey) -> ClusterObject? {
        written.withLock { written in
            guard let own = written[key] else { return cached }
            guard let cached, cached.uid == own.uid, own.isNewer(than: cached) else {
                written[key] = nil
                return cached
            }
            return own
        }
    }
}
