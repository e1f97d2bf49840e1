// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Billing
internal import Essentials
internal import HTTPTypes
internal import TestSupport
internal import Testing

@Suite struct SlotRoutesTests {
    private static let base = "/v1/billing/slots"

    @Test func takesAndGivesBack() async throws {
        let world = try BillingGate()
        let made = try await world.send(.post, Self.base, #"{"kind":"worker","id":"w1"}"#)
        #expect(made.status == 201)
        #expect(
            made.json == [
                "kind": "worker", "id": "w1", "state": "active", "premium": false,
                "taken_at": "2026-03-01T12:00:00Z", "slots_used": 1, "slots_limit": 1, "charged_micro_credits": 0,
                "remaining_micro_credits": 100_000_000,
            ])
        #expect(made["X-Tollgate-Plan"] == "free" && made["X-Tollgate-Credits-Remaining"] == "100")
        let again = try await world.send(.post, Self.base, #"{"kind":"worker","id":"w1"}"#)
        #expect(again.status == 200 && again.json["slots_used"] == 1)
        let full = try await world.send(.post, Self.base, #"{"kind":"worker","id":"w2"}"#)
        #expect(full.status == 402 && full.code == "billing.slot_limit_reached")
        #expect(full.json["details"]?["limit"] == 1 && full.json["details"]?["upgrade"]?["plan"] == "pro")
        for _ in 0..<2 {
            let released = try await world.send(.delete, Self.base + "/worker/w1")
            #expect(released.status == 204 && released["X-Tollgate-Plan"] == "free")
        }
        #expect(try await world.send(.post, Self.base, #"{"kind":"worker","id":"w2"}"#).status == 201)
        #expect(world.gate.audit.durable.last?.resource == "worker/w2")
    }

    @Test func hiresAnAgentOnce() async throws {
        let world = try BillingGate()
        let body = #"{"kind":"agent","id":"a1"}"#
        #expect(try await world.send(.post, Self.base, body).status == 201)
        let again = try await world.send(.post, Self.base, body)
        #expect(again.told == "409 billing.agent_already_hired: The agent is hired already")
        let full = try await world.send(.post, Self.base, #"{"kind":"agent","id":"a2"}"#)
        #expect(full.status == 402 && full.code == "billing.agent_limit_reached")
        let premium = try await world.send(.post, Self.base, #"{"kind":"agent","id":"a3","premium":true}"#)
        #expect(premium.status == 403 && premium.code == "billing.premium_agent_not_available")
    }

    @Test func refusesWhatIsNoSlot() async throws {
        let world = try BillingGate()
        #expect(try await world.send(.post, Self.base, #"{"kind":"desk","id":"a"}"#).fields == ["kind"])
        #expect(try await world.send(.post, Self.base, #"{"kind":"worker"}"#).fields == ["id"])
        #expect(try await world.send(.post, Self.base, #"{"kind":"worker","id":"a","x":1}"#).status == 400)
        // What no path can name could never be given back.
        for id in ["org/repo", #"a\\b"#, "50%", ".", ".."] {
            let reply = try await world.send(.post, Self.base, #"{"kind":"worker","id":"\#(id)"}"#)
            #expect(reply.status == 422 && reply.fields == ["id"], "\(id)")
        }
        let kind = try await world.send(.delete, Self.base + "/desk/a")
        #expect(kind.status == 404 && kind.code == "billing.not_found")
        let other = try await world.send(
            .post, Self.base, #"{"account":"acme","kind":"worker","id":"a"}"#, as: "eve@other")
        #expect(other.status == 403 && other.code == "policy.tenant_denied")
        #expect(
            try await world.send(.delete, Self.base + "/worker/a?account=acme", as: "eve@other").code
                == "policy.tenant_denied")
        world.ledger.isAway = true
        let away = try await world.send(.post, Self.base, #"{"kind":"worker","id":"a"}"#)
        #expect(away.status == 503 && away.code == "billing.unavailable")
        #expect(try await world.send(.delete, Self.base + "/worker/a").status == 503)
    }
}
