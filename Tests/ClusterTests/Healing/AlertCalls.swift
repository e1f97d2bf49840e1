// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport

/// Alerts for the Deployments of a namespace, and what became of them.
struct AlertCalls: Sendable {
    static let token = "webhook-token-of-the-replica-tests"
    static let key = "key-of-the-webhook-of-the-replica-tests"

    /// Alert `Restart` restarts the Deployment that its label `name` names.
    static func rules(_ namespace: String, verifyWithin: String) -> String {
        """
        version: 1
        rules:
          - name: restart
            match: {alertname: Restart}
            action: {type: rollout-restart, target: {kind: Deployment, namespace: \(namespace), name: "${labels.name}"}}
            verifyWithin: \(verifyWithin)
        """
    }

    /// A Deployment without pods: a rollout of it is over as soon as its controller has seen it.
    static func workload(_ name: String) -> String {
        """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: \(name)}
        spec:
          replicas: 0
          selector: {matchLabels: {app: \(name)}}
          template:
            metadata: {labels: {app: \(name)}}
            spec: {containers: [{name: c, image: "example.invalid/c:1"}]}
        """
    }

    /// The settings of a live replica.
    static func settings(rules: String) -> [String: String] {
        [
            "AUTOHEAL_ENABLED": "true", "AUTOHEAL_DRY_RUN": "false", "AUTOHEAL_RULES_FILE": rules,
            "AUTOHEAL_WEBHOOK_TOKEN": token, "AUTOHEAL_WEBHOOK_HMAC_KEY": key, "AUTOHEAL_DEDUP_WINDOW_SEC": "0",
        ]
    }

    /// A firing alert as Alertmanager sends it.
    static func body(_ name: String) -> [UInt8] {
        let alert: JSONValue = [
            "status": "firing", "labels": ["alertname": "Restart", "name": .string(name)],
            "annotations": ["autoheal": "true"], "startsAt": "2026-01-01T00:00:00Z",
        ]
        return JSONValue.object(["version": "4", "status": "firing", "alerts": [alert]]).encoded()
    }

    /// Reports it.
    ///
    /// - Parameters:
    ///   - credential: the header fields of the caller.
    ///   - request: names the call in the trail.
    static func send(
        _ name: String, to daemon: ClusterDaemon,
        credential: [(String, String)] = [("Authorization", "Bearer \(token)")],
        request: String? = nil, trusting: String? = nil
    ) async throws -> PlainHTTP.Answer {
        let headers =
            [("Content-Type", "application/json")] + credential + (request.map { [("X-Request-Id", $0)] } ?? [])
        return try await PlainHTTP.send(
            "POST", "/alert", port: daemon.port, headers: headers, body: body(name), trusting: trusting)
    }

    /// What came of the one alert; the whole answer where it is none.
    static func result(_ answer: PlainHTTP.Answer) -> JSONValue {
        // An answer that is no JSON is shown as it is.
        let found = (try? answer.json())?["results"]?.arrayValue?.first
        return found ?? .string("\(answer.status) \(answer.text)")
    }

    /// Entries of the trail, oldest first.
    ///
    /// - Parameter query: such as `action=…`.
    static func entries(
        _ query: String, at daemon: ClusterDaemon, trusting: String? = nil
    ) async throws -> [JSONValue] {
        let answer = try await PlainHTTP.send(
            "GET", "/v1/audit/events?\(query)&order=asc&limit=1000", port: daemon.port,
            headers: [("Authorization", "Bearer \(ClusterDaemon.adminToken)")], trusting: trusting)
        guard answer.status == 200 else { throw PeerFault(message: "\(query): \(answer.status) \(answer.text)") }
        return try answer.json()["events"]?.arrayValue ?? []
    }

    /// What tells when a Deployment was last restarted by a rule; empty when it never was.
    static func mark(_ name: String, in namespace: String, _ plane: RealCluster.Plane) async throws -> String {
        try await plane.plane.kubectlOutput([
            "-n", namespace, "get", "deployment", name, "-o",
            "jsonpath={.spec.template.metadata.annotations.tollgate\\.dev/restartedAt}",
        ])
    }

    /// The generation of a Deployment, which grows with each change of what it asks for.
    static func generation(_ name: String, in namespace: String, _ plane: RealCluster.Plane) async throws -> String {
        try await plane.plane.kubectlOutput([
            "-n", namespace, "get", "deployment", name, "-o", "jsonpath={.metadata.generation}",
        ])
    }
}
