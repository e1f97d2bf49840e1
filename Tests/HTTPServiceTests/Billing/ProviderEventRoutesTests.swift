// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Billing
internal import Crypto
internal import Essentials
internal import HTTPService
internal import HTTPTypes
internal import TestSupport
internal import Testing

@Suite struct ProviderEventRoutesTests {
    static let updated = """
        {"id":"evt_1","type":"customer.subscription.updated","created":1772366400,"livemode":false,"data":{"object":{
        "id":"sub_1","object":"subscription","customer":"cus_acme","status":"active","cancel_at_period_end":false,
        "current_period_start":1772323200,"current_period_end":1775001600,
        "metadata":{"tollgate_account":"acme"},
        "items":{"data":[{"id":"si_1","price":{"id":"price_1SoawKE8yr4fu4JjkHQA2Y2c"}}]}}}}
        """

    static func signed(_ body: String, at seconds: Int64 = 1_772_366_400, secret: String = "whsec_test") -> String {
        let code = HMAC<SHA256>.authenticationCode(
            for: Array("\(seconds).\(body)".utf8), using: SymmetricKey(data: Array(secret.utf8)))
        return "t=\(seconds),v1=\(Hex.encode(code))"
    }

    @Test(arguments: ["/v1/billing/webhooks/stripe", "/v1/webhooks/stripe"])
    func takesASignedEventOnce(_ path: String) async throws {
        let world = try BillingGate()
        let header = [("Stripe-Signature", Self.signed(Self.updated))]
        let first = try await world.send(.post, path, Self.updated, as: "stripe", header)
        #expect(first.status == 200)
        #expect(
            first.json == [
                "status": "ok", "event_type": "customer.subscription.updated", "outcome": "processed",
            ])
        let shown = try await world.send(.get, "/v1/billing/subscription")
        #expect(shown.json["plan"] == "pro" && shown.json["source"] == "stripe" && shown.json["status"] == "active")
        #expect(shown.json["credits"]?["remaining_micro_credits"] == 1_000_000_000)
        let second = try await world.send(.post, path, Self.updated, as: "stripe", header)
        #expect(second.status == 200 && second.json["message"] == "already processed")
        #expect(second.json["outcome"] == "duplicate")
        #expect(try await world.send(.get, "/v1/billing/subscription").json == shown.json)
        let entry = try #require(world.gate.audit.durable.last)
        #expect(entry.action == "billing.provider_event" && entry.metadata["outcome"] == "duplicate")
    }

    @Test(arguments: [
        (nil, "missing_header"), ("x", "malformed_header"), ("t=1772366400", "no_v1_signature"),
        ("t=1772366400,v1=00", "no_match"), (signed(updated, secret: "whsec_other"), "no_match"),
        (signed(updated + " "), "no_match"), (signed(updated, at: 1_772_366_099), "timestamp_too_old"),
        (signed(updated, at: 1_772_366_701), "timestamp_in_future"),
    ])
    func refusesWhatDoesNotProveItself(_ header: String?, _ reason: String) async throws {
        let world = try BillingGate()
        let headers = header.map { [("Stripe-Signature", $0)] } ?? []
        let reply = try await world.send(.post, "/v1/billing/webhooks/stripe", Self.updated, as: "stripe", headers)
        #expect(reply.status == 400 && reply.code == "billing.invalid_signature")
        #expect(reply.json["details"] == ["reason": .string(reason)])
        #expect(try await world.send(.get, "/v1/billing/subscription").json["plan"] == "free")
    }

    @Test func answersFaults() async throws {
        let world = try BillingGate()
        let path = "/v1/billing/webhooks/stripe"
        let broken = try await world.send(.post, path, "{", as: "stripe", [("Stripe-Signature", Self.signed("{"))])
        #expect(broken.status == 400 && broken.code == "request.malformed")
        let large = String(repeating: " ", count: 1_048_577)
        #expect(try await world.send(.post, path, large, as: "stripe").status == 413)
        world.ledger.isAway = true
        let header = [("Stripe-Signature", Self.signed(Self.updated))]
        let away = try await world.send(.post, path, Self.updated, as: "stripe", header)
        #expect(away.status == 503 && away.code == "billing.unavailable")
        world.ledger.isAway = false
        world.clock.advance(seconds: 61)
        #expect(try await world.send(.post, path, Self.updated, as: "stripe", header).status == 200)
    }

    @Test func listsEventsForPlatformAdmins() async throws {
        let world = try BillingGate()
        let path = "/v1/billing/provider-events"
        for (id, state) in [("evt_1", ProviderEventRow.State.dead), ("evt_2", .parked), ("evt_3", .dead)] {
            var event = ProviderEventRow(
                id: id, type: "invoice.paid", created: world.clock.now(), state: .claimed, customer: "cus_1",
                document: "{}", attempts: 3, receivedAt: world.clock.now())
            _ = try await world.ledger.claim(event, at: world.clock.now())
            event.state = state
            try await world.ledger.finish(event)
            world.clock.advance(seconds: 1)
        }
        let dead = try await world.send(.get, path, as: "+root")
        #expect(dead.status == 200 && dead.json["count"] == 2)
        #expect(dead.json["events"]?.arrayValue?.compactMap { $0["id"] } == ["evt_3", "evt_1"])
        #expect(try await world.send(.get, path + "?limit=1", as: "+root").json["count"] == 1)
        let parked = try await world.send(.get, path + "?state=parked", as: "+root")
        #expect(
            parked.json["events"] == [
                [
                    "id": "evt_2", "type": "invoice.paid", "state": "parked", "outcome": nil, "account": nil,
                    "customer": "cus_1", "subscription": nil, "attempts": 3, "created": "2026-03-01T12:00:01Z",
                    "received_at": "2026-03-01T12:00:01Z", "next_at": nil,
                ]
            ])
        let none = try await world.send(.get, path + "?state=over&limit=0", as: "+root")
        #expect(none.status == 422 && none.fields == ["state", "limit"])
        #expect(none.message == "state: not one of claimed, done, failed, parked, dead")
        #expect(try await world.send(.get, path + "?page=1", as: "+root").status == 400)
        #expect(try await world.send(.get, path).code == "policy.platform_required")
        #expect(try await world.send(.get, path, as: "~gw").code == "policy.permission_denied")
        world.ledger.isAway = true
        #expect(try await world.send(.get, path, as: "+root").code == "billing.unavailable")
    }

    // MARK: A front end

    static let subscription = """
        {"event_id":"e1","occurred_at":"2026-03-01T12:00:00Z","account_id":"acme","plan":"pro","status":"active",
        "current_period_start":"2026-03-01T00:00:00Z","current_period_end":"2026-04-01T00:00:00Z"}
        """
    static let credits = """
        {"event_id":"e2","account_id":"acme","micro_credits":100000000,"payment_intent_id":"pi_1",
        "paid_micro_usd":1000000}
        """

    @Test func takesWhatAFrontEndReports() async throws {
        let world = try BillingGate(mode: .frontend)
        let path = "/v1/billing/sync/subscription"
        let first = try await world.send(.post, path, Self.subscription, as: "~front")
        #expect(first.status == 200 && first.json["outcome"] == "processed")
        #expect(first.json["subscription"]?["plan"] == "pro")
        #expect(world.gate.audit.durable.last?.metadata["before"]?["plan"] == "free")
        #expect(world.gate.audit.durable.last?.metadata["after"]?["plan"] == "pro")
        #expect(try await world.send(.post, path, Self.subscription, as: "~front").json["outcome"] == "duplicate")
        let unknown = Self.subscription.replacing("\"pro\"", with: "\"gold\"").replacing("e1", with: "e9")
        let refused = try await world.send(.post, path, unknown, as: "~front")
        #expect(refused.status == 422 && refused.json["details"] == ["field": "plan"])
    }

    @Test func takesPaidCreditsOnce() async throws {
        let world = try BillingGate(mode: .frontend)
        let path = "/v1/billing/sync/credits"
        for _ in 0..<2 {
            let reply = try await world.send(.post, path, Self.credits, as: "~front")
            #expect(reply.status == 200)
            #expect(
                reply.json == [
                    "status": "ok", "account_id": "acme", "micro_credits": 100_000_000, "payment_intent_id": "pi_1",
                    "key": "pi:pi_1", "remaining_micro_credits": 200_000_000,
                ])
        }
        let other = Self.credits.replacing("100000000", with: "99000000")
        let mismatch = try await world.send(.post, path, other, as: "~front")
        #expect(mismatch.status == 422 && mismatch.code == "request.idempotency_mismatch")
        let more = Self.credits.replacing("100000000", with: "100000001").replacing("pi_1", with: "pi_2")
        let unpaid = try await world.send(.post, path, more, as: "~front")
        #expect(unpaid.status == 422 && unpaid.fields == ["micro_credits"])
    }

    @Test(arguments: [("subscription", subscription), ("credits", credits)])
    func isForTheOtherModeOnly(_ name: String, _ body: String) async throws {
        let path = "/v1/billing/sync/\(name)"
        let direct = try await BillingGate().send(.post, path, body, as: "~front")
        #expect(direct.told == "409 billing.mode: This call belongs to another billing mode")
        let stranger = try await BillingGate(mode: .frontend).send(.post, path, body, as: "olga@acme")
        #expect(stranger.told == "403 policy.platform_required: Platform principal required")
    }
}
