// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import ControllerRuntime
internal import Essentials
internal import Glibc
internal import HTTPService
internal import KubernetesClient
internal import Logging
internal import Metrics
internal import Reconcilers
internal import ResourceModel
internal import RuntimeState
internal import SelfManagement
internal import ServiceLifecycle

/// The control side on a cluster: every replica watches and compiles, the leader writes.
struct ClusterSide: ControlSide {
    private let link: ClusterLink
    private let compiler: ClusterCompiler
    private let controllers: [Controller<ObjectKey>]
    private let resync: ResyncTimer
    private let own: SelfSide
    private let accounts: SubscriptionAccounts?
    let catalog: any ResourceCatalog
    let leader: (any LeaderForwarding)?
    let cluster: (any ClusterService)?

    init(_ parts: ControlParts, link: ClusterLink, metrics: PrometheusRegistry) throws {
        self.link = link
        accounts = parts.accounts
        let namespaces = parts.settings.namespaceRules(own: link.ownNamespace)
        let queues = Dictionary(
            uniqueKeysWithValues: ResourceKind.own.map {
                ($0, WorkQueue<ObjectKey>(name: $0.plural, metricsFactory: metrics))
            })
        let revocations = WorkQueue<ObjectKey>(name: "revocations", metricsFactory: metrics)
        let compiler = ClusterCompiler(
            ClusterCompiler.Parts(
                caches: link.caches, compiler: try parts.compiler(namespaces, needsLabel: true),
                tools: ToolManifestCompiler(
                    settings: parts.settings.toolManifests(own: link.ownNamespace, needsLabel: true),
                    executables: ToolExecutables(directory: parts.settings.tools.directory)),
                plans: parts.plans, policy: parts.policy.keeper.state.policy, policySource: parts.policy.source,
                policyKeeper: parts.policy.keeper, snapshots: parts.snapshots, keySets: parts.keySets,
                settled: SettledTokens(caches: link.caches, table: parts.registry.table, clock: parts.clock),
                accounts: parts.accounts),
            wall: parts.clock, clock: SystemMonotonicClock(), logger: parts.logger, metrics: metrics
        ) { [caches = link.caches, elector = link.elector] keys, priority in
            // Who begins to lead looks at everything.
            let isLeading = elector.isLeading
            for key in keys {
                // What is revoked does not wait for writes to the API server.
                let isRevoked =
                    key.kind == .serviceToken && caches.get(key).flatMap(ClusterReconciler.revocation) != nil
                if isRevoked {
                    revocations.add(key, priority: priority)
                } else if isLeading {
                    // A Secret is named for its tool keys.
                    queues[key.kind == .secret ? .toolManifest : key.kind]?.add(key, priority: priority)
                }
            }
        }
        self.compiler = compiler
        let objects = ClusterEvents(link: link)
        let reconciler = ClusterReconciler(
            compiler: compiler,
            tokens: ServiceTokenReconciler(
                registry: parts.registry,
                texts: ClusterReconciler.texts(
                    api: link.api, fence: link.elector, caches: link.caches, writes: link.writes),
                namespaces: namespaces, audit: parts.audit, logger: parts.logger, acted: objects.record),
            api: link.api, fence: link.elector, writes: link.writes, events: link.events, clock: parts.clock,
            logger: parts.logger)
        let leading = LeaderWork(fence: link.elector) { [logger = parts.logger] in
            logger.critical("work did not end within 5 s of the loss of the Lease: ending the process")
            Glibc.exit(1)
        }
        controllers =
            ResourceKind.own.compactMap { kind in
                queues[kind].map { queue in
                    Controller(
                        name: kind.plural, queue: queue, logger: parts.logger, metricsFactory: metrics
                    ) { key in await leading.run { await reconciler.reconcile(key) } }
                }
            } + [
                Controller(
                    name: "revocations", queue: revocations, workers: 1, logger: parts.logger, metricsFactory: metrics
                ) { key in
                    let result = await reconciler.revoke(key)
                    if result == .done { queues[key.kind]?.add(key) }
                    return result
                }
            ]
        resync = ResyncTimer(interval: parts.settings.reconcileInterval, random: parts.random) { [link] in
            // Without the API server nothing new is known: the age of the snapshot shows that.
            if link.streams.allSatisfy({ $0.state().isSynced }) { compiler.lookAgain() }
            // Lists and bursts of changes leave much behind that the allocator would keep.
            FreedMemory.release()
        }
        let catalog = ClusterCatalog(caches: link.caches, snapshots: parts.snapshots)
        self.catalog = catalog
        own = SelfSide(parts, link: link, leading: leading, metrics: metrics)
        leader = own.leader
        cluster = ClusterOperations(
            manager: own.manager, elector: link.elector, catalog: catalog, trail: parts.audit, clock: parts.clock
        ) { compiler.lookAgain() }
        metrics.onScrape { [caches = link.caches] in
            for kind in ResourceKind.allCases {
                Gauge(label: "tollgate_cache_objects", dimensions: [("kind", kind.rawValue)], factory: metrics)
                    .record(Int64(caches.count(kind)))
            }
        }
    }

    var services: [any Service] {
        [StoppableService(name: "events", work: link.events.run, stop: link.events.stop)]
            + link.streams.map { stream in ClosureService(name: stream.name, work: stream.run) } + [
                ClosureService(name: "compiler") { [compiler] in await compiler.run() },
                ClosureService(name: "resync") { [resync] in await resync.run() },
            ]
            + controllers.map { controller in
                StoppableService(name: controller.name, work: controller.run, stop: controller.stop)
            } + own.services
    }

    var isLive: Bool { !link.elector.isStuck }

    func checks() -> [ReadinessCheck] {
        let isFilled = link.caches.isFilled
        let bad = link.streams.compactMap { stream -> String? in
            guard case .degraded(let reason, _) = stream.state() else { return nil }
            return "\(stream.name): \(reason)"
        }
        let detail = bad.joined(separator: "; ")
        return [
            ReadinessCheck(
                name: "caches", status: isFilled ? (bad.isEmpty ? .ok : .degraded) : .failed,
                detail: isFilled ? detail : detail.isEmpty ? "the first lists are not complete" : detail),
            ReadinessCheck(
                name: "leader", status: .ok,
                detail: link.elector.isLeading
                    ? "this replica" : link.elector.observed?.identity ?? "none is known"),
        ]
    }

    func start() async {}

    func hold() async {
        // Who begins to lead has written nothing yet: everything is looked at.
        await link.elector.run { [compiler, own, accounts, leading = link.leading] in
            own.manager.beginLeading()
            // Another leader may have handed the ledger something else.
            accounts?.forget()
            leading.call()
            compiler.lookAgain()
        }
        await link.api.shutdown()
    }

    func release() { link.elector.stop() }
}

/// Events about what was done to tokens.
struct ClusterEvents: Sendable {
    let link: ClusterLink

    @Sendable func record(_ key: ObjectKey, _ act: ServiceTokenReconciler.Act) {
        guard let object = link.caches.get(key) else { return }
        link.events.record(
            on: InvolvedObject(
                resource: .of(key.kind), namespace: key.namespace, name: key.name, uid: object.uid,
                resourceVersion: object.resourceVersion),
            type: act == .restored ? .warning : .normal, reason: act.rawValue, action: "Reconcile",
            note: Self.note(act))
    }

    private static func note(_ act: ServiceTokenReconciler.Act) -> String {
        switch act {
        case .minted: "a token was made and written to its Secret"
        case .rotated: "a new token was made; the one before it is good for the overlap"
        case .restored: "the Secret did not hold the token any more: a new one was made"
        case .revoked: "the token is refused from now on"
        }
    }
}
