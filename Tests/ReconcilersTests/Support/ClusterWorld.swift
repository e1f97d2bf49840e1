// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Authorization
internal import Billing
internal import Essentials
internal import Logging
internal import ManifestFiles
internal import Metrics
internal import ResourceModel
internal import RuntimeState
internal import Synchronization
internal import TestSupport
internal import ToolTrust

@testable internal import ControllerRuntime
@testable internal import Reconcilers

/// The caches of a cluster, filled by tests, and a compiler over them.
final class ClusterWorld {
    static let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    let clock = ManualClock()
    let objects: [ResourceKind: ObjectCache<ClusterObject>]
    let namespaces = ObjectCache<String>()
    let caches: ClusterCaches
    let snapshots = SnapshotStore(metricsFactory: NOOPMetricsHandler.instance)
    let compiler: ClusterCompiler
    private var documents: [ObjectKey: JSONObject] = [:]
    private var version = 100

    /// - Parameter accounts: where the ledger is handed what Subscriptions ask for; nil = there is no ledger.
    init(accounts: SubscriptionAccounts? = nil) throws {
        objects = Dictionary(uniqueKeysWithValues: ResourceKind.allCases.map { ($0, ObjectCache<ClusterObject>()) })
        caches = ClusterCaches(objects: objects.mapValues { [$0] }, namespaces: namespaces)
        let stale = Stale()
        compiler = try Self.compiler(over: caches, snapshots: snapshots, clock: clock, accounts: accounts) {
            stale.note($0)
        }
        said = stale
    }

    /// Which objects the compiler has named since.
    final class Stale: Sendable {
        private let keys = Mutex<[ObjectKey]>([])

        func note(_ new: [ObjectKey]) { keys.withLock { $0 += new } }

        func take() -> [ObjectKey] {
            keys.withLock { keys in
                defer { keys = [] }
                return keys
            }
        }
    }

    let said: Stale

    /// A compiler with the settings of most tests.
    static func compiler(
        over caches: ClusterCaches, snapshots: SnapshotStore, clock: ManualClock, accounts: SubscriptionAccounts? = nil,
        compiled: @escaping @Sendable ([ObjectKey]) -> Void = { _ in }
    ) throws -> ClusterCompiler {
        let metrics = NOOPMetricsHandler.instance
        let source = ManifestPolicySource(namespace: "default", name: "tollgate-policy")
        let settings = try Manifests.settings(needsLabel: true)
        return ClusterCompiler(
            ClusterCompiler.Parts(
                caches: caches, compiler: settings,
                tools: ToolManifestCompiler(
                    settings: .init(
                        keys: [], rules: ToolRules(), ownNamespace: "default", needsLabel: true,
                        namespaces: settings.namespaces), executables: ToolExecutables(directory: "/nowhere")),
                plans: try Manifests.subscriptions().plans, policy: try ControllerWorld.policy.get(),
                policySource: source,
                policyKeeper: try PolicyKeeper(
                    sources: [source], settings: PolicySettings(), readYAML: PolicyYAML.document, snapshots: snapshots,
                    clock: clock, logger: logger, metricsFactory: metrics),
                snapshots: snapshots,
                keySets: RemoteKeySets(
                    fetcher: FakeNetwork(document: .failure(KeySetFetchError(.unreachable, "the network is down"))),
                    clock: clock, random: SeededRandom(seed: 3), logger: logger, metricsFactory: metrics),
                accounts: accounts),
            wall: clock, clock: SystemMonotonicClock(), logger: logger, metrics: metrics
        ) { keys, _ in compiled(keys) }
    }

    /// Tells every cache that its first list was empty.
    func fill() {
        for cache in objects.values { cache.commitReplacement() }
        namespaces.commitReplacement()
    }

    /// Writes an object as an API server would hand it out, with a new resourceVersion and generation.
    ///
    /// - Parameters:
    ///   - content: the members beside metadata and status.
    ///   - controller: the object that controls it.
    func put(
        _ key: ObjectKey, created: Int64 = 0, content: JSONObject, deleting: Bool = false, finalizers: [String] = [],
        labels: JSONObject = [:], controller: ObjectKey? = nil
    ) {
        let before = caches.get(key)
        var labels = labels
        labels["tollgate.dev/managed"] = "true"
        var metadata: JSONObject = [
            "name": .string(key.name), "namespace": .string(key.namespace),
            "uid": .string(before?.uid ?? "uid-\(version)"), "generation": .int((before?.generation ?? 0) + 1),
            "creationTimestamp": .string(Manifests.start.adding(seconds: created).rfc3339),
            "labels": .object(labels), "finalizers": .strings(finalizers),
        ]
        if let controller, let uid = caches.get(controller)?.uid {
            metadata["ownerReferences"] = [["uid": .string(uid), "controller": true]]
        }
        if deleting { metadata["deletionTimestamp"] = .string(Manifests.start.rfc3339) }
        var document = content
        document["status"] = before?.status
        store(document, metadata: metadata, key: key)
    }

    /// Writes a status, as the leader does.
    func put(status: JSONValue, of key: ObjectKey) {
        guard var document = documents[key], let metadata = document["metadata"]?.objectValue else { return }
        document["status"] = status
        store(document, metadata: metadata, key: key)
    }

    func remove(_ key: ObjectKey) {
        guard let before = caches.get(key) else { return }
        documents[key] = nil
        objects[key.kind]?.remove(cached(before))
    }

    private func store(_ content: JSONObject, metadata: JSONObject, key: ObjectKey) {
        version += 1
        var (document, metadata) = (content, metadata)
        metadata["resourceVersion"] = .string("\(version)")
        document["metadata"] = .object(metadata)
        documents[key] = document
        guard let object = ClusterObject(.object(document), kind: key.kind) else { return }
        objects[key.kind]?.put(cached(object))
    }

    private func cached(_ object: ClusterObject) -> CachedObject<ClusterObject> {
        CachedObject(
            name: ObjectName(namespace: object.key.namespace, name: object.key.name), uid: object.uid,
            resourceVersion: object.resourceVersion, value: object)
    }

    /// Says which tenant a namespace is labelled with; nil = none.
    func label(_ namespace: String, tenant: String?) {
        version += 1
        let name = ObjectName(namespace: "", name: namespace)
        let object = CachedObject(
            name: name, uid: namespace, resourceVersion: "\(version)", value: tenant ?? "")
        if tenant == nil { namespaces.remove(object) } else { namespaces.put(object) }
    }
}
