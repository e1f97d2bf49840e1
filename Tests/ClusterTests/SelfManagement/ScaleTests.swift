// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import ResourceModel
internal import TestSupport
internal import Testing

extension RealCluster {
    /// The number of own replicas, on a real API server.
    @Suite(.serialized) struct SelfScaleTests {}
}

extension RealCluster.SelfScaleTests {
    private func replicas(_ place: OwnInstallation) async throws -> JSONValue? {
        try await place.document()["spec"]?["replicas"]
    }

    private func refused(_ daemon: ClusterDaemon, _ replicas: JSONValue, _ status: Int, _ code: String) async throws
        -> JSONValue
    {
        let answer = try await daemon.ask("POST", "/v1/k8s/scale", body: ["replicas": replicas])
        #expect(answer.status == status && answer.json["code"] == .string(code), "\(answer.json)")
        return answer.json
    }

    @Test func refusesWhatCannotBe() async throws {
        let place = try await OwnInstallation(try RealCluster.plane(), "refuses")
        try await place.apply(place.manifest())
        let pods = try await place.pods(1)
        let daemon = try place.daemon(as: pods[0])
        try await daemon.running { _ in
            try await daemon.leads(pods: 1)
            _ = try await refused(daemon, .double(2.5), 400, "k8s.bad_replicas")
            _ = try await refused(daemon, 101, 400, "k8s.bad_replicas")
            _ = try await refused(daemon, 0, 422, "k8s.replicas_zero")
            let bounds = try await refused(daemon, 11, 422, "k8s.replicas_out_of_bounds")
            #expect(bounds["details"] == ["min": 1, "max": 10])
            _ = try await refused(daemon, 2, 409, "k8s.shared_store_required")
            let malformed = try await daemon.ask("POST", "/v1/k8s/scale", body: ["replica": 2])
            #expect(malformed.status == 400 && malformed.json["code"] == "request.malformed")
            let same = try await daemon.ask("POST", "/v1/k8s/scale", body: ["replicas": 1])
            #expect(same.status == 200 && same.json["changed"] == false)
            try await place.apply(
                """
                apiVersion: autoscaling/v1
                kind: HorizontalPodAutoscaler
                metadata: {name: tollgate-hpa, namespace: \(place.namespace)}
                spec:
                  minReplicas: 1
                  maxReplicas: 4
                  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: tollgate}
                """)
            let held = try await refused(daemon, 1, 409, "k8s.hpa_controls")
            #expect(held["details"] == ["name": "tollgate-hpa"])
            #expect(try await daemon.ask("GET", "/v1/k8s/status").json["hpa"] == "tollgate-hpa")
        }
        #expect(try await replicas(place) == 1)
    }

    /// One to three to two, over HTTP, by the command and by kubectl; from the leader and from a follower.
    @Test func scalesWithASharedStore() async throws {
        let own = try await OwnInstallation(try RealCluster.plane(), "scales")
        try await own.apply(own.manifest())
        _ = try await own.pods(1)
        let place = ReplicaSet.Place(plane: own.plane, own: own.namespace, watched: own.namespace)
        let settings = ["TOLLGATE_DEPLOYMENT": "tollgate", "TOLLGATE_RECONCILE_INTERVAL": "1h"]
        try await ReplicaSet.with(2, at: place, settings: settings) { set in
            let leader = try await Eventually.value("a leader") { try await set.leader() }
            let follower = try #require(set.replicas.first { $0.name != leader.name })
            try await Eventually.holds("both to know who leads") {
                for replica in set.replicas {
                    let status = try await replica.daemon.ask("GET", "/v1/k8s/status").json
                    guard status["leader_identity"]?.stringValue?.hasPrefix("\(leader.name)_") == true,
                        status["leader"] == .bool(replica.name == leader.name), status["replicas"] != .null
                    else { return false }
                }
                return true
            }
            let three = try await leader.daemon.ask("POST", "/v1/k8s/scale", body: ["replicas": 3])
            #expect(three.status == 200 && three.json["before"] == 1 && three.json["after"] == 3, "\(three.json)")
            #expect(three.json["action"] == "scale:3" && three.json["changed"] == true)
            #expect(try await replicas(own) == 3)
            _ = try await own.pods(3)

            // A follower sends it on, refusals too.
            let two = try await follower.daemon.ask("POST", "/v1/k8s/scale", body: ["replicas": 2])
            #expect(two.status == 200 && two.json["before"] == 3 && two.json["after"] == 2, "\(two.json)")
            _ = try await refused(follower.daemon, 0, 422, "k8s.replicas_zero")
            #expect(try await follower.daemon.ask("POST", "/v1/k8s/reconcile").status == 200)
            let stray = try await PlainHTTP.send(
                "POST", "/v1/k8s/health", port: follower.daemon.port,
                headers: [("Authorization", "Bearer \(ClusterDaemon.adminToken)"), ("X-Tollgate-Forwarded", "1")])
            #expect(stray.status == 503 && stray.value("retry-after") == "2")
            #expect(try stray.json()["code"] == "k8s.no_leader")

            try await own.kubectl("scale", "deployment/tollgate", "--replicas=1")
            let (status, output) = try await PeerProcess.run(
                name: "tollgate-cli", executable: PeerPaths.tollgate(),
                arguments: ["cluster", "scale", "3", "--output", "table"],
                environment: [
                    "TOLLGATE_API_URL": "http://127.0.0.1:\(follower.daemon.port)",
                    "TOLLGATE_TOKEN": ClusterDaemon.adminToken,
                    "TOLLGATE_CONFIG_DIR": follower.daemon.folder.path("config"),
                ], folder: follower.daemon.folder, within: .seconds(120))
            #expect(status == 0 && output.contains("Scaled from 1 to 3 replicas"), "\(output)")
            try await own.kubectl("scale", "deployment/tollgate", "--replicas=2")
            // What kubectl said stays.
            let pass = try await leader.daemon.ask("POST", "/v1/k8s/reconcile")
            #expect(pass.status == 200 && pass.json["deployment"]?["repaired"] == false)
            #expect(try await replicas(own) == 2)

            try await Eventually.holds("every replica to tell what was done") {
                let actions = try await follower.daemon.ask("GET", "/v1/k8s/actions").json.arrayValue ?? []
                return actions.compactMap { $0["action"]?.stringValue } == ["scale:3", "scale:2", "scale:3"]
            }

            // Without its leader a follower says so, until it leads itself.
            try await set.kill(leader)
            let lost = try await follower.daemon.ask("POST", "/v1/k8s/health?dry_run=true")
            #expect(lost.status == 503 && lost.json["code"] == "k8s.no_leader" || lost.status == 200, "\(lost.json)")
            try await Eventually.holds("the follower to lead") {
                try await follower.daemon.ask("POST", "/v1/k8s/health?dry_run=true").status == 200
            }
        }
    }
}
