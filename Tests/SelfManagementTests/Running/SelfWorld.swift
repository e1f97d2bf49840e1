// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import ControllerRuntime
internal import Essentials
internal import Healing
internal import KubernetesClient
internal import Logging
internal import Metrics
internal import ResourceModel
internal import SelfManagement
internal import Synchronization
internal import TestSupport
internal import Testing

/// The Lease as a test wants it.
final class FakeFence: LeadershipFence {
    private let state: Mutex<Bool>

    init(_ isLeading: Bool = true) { state = Mutex(isLeading) }

    var isLeading: Bool { state.withLock { $0 } }

    func become(_ isLeading: Bool) { state.withLock { $0 = isLeading } }
}

/// Self-management over a faulty API server, with a clock that a test moves.
struct SelfWorld: Sendable {
    static let now = Timestamp(seconds: 1_770_000_000)

    let server: FakeAPIServer
    let fence = FakeFence()
    let audit = FakeAuditRecorder()
    let clock: ManualClock
    let manager: SelfManager
    let deployment = APIObjectReference(.deployments, namespace: "acme", name: "tollgate")

    /// Runs the body while the own objects are watched.
    ///
    /// - Parameters:
    ///   - pods: how many there are; all of them ready, `p0` is the acting one.
    ///   - outbox: where notices to Slack and the webhook wait; nil where people cannot be told.
    static func with(
        pods: Int = 3, settings: SelfSettings = SelfSettings(bounds: .init(hasSharedStore: true)),
        outbox: FakeHealingStore? = nil,
        readMetrics: @escaping @Sendable (OwnPod) async -> String? = { _ in nil },
        _ body: (SelfWorld) async throws -> Void
    ) async throws {
        let clock = ManualClock(now)
        try await FakeAPIServer.with(clock: clock) { server in
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            let api = try HTTPKubernetesAPI(
                ClusterConnection(server: server.url), userAgent: "tollgate/test (linux/none) all", clock: clock,
                random: SeededRandom(seed: 4), metrics: NOOPMetricsHandler.instance, logger: logger)
            let world = SelfWorld(server, api, clock, settings, outbox, logger, readMetrics)
            try world.install(pods)
            do {
                try await world.running(body)
                await api.shutdown()
            } catch {
                await api.shutdown()
                throw error
            }
        }
    }

    private init(
        _ server: FakeAPIServer, _ api: HTTPKubernetesAPI, _ clock: ManualClock, _ settings: SelfSettings,
        _ outbox: FakeHealingStore?, _ logger: Logger, _ readMetrics: @escaping @Sendable (OwnPod) async -> String?
    ) {
        self.server = server
        self.clock = clock
        let objects = OwnObjects(
            SelfInfo(namespace: "acme", podName: "p0", deployment: "tollgate"), api: api,
            window: settings.rules.restartWindow, clock: clock, random: SeededRandom(seed: 5), logger: logger,
            metrics: NOOPMetricsHandler.instance)
        let notices = outbox.map { outbox in
            NoticeTeller(
                outbox: outbox, configured: [.slack, .webhook], clock: clock, random: SeededRandom(seed: 7),
                metrics: HealingMetrics(factory: NOOPMetricsHandler.instance), logger: logger, arrival: {})
        }
        manager = SelfManager(
            SelfManager.Parts(
                api: api, fence: fence, leading: LeaderWork(fence: fence) {}, settings: settings, objects: objects,
                events: EventRecorder(
                    api: api, instance: "p0", clock: clock, random: SeededRandom(seed: 6), logger: logger
                ) { $0 }, audit: audit, metrics: NOOPMetricsHandler.instance, clock: clock, logger: logger,
                notices: notices, readMetrics: readMetrics))
    }

    private func install(_ count: Int) throws {
        try server.add([
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": ["name": "tollgate", "namespace": "acme"],
            "spec": [
                "replicas": .int(Int64(count)), "selector": ["matchLabels": ["app": "tollgate"]],
                "template": ["metadata": ["labels": ["app": "tollgate"]], "spec": ["containers": [["name": "x"]]]],
            ],
            "status": ["observedGeneration": 99, "updatedReplicas": .int(Int64(count))],
        ])
        for number in 0..<count { try set("p\(number)", ready: true) }
    }

    private func running(_ body: (SelfWorld) async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { [manager] in await manager.watch() }
            let count = server.objects(.pods, namespace: "acme").count
            try await Eventually.holds("the pods to be seen") { manager.objects.pods.count == count }
            try await body(self)
            group.cancelAll()
        }
    }

    /// Makes a pod, or changes how it is: not ready for five minutes unless it is ready.
    func set(_ name: String, ready: Bool, phase: String = "Running") throws {
        let since = Self.now.adding(seconds: -300).rfc3339
        try server.add([
            "apiVersion": "v1", "kind": "Pod",
            "metadata": ["name": .string(name), "namespace": "acme", "labels": ["app": "tollgate"]],
            "spec": ["containers": [["name": "x", "resources": ["requests": ["cpu": "500m"]]]]],
            "status": [
                "phase": .string(phase), "podIP": "127.0.0.1",
                "conditions": [
                    ["type": "Ready", "status": ready ? "True" : "False", "lastTransitionTime": .string(since)]
                ],
            ],
        ])
    }

    /// The same, seen.
    func makeSick(_ name: String, phase: String = "Running") async throws {
        try set(name, ready: false, phase: phase)
        try await Eventually.holds("\(name) to be seen") {
            manager.judged().contains { $0.name == name && $0.verdict.health == .unhealthy }
        }
    }

    /// What the Deployment remembers.
    var memory: String? {
        server.object(deployment)?["metadata"]?["annotations"]?["tollgate.dev/self-management"]?.stringValue
    }

    /// Somebody else writes an annotation of the Deployment, and it is seen.
    func annotate(_ name: String, _ text: String) async throws {
        var object = try #require(server.object(deployment)?.objectValue)
        var metadata = try #require(object["metadata"]?.objectValue)
        var annotations = metadata["annotations"]?.objectValue ?? JSONObject()
        annotations[name] = .string(text)
        metadata["annotations"] = .object(annotations)
        object["metadata"] = .object(metadata)
        let version = try server.add(.object(object))["metadata"]?["resourceVersion"]?.stringValue
        try await Eventually.holds("the annotation to be seen") {
            manager.objects.deployment?.resourceVersion == version
        }
    }

    var replicas: Int64? { server.object(deployment)?["spec"]?["replicas"]?.intValue }

    /// Everything that was written, in order, without Events.
    var writes: [String] {
        server.requests.compactMap { record in
            guard let route = record.route, ![.get, .list, .watch].contains(route.verb) else { return nil }
            return route.right.contains("events") ? nil : route.right
        }
    }

    /// The audit entries: action, phase and outcome.
    var entries: [String] {
        audit.entries.durable.map { draft in
            "\(draft.action) \(draft.metadata["phase"]?.stringValue ?? "") \(draft.outcome.rawValue)"
        }
    }
}
