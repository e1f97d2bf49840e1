// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Crypto
internal import Essentials
internal import HTTPService
internal import HTTPTypes
internal import Healing
internal import TestSupport
internal import Testing

@Suite struct AlertWebhookTests {
    private static let body =
        #"{"version":"4","status":"firing","alerts":[{"status":"firing","labels":{"alertname":"A"},"fingerprint":"f"}]}"#

    private static func signed(at seconds: Int64, body: String = body) -> [(String, String)] {
        let code = HMAC<SHA256>.authenticationCode(
            for: Array("\(seconds).\(body)".utf8), using: SymmetricKey(data: HealingGate.key.revealed))
        return [
            ("X-Tollgate-Timestamp", String(seconds)), ("X-Tollgate-Signature", "sha256=" + Hex.encode(Array(code))),
        ]
    }

    @Test func acceptsTheToken() async throws {
        let world = HealingGate()
        let reply = try await world.gate.send(
            .post, "/alert", [("Authorization", "Bearer \(HealingGate.token)")], body: Self.body)
        #expect(reply.status == 200)
        #expect(
            reply.json == [
                "ok": true,
                "results": [
                    ["alert": "A", "fingerprint": "f", "result": "skipped", "reason": "disabled", "cmd": nil]
                ],
            ])
        let entry = try #require(world.gate.audit.durable.first)
        #expect(entry.actor == "alertmanager" && entry.action == "monitor.write" && entry.tenant == nil)
        #expect(world.gate.decider.own.isEmpty, "the webhook's token is no credential of the own API")
        let metrics = String(decoding: world.gate.registry.text(), as: UTF8.self)
        #expect(metrics.contains("autoheal_webhook_requests_total{code=\"200\"} 1\n"))
    }

    @Test(arguments: [("Bearer wrong-token-0123456789", 401), ("Basic d2ViaG9vazp4", 401), ("", 401)])
    func refusesAnotherToken(_ value: String, _ status: Int) async throws {
        let world = HealingGate()
        let reply = try await world.gate.send(
            .post, "/alert", value.isEmpty ? [] : [("Authorization", value)], body: Self.body)
        #expect(reply.status == status && reply.code == "auth.missing_token")
        #expect(world.desk.payloads.isEmpty)
    }

    @Test func acceptsACallersOwnCredential() async throws {
        let world = HealingGate(knows: true)
        #expect(try await world.gate.send(.post, "/alert", body: Self.body).status == 200)
        #expect(world.gate.audit.durable.first?.actor == "ann")
    }

    @Test func acceptsASignatureOfNow() async throws {
        let world = HealingGate(token: nil, key: HealingGate.key)
        let now = world.gate.clock.now().seconds
        #expect(try await world.gate.send(.post, "/alert", Self.signed(at: now), body: Self.body).status == 200)
        for (headers, body) in [
            (Self.signed(at: now - 301), Self.body), (Self.signed(at: now), Self.body + " "),
            (Array(Self.signed(at: now).prefix(1)), Self.body),
        ] {
            let reply = try await world.gate.send(.post, "/alert", headers, body: body)
            #expect(reply.status == 401 && reply.code == "auth.missing_token")
        }
        #expect(world.desk.payloads.count == 1)
    }

    @Test func acceptsAnAddressOfTheConnection() async throws {
        let near = HealingGate(token: nil, networks: ["192.0.2.0/24"])
        #expect(try await near.gate.send(.post, "/alert", body: Self.body).status == 200)
        let far = HealingGate(token: nil, networks: ["192.0.2.0/24"], peer: "198.51.100.1")
        let reply = try await far.gate.send(
            .post, "/alert", [("X-Forwarded-For", "192.0.2.1")], body: Self.body)
        #expect(reply.status == 401)
    }

    @Test func saysWhenNothingIsConfigured() async throws {
        let world = HealingGate(token: nil, knows: true)
        let reply = try await world.gate.send(.post, "/alert", body: Self.body)
        #expect(reply.status == 503 && reply.code == "healing.webhook_not_configured")
        #expect(
            reply.message
                == "No webhook credential is configured: set AUTOHEAL_WEBHOOK_TOKEN, _HMAC_KEY or _CIDRS")
    }

    @Test(arguments: [
        ("", "body is not JSON (unexpectedEnd at byte 0)"), ("[]", "body is not an object"),
        (#"{"version":"5","status":"firing","alerts":[]}"#, "version is not 4: only that version is understood"),
    ])
    func refusesAnotherBody(_ body: String, _ message: String) async throws {
        let world = HealingGate(networks: ["192.0.2.0/24"])
        let reply = try await world.gate.send(.post, "/alert", body: body)
        #expect(reply.status == 400 && reply.code == "healing.bad_payload" && reply.message == message)
        #expect(world.desk.payloads.isEmpty)
    }

    @Test func boundsTheBody() async throws {
        let world = HealingGate(token: nil, key: HealingGate.key)
        let body = String(repeating: " ", count: AlertPayload.maximumBytes + 1)
        let now = world.gate.clock.now().seconds
        let reply = try await world.gate.send(.post, "/alert", Self.signed(at: now, body: body), body: body)
        #expect(reply.status == 413 && reply.code == "request.too_large")
    }

    @Test func resumesAndTellsWhatIsOn() async throws {
        let world = HealingGate(knows: true)
        let first = try await world.gate.send(.post, "/v1/healing/resume", body: "{}")
        #expect(first.status == 200 && first.json == ["ok": true, "was_halted": true])
        #expect(try await world.gate.send(.post, "/v1/healing/resume").json == ["ok": true, "was_halted": false])
        let unknown = try await world.gate.send(.post, "/v1/healing/resume", body: #"{"x":1}"#)
        #expect(unknown.status == 400 && unknown.message == "Unknown member: x")
        #expect(try await world.gate.send(.get, "/").json == ["status": "ok"])
    }
}
