// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport
internal import Testing

extension ReplicaSet {
    /// Runs `body` with three replicas and an installation that they have put in force.
    ///
    /// - Parameter settings: of every replica, beside the usual ones.
    static func installed(
        _ name: String, settings: [String: String] = [:], _ body: (ReplicaSet, Installation) async throws -> Void
    ) async throws {
        let plane = try RealCluster.plane()
        let own = try await plane.makeNamespace("own")
        let place = Installation(namespace: try await plane.makeNamespace(name))
        _ = try await plane.plane.kubectlOutput(["label", "namespace", place.namespace, "tollgate.dev/tenant=acme"])
        let path = try plane.write(place.objects(), to: "\(name).yaml")
        _ = try await plane.plane.kubectlOutput(["apply", "--server-side", "-f", path])
        let usual = [
            "TOLLGATE_AUTH_RATE_LIMIT_IP": "0", "TOLLGATE_AUTH_RATE_LIMIT_IDENTITY": "0",
            "TOLLGATE_BILLING_PLANS_FILE": try UnlimitedPlans.file(in: plane.plane.folder),
        ]
        try await with(
            3, at: .init(plane: plane, own: own, watched: "\(own),\(place.namespace)"),
            settings: usual.merging(settings) { $1 }
        ) { set in
            _ = try await plane.plane.kubectlOutput([
                "-n", place.namespace, "wait", "--for=condition=Ready", "--timeout=300s", "authconfig/api",
                "servicetoken/ci",
            ])
            for replica in set.replicas {
                try await replica.waits(for: "allow", host: place.host, token: try place.token())
            }
            try await body(set, place)
        }
    }

    /// Asks for decisions over the balancer without a pause while `body` runs, and writes beside it.
    func underLoad(
        _ place: Installation, writer: SteadyWriter? = nil, _ body: () async throws -> Void
    ) async throws -> SteadyLoad {
        let headers = [
            "Authorization": "Bearer \(try place.token())", "X-Original-URL": "http://\(place.host)/v1/me",
            "X-Original-Method": "GET",
        ]
        return try await SteadyLoad.during("/v1/forward-auth/nginx", port: port, headers: headers, connections: 16) {
            try await withThrowingTaskGroup(of: Void.self) { group in
                if let writer { group.addTask { await writer.run() } }
                defer { group.cancelAll() }
                try await body()
            }
        }
    }

    /// Waits until one of them leads.
    func waitForLeader(otherThan former: Replica? = nil) async throws -> Replica {
        var found: Replica?
        try await Eventually.holds("a leader") {
            guard let leader = try await leader(), leader.name != former?.name else { return false }
            found = leader
            return true
        }
        return try #require(found)
    }

    /// Waits until every replica takes every one of those tokens.
    func allKnow(_ tokens: [String: String], host: String) async throws {
        for (_, text) in tokens.sorted(by: { $0.key < $1.key }) {
            for replica in replicas { try await replica.waits(for: "allow", host: host, token: text) }
        }
    }
}

extension ReplicaSet.Replica {
    /// Makes a token.
    ///
    /// - Returns: its text.
    func mint(_ identifier: String) async throws -> String {
        let answer = try await call(
            "/v1/service-tokens", body: ["identifier": .string(identifier), "scopes": ["tasks:read"]])
        guard answer.status == 201, let secret = try answer.json()["secret"]?.stringValue else {
            throw PeerFault(message: "no token \(identifier): \(answer.status) \(answer.text)")
        }
        return secret
    }

    /// Revokes a token.
    func revoke(_ identifier: String) async throws {
        let answer = try await call("/v1/service-tokens/\(identifier)/revoke", body: ["reason": "the test"])
        guard answer.status == 204 else {
            throw PeerFault(message: "\(identifier) is not revoked: \(answer.status) \(answer.text)")
        }
    }

    /// Waits until a decision is `allow`, or refused with that code.
    func waits(for outcome: String, host: String, token: String) async throws {
        try await Eventually.holds("\(name) to say \(outcome)") {
            try await daemon.decide(host: host, token: token) == outcome
        }
    }

    /// Waits until a metric without labels has that value.
    func waits(forMetric metric: String, of value: Double) async throws {
        try await Eventually.holds("\(metric) of \(name) to be \(value)") {
            let line = try await daemon.metrics().split(separator: "\n").first { $0.hasPrefix(metric + " ") }
            return line.flatMap { Double($0.split(separator: " ")[1]) } == value
        }
    }

    private func call(_ path: String, body: JSONValue) async throws -> PlainHTTP.Answer {
        try await PlainHTTP.send(
            "POST", path, port: daemon.port,
            headers: [
                ("Authorization", "Bearer \(ClusterDaemon.adminToken)"), ("Content-Type", "application/json"),
            ], body: body.encoded())
    }
}
