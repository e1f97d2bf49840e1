// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import KubernetesClient
internal import ResourceModel
internal import TestSupport
internal import Testing

extension RealCluster {
    /// Own pods that are unhealthy, on a real API server with its real controller-manager.
    @Suite(.serialized) struct SelfHealthTests {}
}

extension RealCluster.SelfHealthTests {
    /// Waits until the daemon has seen a verdict.
    private func sees(_ daemon: ClusterDaemon, _ pod: String, _ reason: String) async throws {
        try await Eventually.holds("\(pod) to be \(reason)") {
            let pods = try await daemon.ask("GET", "/v1/k8s/status").json["pods"]?.arrayValue ?? []
            return pods.contains { $0["name"]?.stringValue == pod && $0["reason"]?.stringValue == reason }
        }
    }

    /// A pass that was asked for.
    private func check(_ daemon: ClusterDaemon, dryRun: Bool = false) async throws -> JSONValue {
        let (status, json) = try await daemon.ask("POST", "/v1/k8s/health\(dryRun ? "?dry_run=true" : "")")
        #expect(status == 200, "\(json)")
        return json
    }

    private func finding(_ json: JSONValue, _ pod: String) -> JSONValue? {
        json["unhealthy"]?.arrayValue?.first { $0["pod"]?.stringValue == pod }
    }

    @Test func replacesOnePodAndKeepsItsBudget() async throws {
        try await LoopbackHTTPServer.with({ _ in .json("{}") }) { receiver in
            try await replacesOnePod(telling: receiver)
            // Once, by whichever process.
            #expect(receiver.requests.count == 1)
        }
    }

    private func replacesOnePod(telling receiver: LoopbackHTTPServer) async throws {
        let place = try await OwnInstallation(try RealCluster.plane(), "replaces")
        try await place.apply(place.manifest(replicas: 5))
        let pods = try await place.pods(5)
        try await place.setReady(pods)
        // Nobody names the Deployment: the owners of the Pod do.
        let channel = [
            "AUTOHEAL_NOTIFY_URL": "\(receiver.url)/notices", "AUTOHEAL_NOTIFY_SECRET": "secret-of-the-notices-0123",
        ]
        let daemon = try place.daemon(as: pods[0], settings: channel.merging(["TOLLGATE_DEPLOYMENT": ""]) { $1 })
        let began = ContinuousClock.now
        try await daemon.running { _ in
            try await daemon.leads(pods: 5)
            let status = try await daemon.ask("GET", "/v1/k8s/status").json
            #expect(status["deployment_name"] == "tollgate" && status["replicas"] == 5)
            #expect(status["pod_name"] == .string(pods[0]) && status["in_cluster"] == true)
            var sick = pods[1]
            for round in 1...3 {
                try await place.set(sick, PodStates.waiting("CrashLoopBackOff", since: 20))
                try await sees(daemon, sick, "CrashLoopBackOff")
                let planned = try await check(daemon, dryRun: true)
                #expect(planned["action"] == "evict" && planned["dry_run"] == true)
                #expect(finding(planned, sick)?["result"] == "dry_run")
                #expect(try await place.pods().contains(sick))
                let done = try await check(daemon)
                #expect(done["action"] == "evict", "\(done)")
                #expect(finding(done, sick)?["result"] == "evicted", "\(done)")
                #expect(done["budget"]?["evictions_left"] == .int(Int64(3 - round)))
                let now = try await Eventually.value("another pod") {
                    let now = try await place.pods()
                    return now.count == 5 && !now.contains(sick) ? now : nil
                }
                try await place.setReady(now)
                sick = try #require(now.first { $0 != pods[0] })
                try await Eventually.holds("the new pod to be seen") {
                    try await check(daemon, dryRun: true)["healthy"] == 5
                }
            }
            try await place.set(sick, PodStates.waiting("CrashLoopBackOff", since: 20))
            try await sees(daemon, sick, "CrashLoopBackOff")
            let suspended = try await check(daemon)
            #expect(suspended["action"] == "suspended" && finding(suspended, sick)?["result"] == "suspended")
            #expect(try await place.pods().contains(sick))
            // The metric is what the watch shows, and that may be a moment behind what was just written.
            try await Eventually.holds("the metric") {
                try await daemon.metrics().contains("tollgate_self_suspended 1")
            }
            #expect(
                try await daemon.metrics().contains(#"tollgate_self_actions_total{action="evict",result="ok"} 3"#))
            try await Eventually.holds("an Event") {
                try await place.kubectl("get", "events.events.k8s.io", "-o", "jsonpath={.items[*].reason}")
                    .contains("HealingSuspended")
            }
            try await Eventually.holds("people to be told") { receiver.requests.count == 1 }
            let told = try JSONParser.parse(try #require(receiver.requests.first).body)
            #expect(
                told["kind"] == "self_suspended" && told["pods"] == .strings(["\(sick): CrashLoopBackOff"]), "\(told)")
            let actions = try await daemon.ask("GET", "/v1/k8s/actions?limit=2").json.arrayValue ?? []
            #expect(actions.count == 2 && actions[0]["action"] == "evict" && actions[0]["success"] == true)
        }
        // Another process reads what this one did.
        let next = try place.daemon(as: pods[0], settings: channel)
        try await next.running { _ in
            try await next.leads(pods: 5)
            let action = try await check(next)["action"]
            // On a machine that is so slow the budget is there again.
            #expect(action == "suspended" || ContinuousClock.now - began > .seconds(500))
        }
    }

    @Test func respectsADisruptionBudget() async throws {
        let place = try await OwnInstallation(try RealCluster.plane(), "budget")
        try await place.apply(place.manifest(replicas: 3))
        let pods = try await place.pods(3)
        try await place.setReady(pods)
        let versions = try await place.plane.api.versions(ofGroup: "policy")
        try await place.apply(
            """
            apiVersion: policy/\(versions.contains("v1") ? "v1" : "v1beta1")
            kind: PodDisruptionBudget
            metadata: {name: tollgate, namespace: \(place.namespace)}
            spec: {minAvailable: 3, selector: {matchLabels: {app.kubernetes.io/name: tollgate}}}
            """)
        try await place.set(pods[2], PodStates.notReady(since: 200))
        try await Eventually.holds("the budget to count") {
            try await place.kubectl("get", "pdb", "tollgate", "-o", "jsonpath={.status.currentHealthy}") == "2"
        }
        let daemon = try place.daemon(as: pods[0])
        try await daemon.running { _ in
            try await daemon.leads(pods: 3)
            try await sees(daemon, pods[2], "NotReady")
            let blocked = try await check(daemon)
            #expect(finding(blocked, pods[2])?["result"] == "blocked", "\(blocked)")
            #expect(blocked["budget"]?["evictions_left"] == 3)
            #expect(try await place.pods() == pods)
            try await place.kubectl("delete", "pdb", "tollgate")
            let done = try await check(daemon)
            #expect(finding(done, pods[2])?["result"] == "evicted", "\(done)")
        }
    }

    @Test func handlesEachStateAsItDeserves() async throws {
        let place = try await OwnInstallation(try RealCluster.plane(), "states")
        try await place.apply(place.manifest(replicas: 9))
        let pods = try await place.pods(9)
        try await place.setReady(pods)
        try await place.set(pods[1], PodStates.waiting("CreateContainerConfigError", phase: "Pending", since: 400))
        try await place.set(pods[2], PodStates.unschedulable(since: 200))
        try await place.kubectl("annotate", "pod", pods[3], "tollgate.dev/heal=false")
        try await place.set(pods[3], PodStates.notReady(since: 900))
        try await place.set(pods[4], PodStates.ended("Failed", reason: "Evicted"))
        try await place.set(pods[5], PodStates.ended("Succeeded"))
        try await place.set(pods[6], PodStates.waiting("ErrImagePull", phase: "Pending", since: 400))
        try await place.set(pods[7], PodStates.notReady(since: 500))
        let daemon = try place.daemon(as: pods[0])
        try await daemon.running { _ in
            // What has ended was replaced by the controller-manager at once.
            try await Eventually.holds("the verdicts") {
                let judged = try await daemon.ask("POST", "/v1/k8s/health?dry_run=true").json
                return judged["unhealthy"]?.arrayValue?.count == 7
            }
            let new = try await place.pods().filter { !pods.contains($0) }
            try await place.setReady(new)
            try await Eventually.holds("the new pods to be seen") {
                try await check(daemon, dryRun: true)["action"] == "evict"
            }
            let done = try await check(daemon)
            #expect(finding(done, pods[1]) == row(pods[1], "ContainerConfig", "report", "reported"))
            #expect(finding(done, pods[2]) == row(pods[2], "Unschedulable", "report", "reported"))
            #expect(finding(done, pods[3]) == row(pods[3], "NotReady", "report", "reported"))
            #expect(finding(done, pods[4]) == row(pods[4], "Evicted", "delete", "deleted"))
            #expect(finding(done, pods[5]) == row(pods[5], "Completed", "delete", "deleted"))
            // The longest stalled goes, one at a time.
            #expect(finding(done, pods[6]) == row(pods[6], "ImagePullBackOff", "evict", "waiting"))
            #expect(finding(done, pods[7]) == row(pods[7], "NotReady", "evict", "evicted"))
            let left = try await place.pods()
            #expect(!left.contains(pods[4]) && !left.contains(pods[5]) && !left.contains(pods[7]))
            for pod in [1, 2, 3, 6] { #expect(left.contains(pods[pod])) }
        }
    }

    private func row(_ pod: String, _ reason: String, _ action: String, _ result: String) -> JSONValue {
        ["pod": .string(pod), "reason": .string(reason), "action": .string(action), "result": .string(result)]
    }

    @Test func aTemplateThatCrashesIsNotRestartedForEver() async throws {
        let place = try await OwnInstallation(try RealCluster.plane(), "crashes")
        try await place.apply(place.manifest(replicas: 3, recreate: true))
        let pods = try await place.pods(3)
        let crash = PodStates.waiting("CrashLoopBackOff", since: 30)
        for pod in pods { try await place.set(pod, crash) }
        let daemon = try place.daemon(as: pods[0])
        var marks: [JSONValue?] = []
        func mark() async throws -> JSONValue? {
            try await place.document()["spec"]?["template"]?["metadata"]?["annotations"]?["tollgate.dev/restartedAt"]
        }
        try await daemon.running { _ in
            try await Eventually.holds("the daemon to lead and see") {
                let (status, json) = try await daemon.ask("POST", "/v1/k8s/health?dry_run=true")
                return status == 200 && json["action"] == "rolling_restart"
            }
            #expect(try await check(daemon)["action"] == "rolling_restart")
            let first = try await mark()
            #expect(first != nil)
            marks.append(first)
            let new = try await Eventually.value("new pods") {
                let now = try await place.pods()
                return now.count == 3 && now.allSatisfy { !pods.contains($0) } ? now : nil
            }
            for pod in new { try await place.set(pod, crash) }
            try await Eventually.holds("the rollout to be over") {
                let action = try await check(daemon)["action"]
                #expect(action == "wait" || action == "suspended" || action == "none")
                return action == "suspended"
            }
            #expect(try await mark() == first)
        }
        // Nor by the next process.
        let next = try place.daemon(as: "somebody")
        try await next.running { _ in
            try await next.leads(pods: 3)
            let report = try await check(next)
            #expect(report["action"] == "suspended")
            #expect(report["budget"]?["next_restart_at"]?.stringValue != nil)
            #expect(try await mark() == marks[0])
        }
    }
}
