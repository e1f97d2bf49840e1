// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport
internal import Testing

/// What the console's buttons send, as it sends it, to a real daemon beside a real Alertmanager.
@Suite(.timeLimit(.minutes(20))) struct ConsoleActionTests {
    private static let token = "webhook-token-of-the-console-tests"
    private static let rules = """
        version: 1
        rules:
          - name: restart
            match: {alertname: ApiDown}
            action: {type: rollout-restart, target: {kind: Deployment, namespace: default, name: "${labels.app}"}}
            cooldown: 0s
        """

    /// Runs `body` with a daemon and its Alertmanager.
    private static func running(
        _ body: (TollgateDaemon, AlertmanagerServer, ConsoleSession) async throws -> Void
    ) async throws {
        let folder = try TemporaryDirectory()
        try folder.write(rules, to: "rules.yaml")
        let port = try FreePort.next()
        let daemon = try TollgateDaemon(
            manifests: ProxyContract.manifests,
            settings: [
                "AUTOHEAL_ENABLED": "true", "AUTOHEAL_DRY_RUN": "false",
                "AUTOHEAL_RULES_FILE": folder.path("rules.yaml"), "AUTOHEAL_WEBHOOK_TOKEN": token,
                "ALERTMANAGER_URL": "http://127.0.0.1:\(port)", "AUTOHEAL_DEDUP_WINDOW_SEC": "0",
                "AUTOHEAL_BUDGET_PER_TARGET": "100", "AUTOHEAL_BUDGET_PER_HOUR": "100",
            ])
        try await AlertmanagerServer.with(on: port, webhook: (daemon.port, token)) { alertmanager in
            try await daemon.running { _ in
                let session = try await ConsoleSession.begin(with: TollgateDaemon.adminToken, port: daemon.port)
                try await body(daemon, alertmanager, session)
            }
        }
        withExtendedLifetime(folder) {}
    }

    private static func events(_ action: String, _ daemon: TollgateDaemon) async throws -> [JSONValue] {
        let answer = try await daemon.call("GET", "/v1/audit/events?action=\(action)&order=asc&limit=1000")
        return try answer.json()["events"]?.arrayValue ?? []
    }

    /// Reports an alert as Alertmanager does.
    private static func fire(_ daemon: TollgateDaemon) async throws -> JSONValue {
        let alert: JSONValue = [
            "status": "firing", "labels": ["alertname": "ApiDown", "app": "api"], "annotations": ["autoheal": "true"],
            "startsAt": "2026-01-01T00:00:00Z",
        ]
        let body: JSONValue = ["version": "4", "status": "firing", "alerts": [alert]]
        let answer = try await PlainHTTP.send(
            "POST", "/alert", port: daemon.port,
            headers: [("Authorization", "Bearer \(token)"), ("Content-Type", "application/json")],
            body: body.encoded())
        return try answer.json()["results"]?.arrayValue?.first ?? .string("\(answer.status) \(answer.text)")
    }

    @Test func anAcknowledgementSilencesInItsPersonsName() async throws {
        try await Self.running { daemon, alertmanager, session in
            let body: JSONValue = [
                "labels": ["alertname": "ApiDown", "app": "api"], "duration": "30m", "comment": "from the console",
            ]
            let strange = try await session.ask("POST", "/ack", port: daemon.port, body: body, isProven: false)
            #expect(strange.status == 403)
            #expect(try strange.json()["code"] == "auth.csrf")
            #expect(try await alertmanager.silences().isEmpty)

            let answer = try await session.ask("POST", "/ack", port: daemon.port, body: body)
            #expect(answer.status == 200, "\(answer.text)")
            let id = try answer.json()["silenceId"]
            let silences = try await alertmanager.silences()
            #expect(silences.map { $0["id"] } == [id])
            let me = try await session.ask("GET", "/v1/auth/session", port: daemon.port).json()["user_id"]
            #expect(me?.stringValue?.isEmpty == false && silences.first?["createdBy"] == me, "\(silences)")
            #expect(silences.first?["comment"] == "from the console")
            let events = try await Self.events("healing.ack", daemon)
            #expect(events.map { $0["actor"] } == [me] && events.first?["metadata"]?["silenceId"] == id)

            // What is silenced is reported no more, and what the console was told stands in its own list.
            let list = try await session.ask("GET", "/audit?n=200&kind=ack", port: daemon.port)
            #expect(list.status == 200 && list.text.contains(id?.stringValue ?? "-"), "\(list.text)")
        }
    }

    @Test func resumingLetsActionsHappenAgain() async throws {
        try await Self.running { daemon, _, session in
            for round in 0..<5 {
                let result = try await Self.fire(daemon)
                #expect(result["result"] == "failed", "round \(round): \(result)")
            }
            let halted = try await Self.fire(daemon)
            #expect(halted["result"] == "skipped" && halted["reason"] == "halted", "\(halted)")
            let ready = try await PlainHTTP.send("GET", "/readyz?verbose", port: daemon.probePort)
            #expect(ready.status == 200 && ready.text.contains("5 failures in a row"), "\(ready.text)")

            let strange = try await session.ask(
                "POST", "/v1/healing/resume", port: daemon.port, body: [:], isProven: false)
            #expect(strange.status == 403)
            #expect(try strange.json()["code"] == "auth.csrf")
            #expect(try await Self.fire(daemon)["reason"] == "halted")

            let answer = try await session.ask("POST", "/v1/healing/resume", port: daemon.port, body: [:])
            #expect(answer.status == 200, "\(answer.text)")
            #expect(try answer.json()["was_halted"] == true)
            #expect(try await Self.fire(daemon)["result"] == "failed")
            let again = try await session.ask("POST", "/v1/healing/resume", port: daemon.port, body: [:])
            #expect(try again.json()["was_halted"] == false)

            let events = try await daemon.call("GET", "/v1/audit/events?resource=healing&order=asc")
            let resumed = try events.json()["events"]?.arrayValue ?? []
            #expect(resumed.map { $0["metadata"]?["was_halted"] } == [true, false], "\(events.text)")
        }
    }
}
