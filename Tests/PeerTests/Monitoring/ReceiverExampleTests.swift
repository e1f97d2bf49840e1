// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import TestSupport
internal import Testing

/// A real Alertmanager with the shipped example.
@Suite(.timeLimit(.minutes(20))) struct ReceiverExampleTests {
    private static let credential = "the-token-of-the-webhook"

    /// The example, in which only where it sends to, where the credential is and how long it waits is another.
    private static func configuration(_ url: String, _ folder: TemporaryDirectory) throws -> String {
        var text = try MonitoringFiles.text(
            MonitoringFiles.path("manifests/monitoring/prometheus/alertmanager.yml"))
        for (old, new) in [
            ("http://tollgate.tollgate-system.svc/alert", url + "/alert"),
            ("/etc/alertmanager/secrets/tollgate-autoheal/webhookToken", try folder.write(credential, to: "token")),
            ("group_wait: 10s", "group_wait: 1s"), ("group_interval: 1m", "group_interval: 1s"),
        ] {
            guard text.contains(old) else { throw PeerFault(message: "the example does not hold \(old)") }
            text = text.replacing(old, with: new)
        }
        return try folder.write(text, to: "alertmanager.yml")
    }

    @Test func sendsWhatOptsInAndNothingElse() async throws {
        let folder = try TemporaryDirectory()
        try await LoopbackHTTPServer.with({ _ in .json("{}") }) { receiver in
            let (port, configuration) = (try FreePort.next(), try Self.configuration(receiver.url, folder))
            try await PeerProcess.with(
                name: "alertmanager", executable: PeerPaths.path(of: .alertmanager),
                arguments: [
                    "--config.file=\(configuration)", "--storage.path=\(folder.path("data"))",
                    "--web.listen-address=127.0.0.1:\(port)", "--cluster.listen-address=",
                ], folder: folder
            ) { process in
                try await process.wait(forStatus: 200, of: "/-/ready", port: port)
                try await Self.post(["alertname": "Quiet", "namespace": "crm"], port)
                try await Self.post(["alertname": "Down", "namespace": "crm", "autoheal": "true"], port)
                try await process.wait(for: "the firing alert to be sent") { !receiver.requests.isEmpty }
                try await Self.post(
                    ["alertname": "Down", "namespace": "crm", "autoheal": "true"], port, endsAt: "2020-01-01T00:00:00Z")
                try await process.wait(for: "the resolved alert to be sent") { receiver.requests.count >= 2 }
            }
            let bodies = try receiver.requests.map { request in
                #expect(request.method == "POST" && request.path == "/alert")
                #expect(request.header("authorization") == "Bearer \(Self.credential)")
                return try JSONParser.parse(request.body)
            }
            #expect(bodies.allSatisfy { $0["version"] == "4" && $0["receiver"] == "tollgate" })
            let alerts = bodies.flatMap { $0["alerts"]?.arrayValue ?? [] }
            #expect(Set(alerts.map { $0["labels"]?["alertname"]?.stringValue }) == ["Down"])
            #expect(alerts.first?["status"] == "firing" && alerts.last?["status"] == "resolved")
        }
    }

    private static func post(_ labels: JSONValue, _ port: Int, endsAt: String? = nil) async throws {
        var alert: JSONObject = ["labels": labels, "startsAt": "2019-12-31T00:00:00Z"]
        alert["endsAt"] = endsAt.map { .string($0) }
        let answer = try await PlainHTTP.send(
            "POST", "/api/v2/alerts", port: port, headers: [("Content-Type", "application/json")],
            body: JSONValue.array([.object(alert)]).encoded())
        guard answer.status == 200 else { throw PeerFault(message: "\(answer.status) \(answer.text)") }
    }
}
