// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
package import Metrics
internal import Synchronization

/// Where the control side publishes snapshots and the request side reads them.
///
/// Reading is O(1): the lock is held for one reference count, and never while a snapshot is compiled.
package final class SnapshotStore: Sendable {
    private struct State {
        var snapshot: RuntimeSnapshot?
        var generation: UInt64 = 0
    }

    private let state = Mutex(State())
    private let generationGauge: Gauge

    /// An empty store: not ready.
    package init(metricsFactory: any MetricsFactory) {
        generationGauge = Gauge(label: "tollgate_snapshot_generation", factory: metricsFactory)
        generationGauge.record(0)
    }

    /// The snapshot in force; nil until the first is published.
    package func current() -> RuntimeSnapshot? { state.withLock { $0.snapshot } }

    /// Builds a snapshot with the next generation and puts it in force as a whole.
    ///
    /// The builder runs outside the lock that readers take. Of several at once the one that began last wins.
    ///
    /// - Returns: the snapshot that is now in force.
    package func publish(_ build: (_ generation: UInt64) -> RuntimeSnapshot) -> RuntimeSnapshot {
        let generation = state.withLock { state in
            state.generation += 1
            return state.generation
        }
        let snapshot = build(generation)
        return state.withLock { state in
            // A slower builder must not put an older state over a newer one.
            if let newer = state.snapshot, newer.generation > snapshot.generation { return newer }
            state.snapshot = snapshot
            generationGauge.record(Int64(snapshot.generation))
            return snapshot
        }
    }
}

extension SnapshotStore: ResourceCatalog {
    package func resources(kind: String?, namespace: String?) -> (items: [ResourceView], snapshot: UInt64) {
        guard let snapshot = current() else { return ([], 0) }
        let items = snapshot.resources.filter {
            (kind == nil || $0.kind == kind) && (namespace == nil || $0.namespace == namespace)
        }
        return (items, snapshot.generation)
    }
}
