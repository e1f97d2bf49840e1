// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import TestSupport
internal import Testing

extension RealCluster {
    /// Three replicas over one database: what one was told, all know, and no fault of one is seen from outside.
    ///
    /// `TOLLGATE_REPLICA_REVOCATIONS` says how many revocations are timed (60; `make soak` 1000).
    @Suite struct ReplicaTests {
        private func withReplicas(
            _ name: String, _ body: (ReplicaSet, Installation) async throws -> Void
        ) async throws {
            let plane = try RealCluster.plane()
            let own = try await plane.makeNamespace("own")
            let place = Installation(namespace: try await plane.makeNamespace(name))
            _ = try await plane.plane.kubectlOutput(["label", "namespace", place.namespace, "tollgate.dev/tenant=acme"])
            let path = try plane.write(place.objects(), to: "\(name).yaml")
            _ = try await plane.plane.kubectlOutput(["apply", "--server-side", "-f", path])
            let settings = ["TOLLGATE_AUTH_RATE_LIMIT_IP": "0", "TOLLGATE_AUTH_RATE_LIMIT_IDENTITY": "0"]
            try await ReplicaSet.with(
                3, at: .init(plane: plane, own: own, watched: "\(own),\(place.namespace)"), settings: settings
            ) { set in
                _ = try await plane.plane.kubectlOutput([
                    "-n", place.namespace, "wait", "--for=condition=Ready", "--timeout=120s", "authconfig/api",
                    "servicetoken/ci",
                ])
                try await body(set, place)
            }
        }
    }
}

extension RealCluster.ReplicaTests {
    /// A token for the tests' host, made at one replica.
    private func mint(_ identifier: String, at replica: ReplicaSet.Replica) async throws -> String {
        let answer = try await call(
            "POST", "/v1/service-tokens", at: replica,
            body: ["identifier": .string(identifier), "scopes": ["tasks:read"]])
        guard answer.status == 201, let secret = try answer.json()["secret"]?.stringValue else {
            throw PeerFault(message: "no token \(identifier): \(answer.status) \(answer.text)")
        }
        return secret
    }

    private func call(
        _ method: String, _ path: String, at replica: ReplicaSet.Replica, body: JSONValue? = nil
    ) async throws -> PlainHTTP.Answer {
        try await PlainHTTP.send(
            method, path, port: replica.daemon.port,
            headers: [
                ("Authorization", "Bearer \(ClusterDaemon.adminToken)"), ("Content-Type", "application/json"),
            ], body: body?.encoded() ?? [])
    }

    private func isKnown(_ token: String, at replica: ReplicaSet.Replica, host: String, as expected: String)
        async throws
    {
        try await Eventually.holds("\(replica.name) to say \(expected)") {
            try await replica.daemon.decide(host: host, token: token) == expected
        }
    }

    @Test func noRequestFailsInARollingRestart() async throws {
        try await withReplicas("rolling") { set, place in
            let headers = [
                "Authorization": "Bearer \(try place.token())", "X-Original-URL": "http://\(place.host)/v1/me",
                "X-Original-Method": "GET",
            ]
            let load = try await withThrowingTaskGroup(of: SteadyLoad?.self) { group in
                group.addTask {
                    try await SteadyLoad.run(
                        "/v1/forward-auth/nginx", port: set.port, headers: headers, connections: 16, seconds: 30)
                }
                group.addTask {
                    for replica in set.replicas {
                        #expect(try await set.stop(replica) == 0)
                        try await set.start(replica)
                    }
                    return nil
                }
                return try await group.reduce(nil) { $0 ?? $1 }
            }
            let made = try #require(load)
            print("rolling restart of three replicas: \(made)")
            #expect(made.refused == 0 && made.broken == 0 && made.requests > 1_000, "\(made)")
        }
    }

    @Test func whatOneReplicaWasToldAllKnow() async throws {
        let count = ProcessInfo.processInfo.environment["TOLLGATE_REPLICA_REVOCATIONS"].flatMap(Int.init) ?? 60
        try await withReplicas("known") { set, place in
            let others = Array(set.replicas.dropFirst())
            var delays: [Duration] = []
            for number in 0..<count {
                let token = try await mint("known-\(number)", at: set.replicas[0])
                for other in others { try await isKnown(token, at: other, host: place.host, as: "allow") }
                let began = ContinuousClock.now
                let answer = try await call(
                    "POST", "/v1/service-tokens/known-\(number)/revoke", at: set.replicas[0],
                    body: ["reason": "the test"])
                #expect(answer.status == 204)
                for other in others { try await isKnown(token, at: other, host: place.host, as: "auth.token_revoked") }
                delays.append(ContinuousClock.now - began)
            }
            delays.sort()
            print("revoked everywhere: p50 \(delays[count / 2]), p99 \(delays[count * 99 / 100]), \(count) times")
            #expect(delays[count * 99 / 100] < .seconds(1), "\(delays)")
        }
    }
}
