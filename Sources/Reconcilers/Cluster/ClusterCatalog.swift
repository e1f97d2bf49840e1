// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import ResourceModel
package import RuntimeState

/// Shows the objects of a cluster, with the status that the API server has.
package struct ClusterCatalog: ResourceCatalog {
    private let caches: ClusterCaches
    private let snapshots: SnapshotStore

    package init(caches: ClusterCaches, snapshots: SnapshotStore) {
        self.caches = caches
        self.snapshots = snapshots
    }

    package func resources(kind: String?, namespace: String?) -> (items: [ResourceView], snapshot: UInt64) {
        let objects = ResourceKind.own.filter { kind == nil || $0.rawValue == kind }.flatMap { caches.all($0) }
        let items = objects.filter { namespace == nil || $0.key.namespace == namespace }
            .sorted { $0.key < $1.key }
            .map { ResourceView($0.input, status: $0.status, source: nil) }
        return (items, snapshots.current()?.generation ?? 0)
    }
}
