// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Authorization
internal import Billing
internal import Essentials
internal import Logging
internal import ManifestFiles
internal import Metrics
internal import Reconcilers
internal import ResourceModel
internal import RuntimeState
internal import Synchronization
internal import TestSupport
internal import ToolTrust

/// Keeps statuses in memory, and can be taken away.
final class FakeStatusKeeper: ObjectStatusKeeping {
    struct Away: Error {}

    private let state = Mutex((kept: [ObjectKey: JSONValue](), saves: 0, isAway: false))

    var kept: [ObjectKey: JSONValue] { state.withLock { $0.kept } }
    var saves: Int { state.withLock { $0.saves } }

    func goAway(_ isAway: Bool) { state.withLock { $0.isAway = isAway } }

    func save(_ changes: [ObjectKey: JSONValue?]) async throws {
        try state.withLock { state in
            if state.isAway { throw Away() }
            state.saves += 1
            for (key, value) in changes { state.kept[key] = value }
        }
    }
}

/// A network with one key set, which can be down.
struct FakeNetwork: KeySetFetching {
    let document: Result<FetchedDocument, KeySetFetchError>

    func fetch(_ source: RemoteKeySource, timeout: Duration) async throws(KeySetFetchError) -> FetchedDocument {
        try document.get()
    }
}

/// A controller over a folder of manifests, which can be started again over what it kept.
struct ControllerWorld {
    static let policy = Result { try CompiledPolicy.builtIn(routesDocument: YAMLText.json(BuiltInPolicy.routesYAML)) }

    let folder: TemporaryDirectory
    let clock = ManualClock()
    let random = SeededRandom(seed: 7)
    let keeper = FakeStatusKeeper()
    let audit = FakeAuditRecorder()
    let registry: ServiceTokenRegistry
    let network: FakeNetwork
    var snapshots: SnapshotStore
    var directory: ManifestDirectory
    var keySets: RemoteKeySets
    var controller: StandaloneController
    /// Nil unless the manifests have a say in policy data.
    let policyKeeper: PolicyKeeper?
    /// Where the ledger is handed what Subscriptions ask for; nil = there is no ledger.
    private let accounts: SubscriptionAccounts?
    /// Whose accounts the controller has named.
    let named = Named()

    /// Objects that a controller has named.
    final class Named: Sendable {
        private let keys = Mutex<[ObjectKey]>([])

        func note(_ new: [ObjectKey]) { keys.withLock { $0 += new } }

        func take() -> [ObjectKey] {
            keys.withLock { keys in
                defer { keys = [] }
                return keys
            }
        }
    }

    /// - Parameters:
    ///   - withPolicyData: whether the ConfigMap default/tollgate-policy holds policy data.
    ///   - before: sources that go before it.
    init(
        network: FakeNetwork = FakeNetwork(document: .failure(KeySetFetchError(.unreachable, "the network is down"))),
        withPolicyData: Bool = false, before sources: [any PolicySource] = [], accounts: SubscriptionAccounts? = nil
    ) async throws {
        self.accounts = accounts
        folder = try TemporaryDirectory()
        self.network = network
        _ = try folder.makeFolder("manifests")
        registry = ServiceTokenRegistry(
            table: ServiceTokenTable(heardAt: clock.now()), store: InMemoryTokenStore(), clock: clock, random: random,
            logger: Self.logger)
        let snapshots = SnapshotStore(metricsFactory: NOOPMetricsHandler.instance)
        let source = ManifestPolicySource(namespace: "default", name: "tollgate-policy")
        policyKeeper =
            withPolicyData
            ? try PolicyKeeper(
                sources: sources + [source], settings: PolicySettings(), readYAML: PolicyYAML.document,
                snapshots: snapshots, clock: clock, logger: Self.logger, metricsFactory: NOOPMetricsHandler.instance)
            : nil
        (self.snapshots, directory, keySets, controller) = try Self.parts(
            folder, clock, random, keeper, audit, registry, network, snapshots: snapshots,
            policyData: policyKeeper.map { ManifestPolicyFollower(source: source, keeper: $0) }, accounts: accounts,
            named: named)
        await controller.start(statuses: [:])
    }

    private static let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    /// Ends the process and begins another one over the same files, statuses and tokens.
    mutating func restart() async throws {
        let memory = directory.memory()
        (snapshots, directory, keySets, controller) = try Self.parts(
            folder, clock, random, keeper, audit, registry, network, memory: memory, accounts: accounts,
            named: named)
        await controller.start(statuses: keeper.kept)
    }

    private static func parts(
        _ folder: TemporaryDirectory, _ clock: ManualClock, _ random: SeededRandom, _ keeper: FakeStatusKeeper,
        _ audit: FakeAuditRecorder, _ registry: ServiceTokenRegistry, _ network: FakeNetwork,
        snapshots: SnapshotStore = SnapshotStore(metricsFactory: NOOPMetricsHandler.instance),
        policyData: ManifestPolicyFollower? = nil, memory: [ObjectKey: ObjectMemory] = [:],
        accounts: SubscriptionAccounts?, named: Named
    ) throws -> (SnapshotStore, ManifestDirectory, RemoteKeySets, StandaloneController) {
        let metrics = NOOPMetricsHandler.instance
        let directory = ManifestDirectory(paths: [folder.path("manifests")], clock: clock, memory: memory)
        let keySets = RemoteKeySets(
            fetcher: network, clock: clock, random: random, logger: logger, metricsFactory: metrics)
        let controller = StandaloneController(
            directory: directory, compiler: try Manifests.compiler(), policy: try policy.get(),
            tokens: ServiceTokenReconciler(
                registry: registry, texts: TokenSecretFiles(folder: folder.path("secrets")),
                namespaces: NamespaceRules(platform: ["default"], tenants: ["acme": "acme-corp"]), audit: audit,
                logger: logger),
            subscriptions: try Manifests.subscriptions(accounts),
            tools: ToolManifestCompiler(
                settings: .init(
                    keys: [], rules: ToolRules(), ownNamespace: "default",
                    namespaces: NamespaceRules(platform: ["default"], tenants: ["acme": "acme-corp"])),
                executables: ToolExecutables(directory: folder.path("tools"))),
            snapshots: snapshots, keySets: keySets, keeper: keeper,
            policyData: policyData,
            interval: .seconds(3600), clock: clock, metrics: metrics, logger: logger, lookAt: { named.note($0) })
        return (snapshots, directory, keySets, controller)
    }

    /// Writes a manifest file.
    func write(_ text: String, to name: String) throws { try folder.write(text, to: "manifests/\(name)") }

    func authConfig(_ name: String, _ spec: String) -> String {
        "apiVersion: tollgate.dev/v1alpha1\nkind: AuthConfig\nmetadata: {name: \(name)}\nspec: \(spec)\n"
    }

    func serviceToken(_ name: String, _ spec: String) -> String {
        "apiVersion: tollgate.dev/v1alpha1\nkind: ServiceToken\nmetadata: {name: \(name)}\nspec: \(spec)\n"
    }

    var generation: UInt64 { snapshots.current()?.generation ?? 0 }

    /// `namespace/name` that covers a host, with `!` when it is closed; `-` for nobody.
    func holder(_ host: String) -> String {
        guard let snapshot = snapshots.current(), let match = snapshot.hosts.match(host) else { return "-" }
        return snapshot.authConfigs[match.index].key + (match.broken ? "!" : "")
    }

    /// A condition of an object as `GET /v1/resources` shows it.
    func condition(_ type: String, of name: String) -> JSONValue? {
        status(of: name)?["conditions"]?.arrayValue?.first { $0["type"] == .string(type) }
    }

    /// `True Reason`; `-` where the condition is not there.
    func shown(_ type: String, of name: String) -> String {
        guard let condition = condition(type, of: name) else { return "-" }
        return "\(condition["status"]?.stringValue ?? "") \(condition["reason"]?.stringValue ?? "")"
    }

    func status(of name: String) -> JSONValue? { view(name)?["status"] }

    func view(_ name: String) -> JSONObject? {
        snapshots.resources(kind: nil, namespace: nil).items.first { $0.name == name }?.json
    }
}
