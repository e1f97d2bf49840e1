// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ResourceModel
internal import Synchronization

/// What this process wrote and its caches have not seen yet: an object is never worked on in a state from before one's own write.
package final class OwnWrites: Sendable {
    private let written = Mutex<[ObjectKey: ClusterObject]>([:])

    package init() {}

    /// Takes note of what the server made of a write.
    func note(_ object: ClusterObject) { written.withLock { $0[object.key] = object } }

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
