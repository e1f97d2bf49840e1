// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import ResourceModel
internal import TestSupport
internal import Testing

extension RealCluster {
    /// The own Deployment kept, made and left alone, on a real API server.
    @Suite(.serialized) struct SelfDeploymentTests {}
}

extension RealCluster.SelfDeploymentTests {
    private func reconcile(_ daemon: ClusterDaemon) async throws -> JSONValue {
        let (status, json) = try await daemon.ask("POST", "/v1/k8s/reconcile")
        #expect(status == 200, "\(json)")
        return json
    }

    private func image(_ place: OwnInstallation) async throws -> String? {
        try await place.document()["spec"]?["template"]?["spec"]?["containers"]?.arrayValue?.first?["image"]?
            .stringValue
    }

    @Test func makesAndRepairsWhatIsItsOwn() async throws {
        let place = try await OwnInstallation(try RealCluster.plane(), "owns")
        let manifest = place.manifest(replicas: 2)
        let path = try place.plane.write(manifest, to: "deployment.yaml")
        try await place.kubectl("create", "configmap", "tollgate-template", "--from-file=deployment.yaml=\(path)")
        let daemon = try place.daemon(as: "tollgate-0", settings: ["TOLLGATE_DEPLOYMENT_MODE": "own"])
        try await daemon.running { _ in
            let pods = try await place.pods(2)
            try await place.setReady(pods)
            try await daemon.leads(pods: 2)
            #expect(try await image(place) == "tollgate:1")
            let labels = try await place.document()["metadata"]?["labels"]
            #expect(labels?["app.kubernetes.io/managed-by"] == "tollgate")
            #expect(try await reconcile(daemon)["deployment"]?["drift"] == [])

            // Somebody changes it by hand.
            try await place.kubectl("set", "image", "deployment/tollgate", "tollgate=other:9")
            let repaired = try await reconcile(daemon)["deployment"]
            #expect(repaired?["repaired"] == true, "\(String(describing: repaired))")
            #expect(
                repaired?["drift"] == ["spec.template.spec.containers[name=tollgate].image"],
                "\(String(describing: repaired))")
            #expect(try await image(place) == "tollgate:1")
            #expect(try await reconcile(daemon)["deployment"]?["drift"] == [])
            let actions = try await daemon.ask("GET", "/v1/k8s/actions").json.arrayValue ?? []
            #expect(actions.first?["action"] == "ensure" && actions.first?["success"] == true, "\(actions)")
            #expect(
                actions.first?["before"]?["spec.template.spec.containers[name=tollgate].image"] == "other:9")

            // The number of replicas is not its own.
            try await place.kubectl("scale", "deployment/tollgate", "--replicas=3")
            #expect(try await reconcile(daemon)["deployment"]?["repaired"] == false)
            #expect(try await place.document()["spec"]?["replicas"] == 3)

            // It vanishes, and is made again as it was.
            try await place.kubectl("delete", "deployment", "tollgate", "--cascade=orphan")
            try await Eventually.holds("the Deployment to be made again") {
                _ = try await daemon.ask("POST", "/v1/k8s/reconcile")
                return try await place.plane.plane.kubectl(["-n", place.namespace, "get", "deployment", "tollgate"])
                    .status == 0
            }
            #expect(try await place.document()["spec"]?["replicas"] == 3)

            // Whoever wants it gone says so.
            try await place.kubectl("annotate", "deployment", "tollgate", "tollgate.dev/removed=true")
            _ = try await reconcile(daemon)
            try await place.kubectl("delete", "deployment", "tollgate", "--cascade=orphan")
            try await Eventually.holds("the daemon to see it") {
                try await daemon.ask("GET", "/v1/k8s/status").json["replicas"] == .null
            }
            let (status, json) = try await daemon.ask("POST", "/v1/k8s/reconcile")
            #expect(status == 200 && json["deployment"]?["repaired"] == false && json["health"] == .null, "\(json)")
            #expect(
                try await place.plane.plane.kubectl(["-n", place.namespace, "get", "deployment", "tollgate"]).status
                    != 0)
        }
    }

    @Test func makesOneOfTheRunningPod() async throws {
        let place = try await OwnInstallation(try RealCluster.plane(), "pod")
        try await place.apply(place.manifest(replicas: 1))
        let pods = try await place.pods(1)
        let daemon = try place.daemon(as: pods[0], settings: ["TOLLGATE_DEPLOYMENT_MODE": "own"])
        try await daemon.running { _ in
            try await daemon.leads(pods: 1)
            try await place.kubectl("delete", "deployment", "tollgate", "--cascade=orphan")
            try await Eventually.holds("the Deployment to be made again") {
                _ = try await daemon.ask("POST", "/v1/k8s/reconcile")
                return try await place.plane.plane.kubectl(["-n", place.namespace, "get", "deployment", "tollgate"])
                    .status == 0
            }
            #expect(try await image(place) == "tollgate:1")
            let spec = try await place.document()["spec"]
            #expect(spec?["selector"] == ["matchLabels": ["app.kubernetes.io/name": "tollgate"]])
            // What it was made of is kept, and it stays as it is.
            #expect(try await place.kubectl("get", "configmap", "tollgate-template", "-o", "name").contains("template"))
            #expect(try await reconcile(daemon)["deployment"]?["drift"] == [])
            // Its pod is taken over again: nothing was thrown away.
            #expect(try await place.pods(1) == pods)
        }
    }

    @Test func anUpgradeOfTheReleaseNeverConflicts() async throws {
        let place = try await OwnInstallation(try RealCluster.plane(), "upgrade")
        try await place.apply(place.manifest(replicas: 3, recreate: true))
        let pods = try await place.pods(3)
        for pod in pods { try await place.set(pod, PodStates.waiting("CrashLoopBackOff", since: 30)) }
        let daemon = try place.daemon(as: pods[0])
        try await daemon.running { _ in
            // Something of our own is on it: the memory, and the mark of a restart.
            try await Eventually.holds("a restart") {
                try await daemon.ask("POST", "/v1/k8s/health").json["action"] == "rolling_restart"
            }
            let (status, json) = try await daemon.ask("POST", "/v1/k8s/scale", body: ["replicas": 1])
            #expect(status == 200 && json["after"] == 1, "\(json)")
            // Another image, and the number of replicas as the release has it.
            try await place.apply(place.manifest(replicas: 3, image: "tollgate:2", recreate: true))
            let document = try await place.document()
            #expect(document["spec"]?["replicas"] == 3)
            #expect(try await image(place) == "tollgate:2")
            let marks = document["spec"]?["template"]?["metadata"]?["annotations"]
            #expect(marks?["tollgate.dev/restartedAt"] != nil)
            // In mode adopt a template that others changed is none of ours.
            #expect(try await reconcile(daemon)["deployment"]?["drift"] == [])
            #expect(try await image(place) == "tollgate:2")

            // Memory that somebody took away is written again.
            try await place.kubectl("annotate", "deployment", "tollgate", "tollgate.dev/self-management-")
            try await Eventually.holds("the daemon to see it") {
                // A write of that very moment may meet the change.
                try await daemon.ask("POST", "/v1/k8s/reconcile").json["deployment"]?["repaired"] == true
            }
            let kept = try await place.document()["metadata"]?["annotations"]?["tollgate.dev/self-management"]
            #expect(kept?.stringValue?.contains(#""restarts":1"#) == true, "\(String(describing: kept))")
        }
    }
}
