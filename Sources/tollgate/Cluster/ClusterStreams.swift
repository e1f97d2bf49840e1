// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ControllerRuntime
internal import Essentials
internal import HTTPService
internal import Logging
internal import Reconcilers
internal import ResourceModel

/// One watched stream of objects, whatever it decodes to.
struct ClusterStream: Sendable {
    /// `authconfigs of acme`, for people.
    var name: String
    var run: @Sendable () async -> Void
    var state: @Sendable () -> StreamState
}

/// Everything that is watched: the six kinds in every watched namespace, and Namespaces where there is more than the own one.
struct ClusterStreams {
    private(set) var all: [ClusterStream] = []
    let caches: ClusterCaches

    init(
        api: any KubernetesAPI, watched: [String?], ownNamespace: String, selector: String?,
        policyConfigMap: PolicyConfigMapName, clock: any WallClock, random: any RandomSource, logger: Logger,
        metrics: PrometheusRegistry
    ) {
        var streams: [ClusterStream] = []
        var caches: [ResourceKind: [ObjectCache<ClusterObject>]] = [:]
        let compactor = DocumentCompactor()
        let gate = ListGate(permits: 4)
        func add<Value: Sendable>(
            _ selection: ObjectSelection, into cache: ObjectCache<Value>,
            decode: @escaping @Sendable (JSONValue) -> Value?
        ) {
            let stream = ResourceStream(
                selection: selection, decode: decode, cache: cache, gate: gate, api: api, clock: clock, random: random,
                logger: logger, metricsFactory: metrics)
            streams.append(
                ClusterStream(
                    name: selection.namespace.map { "\(selection.resource.plural) of \($0)" }
                        ?? selection.resource.plural, run: { await stream.run() }, state: { stream.state }))
        }
        for kind in ResourceKind.allCases {
            let labels = kind.isOwn ? selector : Self.managed
            let everywhere = watched.map {
                ObjectSelection(.of(kind), namespace: $0, labelSelector: labels)
            }
            let unwatched = Self.unwatched(
                kind, watched: watched, ownNamespace: ownNamespace, policyConfigMap: policyConfigMap)
            for selection in everywhere + unwatched {
                let cache = ObjectCache<ClusterObject>(namespace: selection.namespace)
                caches[kind, default: []].append(cache)
                // What Secrets hold is nobody's but theirs, and alike in none.
                add(selection, into: cache) { document in
                    ClusterObject(
                        document, kind: kind, before: cache.get(ObjectName(of: document))?.value,
                        compact: kind == .secret ? { $0 } : compactor.compact)
                }
            }
        }
        var namespaces: ObjectCache<String>?
        if watched != [ownNamespace] {
            let cache = ObjectCache<String>()
            namespaces = cache
            add(
                ObjectSelection(.namespaces, labelSelector: "tollgate.dev/tenant", metadataOnly: true), into: cache
            ) { $0["metadata"]?["labels"]?["tollgate.dev/tenant"]?.stringValue }
        }
        all = streams
        self.caches = ClusterCaches(objects: caches, namespaces: namespaces)
    }

    private static let managed = "tollgate.dev/managed=true"

    /// The policy data and the keys of tools, which are read where objects are not watched too: of such a namespace, nothing but them.
    private static func unwatched(
        _ kind: ResourceKind, watched: [String?], ownNamespace: String, policyConfigMap: PolicyConfigMapName
    ) -> [ObjectSelection] {
        func isWatched(_ namespace: String) -> Bool { watched.contains(nil) || watched.contains(namespace) }
        switch kind {
        case .configMap:
            let namespace = policyConfigMap.namespace ?? ownNamespace
            guard !isWatched(namespace) else { return [] }
            return [
                ObjectSelection(
                    .configMaps, namespace: namespace, labelSelector: managed,
                    fieldSelector: "metadata.name=\(policyConfigMap.name)")
            ]
        case .secret:
            guard !isWatched(ownNamespace) else { return [] }
            return [
                ObjectSelection(
                    .secrets, namespace: ownNamespace, labelSelector: "\(managed),tollgate.dev/tool-keys=true")
            ]
        default: return []
        }
    }
}
