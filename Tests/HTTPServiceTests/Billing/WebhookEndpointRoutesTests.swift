// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Billing
internal import Essentials
internal import HTTPTypes
internal import TestSupport
internal import Testing

@Suite struct WebhookEndpointRoutesTests {
    private static let base = "/v1/billing/webhook-endpoints"
    private static let body = #"{"url":"https://hooks.example.com/a","types":["billing.alert"],"description":"ops"}"#

    @Test func servesTheWholeLife() async throws {
        let world = try BillingGate()
        let made = try await world.send(.post, Self.base, Self.body)
        let id = try #require(made.json["id"]?.stringValue)
        let secret = try #require(made.json["secret"]?.stringValue)
        let shown: JSONObject = [
            "id": .string(id), "url": "https://hooks.example.com/a", "types": ["billing.alert"],
            "description": "ops", "enabled": true, "disabled_reason": nil, "created_at": "2026-03-01T12:00:00Z",
            "previous_secret_until": nil,
        ]
        #expect(made.status == 201 && secret.hasPrefix("whsec_"))
        #expect(try await world.send(.get, Self.base).json == ["endpoints": [.object(shown)]])
        #expect(try await world.send(.get, "\(Self.base)/\(id)").json == .object(shown))
        let rotated = try await world.send(.post, "\(Self.base)/\(id)/rotate-secret")
        #expect(rotated.status == 200 && rotated.json["previous_secret_until"] == "2026-03-02T12:00:00Z")
        let next = try #require(rotated.json["secret"]?.stringValue)
        #expect(next != secret)
        let off = #"{"url":"https://hooks.example.com/b","enabled":false}"#
        let changed = try await world.send(.put, "\(Self.base)/\(id)", off)
        #expect(changed.status == 200 && changed.json["enabled"] == false && changed.json["types"] == [])
        #expect(world.gate.audit.durable.last?.metadata["before"]?["url"] == "https://hooks.example.com/a")
        #expect(try await world.send(.delete, "\(Self.base)/\(id)").status == 204)
        for (method, path) in [
            (HTTPRequest.Method.get, ""), (.delete, ""), (.post, "/rotate-secret"), (.get, "/deliveries"),
            (.post, "/deliveries/d/resend"),
        ] {
            let gone = try await world.send(method, "\(Self.base)/\(id)\(path)")
            #expect(gone.told == "404 billing.not_found: There is no such thing in this account", "\(path)")
        }
        for entry in world.gate.audit.durable + world.gate.audit.queued {
            #expect(!"\(entry)".contains(secret) && !"\(entry)".contains(next))
        }
    }

    @Test func aSecretIsNotRepeated() async throws {
        let world = try BillingGate()
        let key = [("Idempotency-Key", "k")]
        let first = try await world.send(.post, Self.base, Self.body, as: "olga@acme", key)
        let second = try await world.send(.post, Self.base, Self.body, as: "olga@acme", key)
        #expect(second.status == 201 && second.json["id"] == first.json["id"] && second.json["secret"] == .null)
    }

    @Test(arguments: [
        (#"{"url":"http://hooks.example.com"}"#, 422), (#"{"url":"https://127.0.0.1/"}"#, 422), ("{}", 422),
        (#"{"url":"https://a.example","types":["x"]}"#, 422), (#"{"url":"https://a.example","x":1}"#, 400),
    ])
    func refusesWhatIsNoEndpoint(_ body: String, _ status: Int) async throws {
        let world = try BillingGate()
        #expect(try await world.send(.post, Self.base, body).status == status)
        #expect(try await world.send(.get, Self.base).json == ["endpoints": []])
    }

    @Test func anAccountHasTwentyAtMost() async throws {
        let world = try BillingGate()
        for _ in 0..<20 { #expect(try await world.send(.post, Self.base, Self.body).status == 201) }
        let reply = try await world.send(.post, Self.base, Self.body)
        #expect(reply.told == "422 request.invalid: An account has at most 20 endpoints")
    }

    @Test func listsAndResendsDeliveries() async throws {
        let world = try BillingGate()
        let id = try #require(try await world.send(.post, Self.base, Self.body).json["id"]?.stringValue)
        let other = try #require(try await world.send(.post, Self.base, Self.body).json["id"]?.stringValue)
        let now = world.clock.now()
        try await world.ledger.transact("acme") { transaction in
            for number in 0..<3 {
                try transaction.add([
                    DeliveryRow(
                        id: "d\(number)", account: "acme", endpoint: id, message: "msg_\(number)",
                        type: "billing.alert", body: "{}", attempts: 10, nextAt: nil, state: "failed",
                        lastStatus: 500, createdAt: now.adding(seconds: Int64(number)))
                ])
            }
        }
        let path = "\(Self.base)/\(id)/deliveries"
        let page = try await world.send(.get, path + "?limit=2")
        let cursor = try #require(page.json["next_cursor"]?.stringValue)
        #expect(page.json["deliveries"]?.arrayValue?.compactMap { $0["id"] } == ["d2", "d1"])
        let rest = try await world.send(.get, path + "?limit=2&cursor=\(cursor)")
        #expect(
            rest.json == [
                "deliveries": [
                    [
                        "id": "d0", "message_id": "msg_0", "type": "billing.alert", "state": "failed",
                        "attempts": 10, "last_status": 500, "next_attempt_at": nil,
                        "created_at": "2026-03-01T12:00:00Z",
                    ]
                ], "next_cursor": nil,
            ])
        #expect(try await world.send(.get, path + "?cursor=x").fields == ["cursor"])
        let again = try await world.send(.post, path + "/d0/resend")
        #expect(again.status == 200 && again.json["state"] == "waiting" && again.json["attempts"] == 0)
        #expect(again.json["next_attempt_at"] == "2026-03-01T12:00:00Z")
        let wrong = try await world.send(.post, "\(Self.base)/\(other)/deliveries/d1/resend")
        #expect(wrong.status == 404 && wrong.code == "billing.not_found")
        #expect(try await world.send(.get, path).json["deliveries"]?.arrayValue?[1]["state"] == "failed")
        let stranger = try await world.send(.post, path + "/d0/resend", as: "eve@other")
        #expect(stranger.status == 404 && stranger.code == "billing.not_found")
    }
}
