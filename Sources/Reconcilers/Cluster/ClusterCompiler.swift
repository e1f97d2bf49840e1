// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authentication
package import Authorization
package import Billing
internal import ControllerRuntime
package import Essentials
package import Logging
package import ResourceModel
package import RuntimeState
internal import Synchronization

/// The part of a cluster's control side that every replica does: compiles what the caches hold into a snapshot, and works out what status says.
package actor ClusterCompiler {
    /// What is fixed for the life of the process.
    package struct Parts: Sendable {
        package var caches: ClusterCaches
        /// How AuthConfigs are compiled; the namespaces' labels are added to its rules in each pass.
        package var compiler: SnapshotCompiler.Settings
        package var plans: PlanBook
        package var policy: CompiledPolicy
        /// The ConfigMap of the policy data, and who puts it in force.
        package var policySource: ManifestPolicySource
        package var policyKeeper: PolicyKeeper
        package var snapshots: SnapshotStore
        package var keySets: RemoteKeySets

        package init(
            caches: ClusterCaches, compiler: SnapshotCompiler.Settings, plans: PlanBook, policy: CompiledPolicy,
            policySource: ManifestPolicySource, policyKeeper: PolicyKeeper, snapshots: SnapshotStore,
            keySets: RemoteKeySets
        ) {
            self.caches = caches
            self.compiler = compiler
            self.plans = plans
            self.policy = policy
            self.policySource = policySource
            self.policyKeeper = policyKeeper
            self.snapshots = snapshots
            self.keySets = keySets
        }
    }

    nonisolated let parts: Parts
    nonisolated let wanted = WantedStatuses()
    private nonisolated let tokens = Mutex<TokenView>(TokenView())
    private let clock: any WallClock
    private let logger: Logger
    private let wake: AsyncStream<Void>.Continuation
    private let wakes: AsyncStream<Void>
    private let compiled: @Sendable ([ObjectKey]) -> Void
    private var awaited: Set<RemoteKeySource> = []
    private var policyMap: ConfigMap?

    /// What the reconciling of single ServiceTokens needs of all objects.
    struct TokenView: Sendable {
        var namespaces = NamespaceRules(platform: [], tenants: [:])
        var secretOwners: [String: ObjectKey] = [:]
    }

    /// - Parameter compiled: told after each pass which objects' statuses say something else than what is wanted now.
    package init(
        _ parts: Parts, clock: any WallClock, logger: Logger, compiled: @escaping @Sendable ([ObjectKey]) -> Void
    ) {
        self.parts = parts
        self.clock = clock
        self.logger = logger
        self.compiled = compiled
        (wakes, wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        parts.caches.observe { [wake] _ in wake.yield() }
    }

    /// Asks for a pass; several wishes before it begins are one.
    package nonisolated func trigger() { wake.yield() }

    /// Which namespaces may say what, and which ServiceToken has which Secret, as of the last pass.
    nonisolated var tokenView: TokenView { tokens.withLock { $0 } }

    /// Runs a pass at every change, until it is cancelled.
    package func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [plans = parts.plans, wake] in
                for await _ in plans.changes { wake.yield() }
            }
            var followed: Set<RemoteKeySource> = []
            for await _ in wakes {
                if Task.isCancelled { break }
                await pass()
                guard awaited != followed else { continue }
                followed = awaited
                // Another pass shows new key sets as soon as they are there.
                group.addTask { [keySets = parts.keySets, wake] in
                    await keySets.waitForFirstSets(atMost: .seconds(10))
                    wake.yield()
                }
            }
            group.cancelAll()
        }
    }

    /// One pass over the caches. Nothing happens before all of them are filled: half a cluster would open or close what it should not.
    package func pass() async {
        guard parts.caches.isFilled else { return }
        let now = clock.now()
        await followPolicy()
        let objects = ResourceKind.allCases.flatMap { parts.caches.all($0) }.filter { !$0.isDeleting }
        let inputs = objects.map(\.input).sorted { $0.key < $1.key }
        let namespaces = parts.compiler.namespaces.with(labels: parts.caches.tenants)
        var settings = parts.compiler
        settings.namespaces = namespaces
        let output = SnapshotCompiler(settings: settings).compile(inputs)
        parts.keySets.use(output.keySources)
        awaited = output.keySources
        let earlier = Dictionary(
            objects.filter(\.key.kind.isOwn).map { ($0.key, $0.status ?? .null) }
        ) { first, _ in first }
        let billing = SubscriptionCompiler(plans: parts.plans, namespaces: namespaces).compile(
            inputs, earlier: earlier, now: now)
        var statuses = output.statuses
        KeyAvailability.note(output.keySourcesByObject, sets: parts.keySets, statuses: &statuses)
        statuses.merge(billing.statuses) { _, new in new }
        let secretOwners = ServiceTokenReconciler.secretOwners(inputs)
        tokens.withLock { $0 = TokenView(namespaces: namespaces, secretOwners: secretOwners) }
        let snapshot = parts.snapshots.publish { generation in
            RuntimeSnapshot(
                generation: generation, builtAt: now, hosts: output.hosts, authConfigs: output.authConfigs,
                policy: parts.policy, ownRealm: output.ownRealm, accounts: billing.accounts, resources: [])
        }
        logger.debug(
            "snapshot published",
            metadata: [LogKeys.generation: "\(snapshot.generation)", "objects": "\(inputs.count)"])
        want(statuses, of: objects, earlier: earlier, snapshot: snapshot.generation, now: now)
    }

    /// Takes note of what each status should say, and says of which objects it does not.
    private func want(
        _ statuses: [ObjectKey: ObjectStatus], of objects: [ClusterObject], earlier: [ObjectKey: JSONValue],
        snapshot: UInt64, now: Timestamp
    ) {
        var all: [ObjectKey: WantedStatuses.Wanted] = [:]
        var changed: [ObjectKey] = []
        for object in objects where object.key.kind.isOwn {
            guard var status = statuses[object.key] else {
                // Tokens are worked out one by one, by whoever leads.
                changed.append(object.key)
                continue
            }
            status.sumUp()
            if object.key.kind == .authConfig {
                let isKnown = object.status?["observedGeneration"]?.intValue == object.generation
                let first = isKnown ? object.status?["snapshot"]?.intValue : nil
                status.members["snapshot"] = .int(first ?? Int64(snapshot))
            }
            all[object.key] = WantedStatuses.Wanted(status: status, generation: object.generation)
            let document = StatusDocument.make(
                status, generation: object.generation, previous: object.status, now: now)
            if !StatusDocument.agree(document, object.status) { changed.append(object.key) }
        }
        wanted.replace(all)
        compiled(changed)
    }

    private func followPolicy() async {
        var map: ConfigMap?
        if let object = parts.caches.get(parts.policySource.key), !object.isDeleting,
            case .configMap(let found)? = object.object
        {
            map = found
        }
        guard map?.data != policyMap?.data || map?.binaryData != policyMap?.binaryData else { return }
        policyMap = map
        parts.policySource.take(map)
        await parts.policyKeeper.refresh()
    }
}
