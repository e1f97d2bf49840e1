// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Healing
internal import KubernetesClient
internal import Logging
internal import Metrics
internal import ResourceModel
internal import SelfManagement
internal import TestSupport
internal import Testing

/// The executor over the real client and a server that keeps what it is given.
@Suite(.timeLimit(.minutes(10))) struct ClusterExecutorTests {
    private static func with(_ body: (FakeAPIServer, ClusterExecutor, HTTPKubernetesAPI) async throws -> Void)
        async throws
    {
        try await FakeAPIServer.with(namespaces: ["crm"]) { server in
            let api = try HTTPKubernetesAPI(
                ClusterConnection(server: server.url), userAgent: "tollgate/test", clock: SystemWallClock(),
                random: SeededRandom(seed: 7), metrics: NOOPMetricsHandler.instance,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            do {
                try await body(
                    server,
                    ClusterExecutor(
                        api: api,
                        own: SelfInfo(namespace: "crm", podName: "tollgate-7f-x", deployment: "tollgate")), api)
                await api.shutdown()
            } catch {
                await api.shutdown()
                throw error
            }
        }
    }

    private static func plan(_ action: HealingAction, _ target: String) -> PlannedAction {
        PlannedAction(
            id: "1", alertName: "A", fingerprint: "f", rule: "r", action: action,
            target: HealingTarget(text: target), startedAt: Timestamp(seconds: 1_772_366_400),
            verifyWithin: 60, channels: [], requestID: nil)
    }

    private static func deployment(_ status: JSONValue = [:]) -> JSONValue {
        [
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": ["name": "api", "namespace": "crm"],
            "spec": ["replicas": 2, "template": ["metadata": ["labels": ["a": "b"]]]], "status": status,
        ]
    }

    private static func pod(_ name: String, ready: Bool, owner: String? = "set-1") -> JSONValue {
        var metadata: JSONObject = ["name": .string(name), "namespace": "crm"]
        if let owner {
            metadata["ownerReferences"] = [
                [
                    "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "set", "uid": .string(owner),
                    "controller": true,
                ]
            ]
        }
        return [
            "apiVersion": "v1", "kind": "Pod", "metadata": .object(metadata),
            "status": ["conditions": [["type": "Ready", "status": ready ? "True" : "False"]]],
        ]
    }

    @Test func restartsAndWaitsForTheRollout() async throws {
        try await Self.with { server, executor, _ in
            try server.add(Self.deployment())
            let plan = Self.plan(.rolloutRestart, "deployment/crm/api")
            let baseline = try await executor.prepare(plan)
            #expect(try await executor.recover(plan, baseline: baseline) == nil, "nothing was sent yet")
            let applied = try await executor.apply(plan, baseline: baseline)
            #expect(applied["generation"] == 2)
            let reference = APIObjectReference(.deployments, namespace: "crm", name: "api")
            let template = server.object(reference)?["spec"]?["template"]?["metadata"]
            #expect(template?["annotations"]?["tollgate.dev/restartedAt"] == "2026-03-01T12:00:00Z")
            #expect(template?["labels"] == ["a": "b"])
            #expect(try await executor.check(plan, baseline: applied) == nil)
            #expect(try await executor.recover(plan, baseline: baseline)?["generation"] == 2)
            try server.change(
                reference, subresource: "status",
                merging: [
                    "status": [
                        "observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2,
                        "readyReplicas": 2,
                    ]
                ])
            #expect(try await executor.check(plan, baseline: applied)?["ready_replicas"] == 2)
        }
    }

    @Test func scalesWithinItsBounds() async throws {
        try await Self.with { server, executor, _ in
            try server.add(Self.deployment())
            let plan = Self.plan(.scale(.by(5, minimum: 1, maximum: 4)), "deployment/crm/api")
            let baseline = try await executor.prepare(plan)
            #expect(baseline["before"] == ["replicas": 2] && baseline["wanted"] == 4)
            _ = try await executor.apply(plan, baseline: baseline)
            let reference = APIObjectReference(.deployments, namespace: "crm", name: "api")
            #expect(server.object(reference)?["spec"]?["replicas"] == 4)
            #expect(try await executor.check(plan, baseline: baseline) == nil)
            #expect(try await executor.recover(plan, baseline: baseline) != nil)
            _ = try await executor.apply(plan, baseline: baseline)
            #expect(server.object(reference)?["spec"]?["replicas"] == 4, "a repeat finds that it is done")
            try server.change(reference, merging: ["spec": ["replicas": 1]])
            await #expect(throws: ActionFault("refused: somebody else asked for 1 replicas meanwhile")) {
                _ = try await executor.apply(plan, baseline: baseline)
            }
        }
    }

    /// An alert fires because pods come and go: the status changes between the look and the write.
    @Test(arguments: [HealingAction.Scale.to(4), .by(2, minimum: 1, maximum: 9)])
    func scalesWhateverTheStatusDoes(_ scale: HealingAction.Scale) async throws {
        try await Self.with { server, executor, _ in
            try server.add(Self.deployment())
            let plan = Self.plan(.scale(scale), "deployment/crm/api")
            let baseline = try await executor.prepare(plan)
            let reference = APIObjectReference(.deployments, namespace: "crm", name: "api")
            try server.change(reference, subresource: "status", merging: ["status": ["readyReplicas": 1]])
            _ = try await executor.apply(plan, baseline: baseline)
            #expect(server.object(reference)?["spec"]?["replicas"] == 4)
        }
    }

    /// What a rule may do to others it may not do to Tollgate: that has guards of its own.
    @Test func leavesTollgateItselfAlone() async throws {
        try await Self.with { server, executor, _ in
            for action in [HealingAction.scale(.to(0)), .rolloutRestart] {
                await #expect(throws: ActionFault("refused: this is Tollgate's own Deployment: use /v1/k8s")) {
                    _ = try await executor.prepare(Self.plan(action, "deployment/crm/tollgate"))
                }
            }
            try server.add(Self.ownPod("tollgate-7f-y", set: "tollgate-7f", hash: "7f"))
            for name in ["tollgate-7f-x", "tollgate-7f-y"] {
                await #expect(
                    throws: ActionFault("refused: this is a pod of Tollgate's own Deployment: use /v1/k8s")
                ) { _ = try await executor.prepare(Self.plan(.deletePod, "pod/crm/\(name)")) }
            }
            // Another Deployment, whose name begins alike.
            try server.add(Self.ownPod("tollgate-web-7f-x", set: "tollgate-web-7f", hash: "7f"))
            _ = try await executor.prepare(Self.plan(.deletePod, "pod/crm/tollgate-web-7f-x"))
        }
    }

    private static func ownPod(_ name: String, set: String, hash: String) -> JSONValue {
        [
            "apiVersion": "v1", "kind": "Pod",
            "metadata": [
                "name": .string(name), "namespace": "crm", "labels": ["pod-template-hash": .string(hash)],
                "ownerReferences": [
                    [
                        "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": .string(set), "uid": "u",
                        "controller": true,
                    ]
                ],
            ],
        ]
    }

    /// Two alerts that restart one workload: the later mark went over the earlier one.
    @Test func recoversARestartThatAnotherWentOver() async throws {
        try await Self.with { server, executor, _ in
            try server.add(Self.deployment())
            let first = Self.plan(.rolloutRestart, "deployment/crm/api")
            let baseline = try await executor.prepare(first)
            var second = first
            second.startedAt = first.startedAt.adding(seconds: 4)
            _ = try await executor.apply(second, baseline: baseline)
            #expect(try await executor.recover(first, baseline: baseline) != nil)
            var third = first
            third.startedAt = first.startedAt.adding(seconds: 5)
            #expect(try await executor.recover(third, baseline: baseline) == nil)
        }
    }

    @Test func leavesAutoscaledWorkloadsAlone() async throws {
        try await Self.with { server, executor, _ in
            try server.add(Self.deployment())
            try server.add([
                "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
                "metadata": ["name": "h", "namespace": "crm"],
                "spec": ["scaleTargetRef": ["apiVersion": "apps/v1", "kind": "Deployment", "name": "api"]],
            ])
            let plan = Self.plan(.scale(.to(5)), "deployment/crm/api")
            await #expect(
                throws: ActionFault("refused: HorizontalPodAutoscaler h decides on the replicas of deployment/crm/api")
            ) { _ = try await executor.prepare(plan) }
        }
    }

    @Test func evictsAndWaitsForTheReplacement() async throws {
        try await Self.with { server, executor, _ in
            for name in ["p-0", "p-1"] { try server.add(Self.pod(name, ready: true)) }
            try server.add(Self.pod("other", ready: true, owner: "set-2"))
            let plan = Self.plan(.deletePod, "pod/crm/p-0")
            let baseline = try await executor.prepare(plan)
            #expect(baseline["ready"] == 2)
            #expect(try await executor.recover(plan, baseline: baseline) == nil)
            _ = try await executor.apply(plan, baseline: baseline)
            #expect(server.object(APIObjectReference(.pods, namespace: "crm", name: "p-0")) == nil)
            #expect(try await executor.recover(plan, baseline: baseline) != nil)
            #expect(try await executor.check(plan, baseline: baseline) == nil, "one is missing")
            try server.add(Self.pod("p-0", ready: true))
            #expect(try await executor.check(plan, baseline: baseline) == ["ready": 2])
        }
    }

    @Test func respectsDisruptionBudgets() async throws {
        try await Self.with { server, executor, _ in
            try server.add(Self.pod("p-0", ready: true))
            server.setDisruptionBudget("budget")
            let plan = Self.plan(.deletePod, "pod/crm/p-0")
            let baseline = try await executor.prepare(plan)
            await #expect {
                _ = try await executor.apply(plan, baseline: baseline)
            } throws: { "\($0)".hasPrefix("the eviction was refused: ") }
        }
    }

    @Test func cordonsANode() async throws {
        try await Self.with { server, executor, _ in
            try server.add(["apiVersion": "v1", "kind": "Node", "metadata": ["name": "n1"]])
            let plan = Self.plan(.cordon, "node/n1")
            let baseline = try await executor.prepare(plan)
            #expect(try await executor.check(plan, baseline: baseline) == nil)
            _ = try await executor.apply(plan, baseline: baseline)
            #expect(try await executor.check(plan, baseline: baseline) == ["unschedulable": true])
        }
    }

    @Test func tellsWhatTheServerSaid() async throws {
        try await Self.with { _, executor, _ in
            let plan = Self.plan(.deletePod, "pod/crm/nobody")
            await #expect {
                _ = try await executor.prepare(plan)
            } throws: { "\($0)".hasPrefix("the API server: notFound: ") }
        }
    }

    @Test func keepsBooksInAConfigMap() async throws {
        try await Self.with { server, _, api in
            let books = ConfigMapBooks(api: api, namespace: "crm", name: "tollgate-healing-state")
            #expect(try await books.load().isEmpty)
            let line = BookRecord(key: "a.1", at: Timestamp(microseconds: 1_772_366_400_000_001), value: ["x": "ü"])
            let other = BookRecord(key: "halt", at: Timestamp(seconds: 5), value: ["reason": "r"])
            try await books.write([.put(line), .remove(key: "nothing")])
            try await books.write([.put(other)])
            #expect(Set(try await books.load()) == [line, other])
            try await books.write([.remove(key: "a.1")])
            #expect(try await books.load() == [other])
            let reference = APIObjectReference(.configMaps, namespace: "crm", name: "tollgate-healing-state")
            try server.change(reference, merging: ["data": ["halt": "no line", "a.2": "{}"]])
            #expect(try await books.load().isEmpty)
        }
    }
}
