// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Healing
internal import TestSupport
internal import Testing

/// A real Alertmanager and a real Tollgate.
@Suite(.timeLimit(.minutes(20))) struct AlertmanagerTests {
    private static let token = "webhook-token-of-the-peer-tests"
    private static let secret = "secret-of-the-notices-0123456789"
    private static let rules = """
        version: 1
        rules:
          - name: tell
            match: {alertname: QueueHigh}
            action: {type: notify}
            notify: [webhook]
          - name: restart
            match: {alertname: ApiDown}
            action: {type: rollout-restart, target: {kind: Deployment, namespace: default, name: "${labels.app}"}}
            notify: [webhook]
        """

    /// The events of a kind that the trail has, oldest first.
    private static func events(_ kind: String, _ daemon: TollgateDaemon) async throws -> [JSONValue] {
        let answer = try await daemon.call("GET", "/v1/audit/events?action=healing.\(kind)&order=asc&limit=1000")
        return (try answer.json()["events"]?.arrayValue ?? []).compactMap { $0["metadata"] }
    }

    private static func skips(_ reason: String, _ alert: String, _ daemon: TollgateDaemon) async throws -> Int {
        try await events("decision_skip", daemon).count {
            $0["reason"]?.stringValue == reason && $0["alertname"]?.stringValue == alert
        }
    }

    @Test func alertsLeadToActionsOnce() async throws {
        let folder = try TemporaryDirectory()
        try folder.write(Self.rules, to: "rules.yaml")
        let port = try FreePort.next()
        try await LoopbackHTTPServer.with({ _ in .json("{}") }) { receiver in
            let daemon = try TollgateDaemon(
                manifests: ProxyContract.manifests,
                settings: [
                    "AUTOHEAL_ENABLED": "true", "AUTOHEAL_DRY_RUN": "false",
                    "AUTOHEAL_RULES_FILE": folder.path("rules.yaml"), "AUTOHEAL_WEBHOOK_TOKEN": Self.token,
                    "ALERTMANAGER_URL": "http://127.0.0.1:\(port)", "AUTOHEAL_NOTIFY_URL": "\(receiver.url)/notices",
                    "AUTOHEAL_NOTIFY_SECRET": Self.secret, "AUTOHEAL_DEDUP_WINDOW_SEC": "0",
                ])
            try await AlertmanagerServer.with(on: port, webhook: (daemon.port, Self.token)) { alertmanager in
                try await daemon.running { _ in
                    try await Self.fire(alertmanager)
                    try await Self.checkActions(daemon, receiver)
                    try await Self.checkSilence(daemon, alertmanager)
                }
                try await daemon.running { _ in
                    // It is reported every second: after the restart too it is in its cooldown.
                    let before = try await Self.skips("cooldown", "QueueHigh", daemon)
                    try await Eventually.holds("cooldowns after the restart") {
                        try await Self.skips("cooldown", "QueueHigh", daemon) > before
                    }
                    try await Self.end(alertmanager, daemon)
                    #expect(try await Self.events("action_ok", daemon).count == 1)
                    #expect(try await Self.events("action_fail", daemon).count == 1)
                    #expect(receiver.requests.count == 2)
                }
            }
            withExtendedLifetime(folder) {}
        }
    }

    private static func fire(_ alertmanager: AlertmanagerServer) async throws {
        let later = SystemWallClock().now().adding(seconds: 3600)
        try await alertmanager.report(["alertname": "QueueHigh"], endsAt: later)
        try await alertmanager.report(["alertname": "ApiDown", "app": "api"], endsAt: later)
    }

    private static func checkActions(_ daemon: TollgateDaemon, _ receiver: LoopbackHTTPServer) async throws {
        for alert in ["QueueHigh", "ApiDown"] {
            try await Eventually.holds("a cooldown of \(alert)") { try await skips("cooldown", alert, daemon) > 0 }
        }
        let done = try await events("action_ok", daemon)
        #expect(done.count == 1 && done.first?["cmd"] == "notify" && done.first?["alertname"] == "QueueHigh")
        let failed = try await events("action_fail", daemon)
        #expect(failed.count == 1 && failed.first?["cmd"] == "rollout-restart deployment/default/api")
        #expect(failed.first?["err"] == "no cluster: this Tollgate runs without one, it can only notify")
        try await Eventually.holds("two notices") { receiver.requests.count == 2 }
        for request in receiver.requests {
            let id = try #require(request.header("webhook-id"))
            let timestamp = try #require(request.header("webhook-timestamp"))
            #expect(
                request.header("webhook-signature")
                    == WebhookSignature.notice(
                        id: id, timestamp: timestamp, body: request.body, key: Redacted(Array(secret.utf8))))
        }
        let metrics = try await PlainHTTP.send("GET", "/metrics", port: daemon.probePort).text
        #expect(metrics.contains("autoheal_actions_total{alertname=\"QueueHigh\",result=\"executed\"} 1\n"))
        #expect(metrics.contains("autoheal_actions_total{alertname=\"ApiDown\",result=\"failed\"} 1\n"))
    }

    private static func checkSilence(_ daemon: TollgateDaemon, _ alertmanager: AlertmanagerServer) async throws {
        let answer = try await daemon.call(
            "POST", "/ack",
            body: ["labels": ["alertname": "Other", "app": "a b"], "duration": "2h", "comment": "mine"])
        #expect(answer.status == 200, "\(answer.text)")
        let id = try answer.json()["silenceId"]
        let silence = try #require(try await alertmanager.silences().first { $0["id"] == id })
        #expect(silence["comment"] == "mine" && silence["status"]?["state"] == "active")
        #expect(silence["matchers"]?.arrayValue?.map { $0["name"] } == ["alertname", "app"])
        let events = try await events("ack", daemon)
        #expect(events.map { $0["silenceId"] } == [id])
    }

    private static func end(_ alertmanager: AlertmanagerServer, _ daemon: TollgateDaemon) async throws {
        try await alertmanager.report(
            ["alertname": "ApiDown", "app": "api"], endsAt: SystemWallClock().now().adding(seconds: -1))
        try await Eventually.holds("the end of the alert") { try await skips("resolved", "ApiDown", daemon) > 0 }
    }
}
