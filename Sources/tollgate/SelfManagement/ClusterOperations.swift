// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import ControllerRuntime
internal import Essentials
internal import HTTPService
internal import RuntimeState
internal import SelfManagement

/// What the endpoints below `/v1/k8s` show and do.
struct ClusterOperations: ClusterService {
    private static let kinds = [
        ("authconfigs", "AuthConfig"), ("servicetokens", "ServiceToken"), ("subscriptions", "Subscription"),
        ("toolmanifests", "ToolManifest"),
    ]

    let manager: SelfManager
    let elector: LeaderElector
    let catalog: any ResourceCatalog
    let trail: any AuditQuerying
    let clock: any WallClock
    /// Has every object looked at again.
    let lookAgain: @Sendable () -> Void

    var isInCluster: Bool { true }

    func status() async -> JSONObject {
        let objects = manager.objects
        let info = objects.info
        let deployment = objects.deployment
        // What decides is shown where it is known; why it is not is shown as a fault.
        var fault = manager.lastPass.fault ?? info.reason
        var autoscaler: String?
        do throws(Refusal) {
            autoscaler = try await manager.autoscalerName()
        } catch {
            fault = fault ?? error.message
        }
        func count(_ value: Int?) -> JSONValue { value.map { .int(Int64($0)) } ?? .null }
        let values: [String: JSONValue] = [
            "in_cluster": true, "namespace": .string(info.namespace), "pod_name": .string(info.podName),
            "pod_ip": .optional(info.podIP), "node_name": .optional(info.nodeName),
            "deployment_name": .optional(info.deployment), "replicas": count(deployment?.replicas),
            "available_replicas": count(deployment?.availableReplicas),
            "ready_replicas": count(deployment?.readyReplicas),
            "updated_replicas": count(deployment?.updatedReplicas), "leader": .bool(elector.isLeading),
            "leader_identity": .optional(elector.observed?.identity), "hpa": .optional(autoscaler),
            "deployment_mode": .string(manager.settings.mode.rawValue),
            "self_heal": .string(manager.settings.healing.rawValue), "suspended": .bool(manager.isSuspended),
            "last_reconcile": .optional(manager.lastPass.at?.rfc3339Micros), "last_error": .optional(fault),
            "pods": .array(pods(objects.pods)),
        ]
        return JSONObject(NoCluster.members.map { ($0, values[$0] ?? .null) })
    }

    private func pods(_ pods: [OwnPod]) -> [JSONValue] {
        let judged = Dictionary(manager.judged().map { ($0.name, $0) }, uniquingKeysWith: { $1 })
        return pods.map { pod in
            let verdict = judged[pod.name]?.verdict
            return [
                "name": .string(pod.name), "phase": .string(pod.phase), "ready": .bool(pod.isReady),
                "restarts": .int(Int64(pod.restarts)), "verdict": .optional(verdict?.health.rawValue),
                "reason": .optional(verdict?.reason.rawValue), "start_time": .optional(pod.startedAt?.rfc3339),
            ]
        }
    }

    func checkScale(_ body: JSONObject) throws(Refusal) { _ = try ScaleRequest(body) }

    func scale(_ body: JSONObject, actor: String) async throws(Refusal) -> JSONObject {
        let outcome = try await manager.scale(to: try ScaleRequest(body), by: actor)
        return outcome.json(at: clock.now())
    }

    func health(dryRun: Bool) async throws(Refusal) -> JSONObject {
        let report = try await manager.health(dryRun: dryRun)
        // What was asked for and could not be done is not told as done.
        if let fault = report.fault { throw fault }
        return report.json
    }

    func reconcile() async throws(Refusal) -> JSONObject {
        let begun = clock.now()
        lookAgain()
        let report = try await manager.pass().get()
        if let fault = report.health?.fault { throw fault }
        let ended = clock.now()
        return [
            "kinds": .object(kinds()), "deployment": .object(report.deployment.json),
            "health": report.health.map { .object($0.json) } ?? .null,
            "duration_ms": .int(max(0, ended.milliseconds - begun.milliseconds)),
            "timestamp": .string(ended.rfc3339Micros),
        ]
    }

    private func kinds() -> JSONObject {
        let items = catalog.resources(kind: nil, namespace: nil).items
        return JSONObject(
            Self.kinds.map { name, kind in
                var counts = ["True": Int64(0), "False": 0]
                let views = items.filter { $0.kind == kind }
                for view in views {
                    let ready = ResourceReadiness(.object(view.json))
                    counts[ready.status, default: 0] += 1
                }
                return (
                    name,
                    [
                        "total": .int(Int64(views.count)), "ready": .int(counts["True"] ?? 0),
                        "failed": .int(counts["False"] ?? 0),
                    ]
                )
            })
    }

    func actions(limit: Int) async throws(Refusal) -> [JSONValue] {
        try await SelfActions(trail: trail).newest(limit)
    }
}
