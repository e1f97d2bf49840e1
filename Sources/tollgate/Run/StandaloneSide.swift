// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Authentication
internal import ControllerRuntime
internal import Essentials
internal import HTTPService
internal import ManifestFiles
internal import Metrics
internal import Reconcilers
internal import ResourceModel
internal import RuntimeState
internal import ServiceLifecycle

/// The control side on directories of manifests.
struct StandaloneSide: ControlSide {
    private let directory: ManifestDirectory
    private let controller: StandaloneController
    private let accounts: Controller<ObjectKey>?
    let catalog: any ResourceCatalog

    init(_ parts: ControlParts, directory: ManifestDirectory, kept: StatusKeeper.Kept, metrics: any MetricsFactory)
        async throws
    {
        let settings = parts.settings
        let namespaces = settings.namespaceRules(own: TollgateSettings.standaloneNamespace)
        self.directory = directory
        let queue = WorkQueue<ObjectKey>(name: "accounts", metricsFactory: metrics)
        accounts = parts.accounts.map { accounts in
            Controller(name: "accounts", queue: queue, logger: parts.logger, metricsFactory: metrics) { key in
                await accounts.reconcile(key)
            }
        }
        controller = StandaloneController(
            directory: directory, compiler: SnapshotCompiler(settings: try parts.compiler(namespaces)),
            policy: parts.policy.keeper.state.policy,
            tokens: ServiceTokenReconciler(
                registry: parts.registry, texts: TokenSecretFiles(folder: "\(settings.dataDirectory)/secrets"),
                namespaces: namespaces, audit: parts.audit, logger: parts.logger),
            subscriptions: SubscriptionCompiler(
                plans: parts.plans, namespaces: namespaces, accounts: parts.accounts),
            tools: ToolManifestCompiler(
                settings: settings.toolManifests(own: TollgateSettings.standaloneNamespace),
                executables: ToolExecutables(directory: settings.tools.directory)),
            snapshots: parts.snapshots, keySets: parts.keySets,
            keeper: StatusKeeper(store: parts.store, directory: directory), policyData: parts.policy.follower,
            interval: settings.reconcileInterval, clock: parts.clock, metrics: metrics, logger: parts.logger
        ) { keys in
            for key in keys { queue.add(key) }
        }
        catalog = parts.snapshots
        await controller.start(statuses: kept.statuses)
    }

    var services: [any Service] {
        [
            ClosureService(name: "manifest files") { [directory] in try await directory.run() },
            ClosureService(name: "controller") { [controller] in await controller.run() },
        ] as [any Service]
            + (accounts.map { [StoppableService(name: $0.name, work: $0.run, stop: $0.stop)] } ?? [])
    }

    var isLive: Bool { true }

    func checks() -> [ReadinessCheck] { [] }

    func start() async { await controller.reconcile() }

    func hold() async {}

    func release() {}
}
