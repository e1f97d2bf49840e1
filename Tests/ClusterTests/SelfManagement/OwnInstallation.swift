// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import KubernetesClient
internal import ResourceModel
internal import TestSupport

/// A Deployment that stands for the own one in a namespace of its own. Its pods are made by the real controller-manager; they never run, and a
/// test says how they are.
struct OwnInstallation: Sendable {
    let plane: RealCluster.Plane
    let namespace: String

    init(_ plane: RealCluster.Plane, _ name: String) async throws {
        self.plane = plane
        namespace = try await plane.makeNamespace(name)
    }

    /// As a chart would render it.
    func manifest(replicas: Int = 1, image: String = "tollgate:1", recreate: Bool = false) -> String {
        """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: tollgate, namespace: \(namespace), labels: {app.kubernetes.io/name: tollgate}}
        spec:
          replicas: \(replicas)
          strategy: {type: \(recreate ? "Recreate" : "RollingUpdate")}
          selector: {matchLabels: {app.kubernetes.io/name: tollgate}}
          template:
            metadata: {labels: {app.kubernetes.io/name: tollgate}}
            spec:
              containers: [{name: tollgate, image: "\(image)", resources: {requests: {cpu: 100m}}}]
        """
    }

    /// Applies a manifest as another field manager, without force.
    func apply(_ manifest: String, as manager: String = "helm") async throws {
        let path = try plane.write(manifest, to: "\(namespace)-\(UInt32.random(in: 0..<1_000_000)).yaml")
        _ = try await plane.plane.kubectlOutput([
            "apply", "--server-side", "--field-manager=\(manager)", "-f", path,
        ])
    }

    @discardableResult
    func kubectl(_ words: String...) async throws -> String {
        try await plane.plane.kubectlOutput(["-n", namespace] + words)
    }

    var deployment: APIObjectReference { APIObjectReference(.deployments, namespace: namespace, name: "tollgate") }

    func document() async throws -> JSONValue { try await plane.api.get(deployment, subresource: nil) }

    /// The names of the pods that are not on their way out, sorted.
    func pods() async throws -> [String] {
        var names: [String] = []
        _ = try await plane.api.list(ListQuery(ObjectSelection(.pods, namespace: namespace))) { pod in
            guard pod["metadata"]?["deletionTimestamp"] == nil, let name = pod["metadata"]?["name"]?.stringValue else {
                return
            }
            names.append(name)
        }
        return names.sorted()
    }

    /// Waits until there are so many pods.
    func pods(_ count: Int) async throws -> [String] {
        try await Eventually.value("\(count) pods") {
            let names = try await pods()
            return names.count == count ? names : nil
        }
    }

    /// Says how a pod is.
    func set(_ pod: String, _ status: JSONValue) async throws {
        _ = try await plane.api.patch(
            APIObjectReference(.pods, namespace: namespace, name: pod), subresource: "status",
            .merge(["status": status]))
    }

    /// Ready for an hour.
    func setReady(_ pods: [String]) async throws { for pod in pods { try await set(pod, PodStates.ready) } }

    /// A daemon that takes itself for one of the pods.
    func daemon(as pod: String, settings: [String: String] = [:]) throws -> ClusterDaemon {
        try ClusterDaemon(
            pod, kubeconfig: plane.plane.kubeconfig, own: namespace, watched: namespace,
            settings: [
                "TOLLGATE_DEPLOYMENT": "tollgate", "TOLLGATE_RECONCILE_INTERVAL": "1h",
            ].merging(settings) { $1 })
    }
}

/// How pods can be, as the kubelet would say it.
enum PodStates {
    private static func ago(_ seconds: Int64) -> JSONValue {
        .string(SystemWallClock().now().adding(seconds: -seconds).rfc3339)
    }

    static var ready: JSONValue {
        [
            "phase": "Running", "podIP": "127.0.0.1",
            "conditions": [["type": "Ready", "status": "True", "lastTransitionTime": ago(3600)]],
            "containerStatuses": [container(ready: true, state: ["running": ["startedAt": ago(3600)]])],
        ]
    }

    /// Not ready for so many seconds, with a container that waits for a reason.
    static func waiting(_ reason: String, phase: String = "Running", since seconds: Int64) -> JSONValue {
        [
            "phase": .string(phase),
            "conditions": [["type": "Ready", "status": "False", "lastTransitionTime": ago(seconds)]],
            "containerStatuses": [container(ready: false, state: ["waiting": ["reason": .string(reason)]])],
        ]
    }

    static func notReady(since seconds: Int64) -> JSONValue {
        [
            "phase": "Running",
            "conditions": [["type": "Ready", "status": "False", "lastTransitionTime": ago(seconds)]],
            "containerStatuses": [container(ready: false, state: ["running": ["startedAt": ago(seconds)]])],
        ]
    }

    static func unschedulable(since seconds: Int64) -> JSONValue {
        [
            "phase": "Pending",
            "conditions": [
                ["type": "Ready", "status": "False", "lastTransitionTime": ago(seconds)],
                [
                    "type": "PodScheduled", "status": "False", "reason": "Unschedulable",
                    "lastTransitionTime": ago(seconds),
                ],
            ],
        ]
    }

    static func ended(_ phase: String, reason: String? = nil) -> JSONValue {
        var status: JSONObject = ["phase": .string(phase)]
        if let reason { status["reason"] = .string(reason) }
        return .object(status)
    }

    private static func container(ready: Bool, state: JSONValue) -> JSONValue {
        [
            "name": "tollgate", "image": "tollgate:1", "imageID": "", "ready": .bool(ready), "restartCount": 0,
            "state": state,
        ]
    }
}

extension ClusterDaemon {
    /// Asks the own API.
    func ask(_ method: String, _ path: String, body: JSONValue? = nil) async throws -> (status: Int, json: JSONValue) {
        let answer = try await PlainHTTP.send(
            method, path, port: port,
            headers: [("Authorization", "Bearer \(Self.adminToken)"), ("Content-Type", "application/json")],
            body: body?.encoded() ?? [])
        return (answer.status, try answer.json())
    }

    /// Waits until this daemon leads and knows its pods.
    func leads(pods: Int) async throws {
        try await Eventually.holds("\(name) to lead") {
            let status = try await ask("GET", "/v1/k8s/status").json
            return status["leader"] == true && status["pods"]?.arrayValue?.count == pods
        }
    }
}
