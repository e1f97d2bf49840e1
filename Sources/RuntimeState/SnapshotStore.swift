// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authorization
package import Essentials
package import Metrics
internal import Synchronization

/// Where the control side publishes snapshots and the request side reads them.
///
/// Reading is O(1): the lock is held for one reference count, and never while a snapshot is compiled.
package final class SnapshotStore: Sendable {
    private struct State {
        var snapshot: RuntimeSnapshot?
        var generation: UInt64 = 0
        /// The generation that was given to the objects in force when they were compiled.
        var compiledGeneration: UInt64 = 0
        /// The last generation that was made by replacing policy data or shares.
        var replacedGeneration: UInt64 = 0
        /// What was put in force beside the objects, and stays when they are compiled anew.
        var policy: CompiledPolicy?
        var shares: ShareTable?
    }

    private let state = Mutex(State())
    private let generationGauge: Gauge
    /// Told of every publication.
    package let changes = ChangeHook()

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
        let built = build(generation)
        return state.withLock { state in
            // A slower builder must not put an older state over a newer one.
            if let present = state.snapshot, state.compiledGeneration > generation { return present }
            state.compiledGeneration = generation
            guard state.policy != nil || state.shares != nil else { return put(built, &state) }
            // What came beside the objects while they were compiled has taken a later number already.
            let isLate = state.replacedGeneration > generation
            if isLate { state.generation += 1 }
            return put(
                built.replacing(
                    policy: state.policy, shares: state.shares, generation: isLate ? state.generation : generation),
                &state)
        }
    }

    /// Puts policy data in force, for the present snapshot and for all that follow.
    package func replace(policy: CompiledPolicy) {
        state.withLock { state in
            state.policy = policy
            renew(&state)
        }
    }

    /// Puts the shares between projects in force, for the present snapshot and for all that follow.
    package func replace(shares: ShareTable) {
        state.withLock { state in
            state.shares = shares
            renew(&state)
        }
    }

    private func renew(_ state: inout State) {
        guard let present = state.snapshot else { return }
        state.generation += 1
        state.replacedGeneration = state.generation
        _ = put(
            present.replacing(policy: state.policy, shares: state.shares, generation: state.generation), &state)
    }

    private func put(_ snapshot: RuntimeSnapshot, _ state: inout State) -> RuntimeSnapshot {
        state.snapshot = snapshot
        generationGauge.record(Int64(snapshot.generation))
        changes.call()
        return snapshot
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
