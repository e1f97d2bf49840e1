// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import KubernetesClient
internal import ResourceModel
internal import TestSupport
internal import Testing

extension RealCluster {
    /// Healing on a real API server with its real controllers; no kubelet runs, so the tests set the status of pods.
    @Suite struct HealingTests {
        private static let token = "webhook-token-of-the-cluster-tests"

        private static func rules(_ namespace: String) -> String {
            let target = "namespace: \(namespace), name: \"${labels.name}\""
            return """
                version: 1
                rules:
                  - {name: restart, match: {alertname: Restart}, verifyWithin: 0s,
                     action: {type: rollout-restart, target: {kind: Deployment, \(target)}}}
                  - {name: scale, match: {alertname: Scale}, verifyWithin: 0s,
                     action: {type: scale, target: {kind: Deployment, \(target)}, by: 2, min: 1, max: 4}}
                  - {name: evict, match: {alertname: Evict}, verifyWithin: 60s,
                     action: {type: delete-pod, target: {kind: Pod, \(target)}}}
                """
        }

        private static func workload(_ name: String) -> String {
            """
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: \(name)}
            spec:
              replicas: 1
              selector: {matchLabels: {app: \(name)}}
              template:
                metadata: {labels: {app: \(name)}}
                spec: {containers: [{name: c, image: "example.invalid/c:1"}]}
            ---
            apiVersion: v1
            kind: Pod
            metadata: {name: \(name)-lone, labels: {lone: \(name)}}
            spec: {terminationGracePeriodSeconds: 0, containers: [{name: c, image: "example.invalid/c:1"}]}
            """
        }

        /// Reports a firing alert and gives its result.
        private static func fire(
            _ alert: String, _ name: String, _ daemon: ClusterDaemon
        ) async throws -> JSONValue {
            let body: JSONValue = [
                "version": "4", "status": "firing",
                "alerts": [
                    [
                        "status": "firing", "labels": ["alertname": .string(alert), "name": .string(name)],
                        "annotations": ["autoheal": "true"], "startsAt": "2026-01-01T00:00:00Z",
                    ]
                ],
            ]
            let answer = try await PlainHTTP.send(
                "POST", "/alert", port: daemon.port,
                headers: [("Authorization", "Bearer \(token)"), ("Content-Type", "application/json")],
                body: body.encoded())
            return try answer.json()["results"]?.arrayValue?.first ?? .string("\(answer.status) \(answer.text)")
        }

        private static func events(_ kind: String, _ daemon: ClusterDaemon) async throws -> [JSONValue] {
            let answer = try await PlainHTTP.send(
                "GET", "/v1/audit/events?action=healing.\(kind)&order=asc", port: daemon.port,
                headers: [("Authorization", "Bearer \(ClusterDaemon.adminToken)")])
            return (try answer.json()["events"]?.arrayValue ?? []).compactMap { $0["metadata"] }
        }

        @Test func alertsChangeTheCluster() async throws {
            let plane = try RealCluster.plane()
            let own = try await plane.makeNamespace("healing")
            let apply = { (text: String, name: String) in
                _ = try await plane.plane.kubectlOutput(["-n", own, "apply", "-f", try plane.write(text, to: name)])
            }
            try await apply(Self.workload("api"), "healing-api.yaml")
            try await apply(Self.workload("scaled"), "healing-scaled.yaml")
            let rules = try plane.write(Self.rules(own), to: "healing-rules.yaml")
            let daemon = try ClusterDaemon(
                "healing", kubeconfig: plane.plane.kubeconfig, own: own, watched: own,
                settings: [
                    "AUTOHEAL_ENABLED": "true", "AUTOHEAL_DRY_RUN": "false", "AUTOHEAL_RULES_FILE": rules,
                    "AUTOHEAL_WEBHOOK_TOKEN": Self.token, "TOLLGATE_DEPLOYMENT": "healing",
                    "AUTOHEAL_DEDUP_WINDOW_SEC": "0",
                ])
            try await daemon.running { _ in
                try await Eventually.holds("a leader") {
                    try await Self.fire("Nothing", "x", daemon)["result"] == "skipped"
                }
                try await restarts(plane, own, daemon)
                try await scales(plane, own, daemon, apply)
                try await evicts(plane, own, daemon, apply)
            }
            // The books are in the cluster: what was done is remembered by another process.
            let books = try await plane.api.get(
                APIObjectReference(.configMaps, namespace: own, name: "healing-healing-state"), subresource: nil)
            #expect((books["data"]?.objectValue?.count ?? 0) >= 4)
            let second = try ClusterDaemon(
                "healing-2", kubeconfig: plane.plane.kubeconfig, own: own, watched: own,
                settings: [
                    "AUTOHEAL_ENABLED": "true", "AUTOHEAL_DRY_RUN": "false", "AUTOHEAL_RULES_FILE": rules,
                    "AUTOHEAL_WEBHOOK_TOKEN": Self.token, "TOLLGATE_DEPLOYMENT": "healing",
                ])
            try await second.running { _ in
                let result = try await Eventually.value("a leader") {
                    let result = try await Self.fire("Restart", "api", second)
                    return result["result"] == nil ? nil : result
                }
                #expect(result["result"] == "cooldown_skip" && result["reason"] == "cooldown")
            }
        }

        private func restarts(_ plane: RealCluster.Plane, _ own: String, _ daemon: ClusterDaemon) async throws {
            let result = try await Self.fire("Restart", "api", daemon)
            #expect(result["result"] == "executed" && result["cmd"]?.stringValue?.hasSuffix("/api") == true)
            let mark = try await plane.plane.kubectlOutput([
                "-n", own, "get", "deployment", "api", "-o",
                "jsonpath={.spec.template.metadata.annotations.tollgate\\.dev/restartedAt}",
            ])
            #expect(Timestamp(rfc3339: mark) != nil, "\(mark)")
            #expect(try await Self.fire("Restart", "api", daemon)["result"] == "cooldown_skip")
        }

        private func scales(
            _ plane: RealCluster.Plane, _ own: String, _ daemon: ClusterDaemon,
            _ apply: (String, String) async throws -> Void
        ) async throws {
            #expect(try await Self.fire("Scale", "scaled", daemon)["result"] == "executed")
            let replicas = { () async throws -> String in
                try await plane.plane.kubectlOutput([
                    "-n", own, "get", "deployment", "scaled", "-o", "jsonpath={.spec.replicas}",
                ])
            }
            #expect(try await replicas() == "3")
            try await apply(
                """
                apiVersion: autoscaling/v1
                kind: HorizontalPodAutoscaler
                metadata: {name: hpa}
                spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: api}, maxReplicas: 3}
                """, "healing-hpa.yaml")
            #expect(try await Self.fire("Scale", "api", daemon)["result"] == "failed")
            let failure = try await Self.events("action_fail", daemon).last
            #expect(
                failure?["err"]?.stringValue
                    == "refused: HorizontalPodAutoscaler hpa decides on the replicas of deployment/\(own)/api")
        }

        private func evicts(
            _ plane: RealCluster.Plane, _ own: String, _ daemon: ClusterDaemon,
            _ apply: (String, String) async throws -> Void
        ) async throws {
            #expect(try await Self.fire("Evict", "api-lone", daemon)["result"] == "executed")
            try await Eventually.holds("the outcome") { try await Self.events("action_ok", daemon).count == 3 }
            let event = try await Self.events("action_ok", daemon).last
            #expect(event?["cmd"]?.stringValue == "delete-pod pod/\(own)/api-lone" && event?["verified"] == true)
            try await apply(
                """
                apiVersion: policy/v1beta1
                kind: PodDisruptionBudget
                metadata: {name: budget}
                spec: {minAvailable: 1, selector: {matchLabels: {lone: scaled}}}
                """, "healing-budget.yaml")
            // Only pods that are ready are protected.
            _ = try await plane.api.patch(
                APIObjectReference(.pods, namespace: own, name: "scaled-lone"), subresource: "status",
                .merge(["status": ["phase": "Running", "conditions": [["type": "Ready", "status": "True"]]]]))
            try await Eventually.holds("the budget") {
                try await plane.plane.kubectlOutput([
                    "-n", own, "get", "pdb", "budget", "-o", "jsonpath={.status.currentHealthy}",
                ]) == "1"
            }
            #expect(try await Self.fire("Evict", "scaled-lone", daemon)["result"] == "failed")
            let failure = try await Self.events("action_fail", daemon).last
            #expect(
                failure?["err"]?.stringValue?.hasPrefix("the eviction was refused: ") == true, "\(failure ?? .null)")
            let left = try await plane.plane.kubectlOutput(["-n", own, "get", "pod", "scaled-lone", "-o", "name"])
            #expect(left.contains("scaled-lone"))
        }
    }
}
