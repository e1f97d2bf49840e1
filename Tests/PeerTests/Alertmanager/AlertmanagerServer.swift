// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport

/// A real Alertmanager that reports everything to one webhook, every second.
struct AlertmanagerServer {
    let port: Int

    /// Runs `body` while it serves.
    ///
    /// - Parameter webhook: the port of 127.0.0.1 and the bearer token of `POST /alert`.
    static func with<Value>(
        on port: Int, webhook: (port: Int, token: String), _ body: (AlertmanagerServer) async throws -> Value
    ) async throws -> Value {
        let folder = try TemporaryDirectory()
        try folder.write(
            """
            route:
              receiver: tollgate
              group_by: [alertname]
              group_wait: 0s
              group_interval: 1s
              repeat_interval: 1s
            receivers:
              - name: tollgate
                webhook_configs:
                  - url: http://127.0.0.1:\(webhook.port)/alert
                    send_resolved: true
                    http_config: {authorization: {type: Bearer, credentials: \(webhook.token)}}
            """, to: "alertmanager.yml")
        return try await PeerProcess.with(
            name: "alertmanager", executable: PeerPaths.path(of: .alertmanager),
            arguments: [
                "--config.file=\(folder.path("alertmanager.yml"))", "--storage.path=\(folder.path("data"))",
                "--web.listen-address=127.0.0.1:\(port)", "--cluster.listen-address=",
            ], folder: folder
        ) { process in
            try await process.wait(forStatus: 200, of: "/-/ready", port: port)
            return try await body(AlertmanagerServer(port: port))
        }
    }

    /// Fires an alert, or ends it.
    func report(_ labels: JSONObject, endsAt: Timestamp) async throws {
        let alert: JSONValue = [
            "labels": .object(labels), "annotations": ["autoheal": "true"], "startsAt": "2026-01-01T00:00:00Z",
            "endsAt": .string(endsAt.rfc3339),
        ]
        let answer = try await PlainHTTP.send(
            "POST", "/api/v2/alerts", port: port, headers: [("Content-Type", "application/json")],
            body: JSONValue.array([alert]).encoded())
        guard answer.status == 200 else { throw PeerFault(message: "alert: \(answer.status) \(answer.text)") }
    }

    /// The silences it has.
    func silences() async throws -> [JSONValue] {
        try await PlainHTTP.send("GET", "/api/v2/silences", port: port).json().arrayValue ?? []
    }
}
