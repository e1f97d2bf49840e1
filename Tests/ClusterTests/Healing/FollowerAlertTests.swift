// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Crypto
internal import Essentials
internal import TestSupport
internal import Testing

extension RealCluster {
    /// Alerts that reach a replica that does not lead.
    @Suite(.serialized, .timeLimit(.minutes(20))) struct FollowerAlertTests {}
}

extension RealCluster.FollowerAlertTests {
    /// The replica that leads, and one that knows that it does not.
    private static func roles(_ set: ReplicaSet, trusting authority: String? = nil) async throws -> (
        leader: ReplicaSet.Replica, follower: ReplicaSet.Replica
    ) {
        let leader = try await set.waitForLeader()
        let follower = try #require(set.replicas.first { $0.name != leader.name })
        try await Eventually.holds("both to know who leads") {
            for replica in set.replicas {
                let status = try await PlainHTTP.send(
                    "GET", "/v1/k8s/status", port: replica.daemon.port,
                    headers: [("Authorization", "Bearer \(ClusterDaemon.adminToken)")], trusting: authority
                ).json()
                guard status["leader_identity"]?.stringValue?.hasPrefix("\(leader.name)_") == true else { return false }
            }
            return true
        }
        return (leader, follower)
    }

    private static func with(
        _ name: String, settings: [String: String] = [:],
        _ body: (ReplicaSet, RealCluster.Plane, _ namespace: String) async throws -> Void
    ) async throws {
        let plane = try RealCluster.plane()
        let own = try await plane.makeNamespace(name)
        for name in ["api", "web", "job"] {
            let path = try plane.write(AlertCalls.workload(name), to: "\(own)-\(name).yaml")
            _ = try await plane.plane.kubectlOutput(["-n", own, "apply", "-f", path])
        }
        let rules = try plane.write(AlertCalls.rules(own, verifyWithin: "0s"), to: "\(own)-rules.yaml")
        try await ReplicaSet.with(
            2, at: .init(plane: plane, own: own, watched: own),
            settings: AlertCalls.settings(rules: rules).merging(settings) { $1 }
        ) { set in try await body(set, plane, own) }
    }

    @Test func theLeaderActsOnceAndTheTrailNamesTheCaller() async throws {
        try await Self.with("follower") { set, plane, own in
            let (leader, follower) = try await Self.roles(set)
            // The token of the webhook.
            let first = try await AlertCalls.send("api", to: follower.daemon, request: "by-token")
            #expect(AlertCalls.result(first)["result"] == "executed", "\(first.text)")
            #expect(AlertCalls.result(first)["cmd"] == .string("rollout-restart deployment/\(own)/api"))
            #expect(first.value("x-request-id") == "by-token")
            #expect(try await AlertCalls.mark("api", in: own, plane) != "")
            let generation = try await AlertCalls.generation("api", in: own, plane)

            // Both replicas, again: the books are the leader's.
            for replica in [leader, follower] {
                let again = try await AlertCalls.send("api", to: replica.daemon)
                #expect(AlertCalls.result(again)["result"] == "cooldown_skip", "\(again.text)")
            }
            #expect(try await AlertCalls.generation("api", in: own, plane) == generation)

            // A signature holds at both.
            let timestamp = "\(SystemWallClock().now().seconds)"
            let code = HMAC<SHA256>.authenticationCode(
                for: Array("\(timestamp).".utf8) + AlertCalls.body("web"),
                using: SymmetricKey(data: Array(AlertCalls.key.utf8)))
            let signed = try await AlertCalls.send(
                "web", to: follower.daemon,
                credential: [
                    ("X-Tollgate-Signature", "sha256=\(Hex.encode(code))"), ("X-Tollgate-Timestamp", timestamp),
                ], request: "by-signature")
            #expect(AlertCalls.result(signed)["result"] == "executed", "\(signed.text)")

            // Somebody's own credential.
            let minted = try await PlainHTTP.send(
                "POST", "/v1/service-tokens", port: follower.daemon.port,
                headers: [
                    ("Authorization", "Bearer \(ClusterDaemon.adminToken)"), ("Content-Type", "application/json"),
                ], body: JSONValue.object(["identifier": "reporter", "scopes": ["monitor:write"]]).encoded())
            let secret = try #require(try minted.json()["secret"]?.stringValue, "\(minted.text)")
            let direct = try await Eventually.value("the token to be known") {
                let answer = try await AlertCalls.send(
                    "job", to: follower.daemon, credential: [("Authorization", "Bearer \(secret)")],
                    request: "by-caller")
                return answer.status == 401 ? nil : answer
            }
            #expect(AlertCalls.result(direct)["result"] == "executed", "\(direct.text)")

            let done = try await Eventually.value("three outcomes") {
                let done = try await AlertCalls.entries("action=healing.action_ok", at: follower.daemon)
                return done.count == 3 ? done : nil
            }
            #expect(done.compactMap { $0["request_id"]?.stringValue } == ["by-token", "by-signature", "by-caller"])
            for (request, actor) in [("by-token", "alertmanager"), ("by-signature", "alertmanager")] {
                let calls = try await Self.calls(request, at: follower)
                #expect(calls.map { $0["actor"] } == [.string(actor), .string(actor)], "\(calls)")
                #expect(calls.count { $0["metadata"]?["forwarded"] == true } == 1, "\(calls)")
            }
            let calls = try await Self.calls("by-caller", at: follower)
            #expect(calls.count >= 2 && Set(calls.map { $0["actor"] }).count == 1, "\(calls)")
            #expect(calls.first?["actor"]?.stringValue?.contains("reporter") == true, "\(calls)")
        }
    }

    /// The entries of the calls themselves: one of each replica that took part.
    private static func calls(_ request: String, at replica: ReplicaSet.Replica) async throws -> [JSONValue] {
        try await Eventually.value("both entries of \(request)") {
            let all = try await AlertCalls.entries("action=monitor.write", at: replica.daemon)
            let found = all.filter { $0["request_id"]?.stringValue == request && $0["outcome"] == "success" }
            return found.count >= 2 ? found : nil
        }
    }

    @Test func aStrangerIsRefusedOnEveryWay() async throws {
        try await Self.with("stranger") { set, plane, own in
            let (leader, follower) = try await Self.roles(set)
            let mark = ("X-Tollgate-Forwarded", "1")
            for (replica, credential, status, code) in [
                (leader, [mark], 401, "auth.missing_token"), (follower, [mark], 401, "auth.missing_token"),
                (leader, [mark, ("Authorization", "Bearer guessed")], 401, "auth.invalid_token"),
                (follower, [mark, ("Authorization", "Bearer guessed")], 401, "auth.invalid_token"),
                // Whoever calls himself a replica is sent no further.
                (follower, [mark, ("Authorization", "Bearer \(AlertCalls.token)")], 503, "k8s.no_leader"),
            ] {
                let answer = try await AlertCalls.send("api", to: replica.daemon, credential: credential)
                #expect(answer.status == status, "\(answer.text)")
                #expect(try answer.json()["code"] == .string(code), "\(answer.text)")
            }
            #expect(try await AlertCalls.mark("api", in: own, plane) == "")
        }
    }

    @Test func replicasThatServeTLSKnowEachOtherByTheirCertificate() async throws {
        let authority = try TestAuthority()
        let pair = try authority.issue(names: ["tollgate.example"], addresses: [])
        let folder = try TemporaryDirectory()
        let settings = [
            "TOLLGATE_TLS_CERT_FILE": try folder.write(pair.certificate, to: "tls.crt"),
            "TOLLGATE_TLS_KEY_FILE": try folder.write(pair.key, to: "tls.key"),
        ]
        try await Self.with("tls", settings: settings) { set, plane, own in
            let (leader, follower) = try await Self.roles(set, trusting: authority.pem)
            let answer = try await AlertCalls.send(
                "api", to: follower.daemon, request: "over-tls", trusting: authority.pem)
            #expect(AlertCalls.result(answer)["result"] == "executed", "\(answer.text)")
            #expect(try await AlertCalls.mark("api", in: own, plane) != "")
            try await Eventually.holds("the outcome") {
                try await AlertCalls.entries(
                    "action=healing.action_ok", at: leader.daemon, trusting: authority.pem
                ).count == 1
            }
        }
        withExtendedLifetime(folder) {}
    }

    /// The Lease is what a follower believes; the certificate is what it trusts.
    @Test func aStrangerInTheLeaseGetsNoCredential() async throws {
        let plane = try RealCluster.plane()
        let own = try await plane.makeNamespace("lease")
        let authority = try TestAuthority()
        let pair = try authority.issue(names: ["tollgate.example"], addresses: [])
        let folder = try TemporaryDirectory()
        let rules = try folder.write(AlertCalls.rules(own, verifyWithin: "0s"), to: "rules.yaml")
        let tls = [
            "TOLLGATE_TLS_CERT_FILE": try folder.write(pair.certificate, to: "tls.crt"),
            "TOLLGATE_TLS_KEY_FILE": try folder.write(pair.key, to: "tls.key"),
        ]
        // Signed by the same authority, for the same name.
        let other = try authority.issue(names: ["tollgate.example"], addresses: [])
        let answer: LoopbackHTTPServer.Handler = { _ in .json("{\"ok\":true,\"results\":[]}") }
        let daemon = try ClusterDaemon(
            "follower", kubeconfig: plane.plane.kubeconfig, own: own, watched: own,
            settings: AlertCalls.settings(rules: rules).merging(tls) { $1 })
        try await LoopbackHTTPServer.with(tls: other, answer) { stranger in
            try await LoopbackHTTPServer.with(answer) { plain in
                try await LoopbackHTTPServer.with(tls: pair, answer) { known in
                    try await Self.hold(plane, own, "stranger", "https://127.0.0.1:\(stranger.port)")
                    try await daemon.running { _ in
                        let send = { (holder: String) async throws -> PlainHTTP.Answer in
                            try await Self.sees(holder, daemon, authority.pem)
                            return try await AlertCalls.send("api", to: daemon, trusting: authority.pem)
                        }
                        let untrusted = try await send("stranger")
                        #expect(untrusted.status == 503 && untrusted.value("retry-after") == "2")
                        #expect(try untrusted.json()["code"] == "k8s.no_leader")
                        #expect(untrusted.text.contains("(untrusted)"), "\(untrusted.text)")
                        try await Self.hold(plane, own, "plain", "http://127.0.0.1:\(plain.port)")
                        #expect(try await send("plain").text.contains("(badAddress)"))
                        try await Self.hold(plane, own, "named", "https://localhost:\(known.port)")
                        #expect(try await send("named").status == 503)
                        #expect(stranger.requests.isEmpty && plain.requests.isEmpty && known.requests.isEmpty)
                        try await Self.hold(plane, own, "known", "https://127.0.0.1:\(known.port)")
                        #expect(try await send("known").status == 200)
                        #expect(known.requests.map { $0.header("x-tollgate-forwarded") } == ["1"])
                        #expect(
                            known.requests.map { $0.header("authorization") } == ["Bearer \(AlertCalls.token)"])
                    }
                }
            }
        }
        withExtendedLifetime(folder) {}
    }

    /// Has somebody hold the Lease for an hour.
    private static func hold(
        _ plane: RealCluster.Plane, _ namespace: String, _ holder: String, _ address: String
    ) async throws {
        let lease = """
            apiVersion: coordination.k8s.io/v1
            kind: Lease
            metadata:
              name: tollgate
              namespace: \(namespace)
              annotations: {tollgate.dev/leader-address: "\(address)"}
            spec: {holderIdentity: \(holder), leaseDurationSeconds: 3600}
            """
        let path = try plane.write(lease, to: "\(namespace)-lease.yaml")
        _ = try await plane.plane.kubectlOutput(["apply", "-f", path])
    }

    /// Waits until a daemon takes somebody for the leader.
    private static func sees(_ holder: String, _ daemon: ClusterDaemon, _ pem: String) async throws {
        try await Eventually.holds("\(holder) to be seen") {
            let status = try await PlainHTTP.send(
                "GET", "/v1/k8s/status", port: daemon.port,
                headers: [("Authorization", "Bearer \(ClusterDaemon.adminToken)")], trusting: pem)
            return try status.json()["leader_identity"]?.stringValue == holder
        }
    }
}
