// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Billing
internal import Essentials
internal import HTTPTypes
internal import TestSupport
internal import Testing

@Suite struct BudgetRoutesTests {
    private static let base = "/v1/billing/budgets"
    private static let body = """
        {"name":"team","scope":"user","match":"u1","period":"monthly","soft_limit_micro_usd":500,
        "hard_limit_micro_usd":1000,"action_on_hard":"alert+block"}
        """

    @Test func servesTheWholeLife() async throws {
        let world = try BillingGate()
        let made = try await world.send(.post, Self.base, Self.body)
        let expected: JSONObject = [
            "name": "team", "scope": "user", "match": "u1", "period": "monthly", "soft_limit_micro_usd": 500,
            "hard_limit_micro_usd": 1000, "action_on_soft": "alert", "action_on_hard": "alert+block",
            "webhook_url": nil, "spent_micro_usd": 0, "held_micro_usd": 0, "remaining_micro_usd": 1000,
            "window_start": "2026-03-01T00:00:00Z", "window_end": "2026-04-01T00:00:00Z", "of_object": false,
        ]
        #expect(made.status == 201 && made.json == .object(expected))
        #expect(try await world.send(.get, Self.base).json == ["budgets": [.object(expected)]])
        #expect(try await world.send(.get, Self.base + "/team").json == .object(expected))
        let taken = try await world.send(.post, Self.base, Self.body)
        #expect(taken.status == 422 && taken.json["details"] == ["field": "name"])
        let body = #"{"scope":"user","match":"u1","period":"monthly","hard_limit_micro_usd":2000}"#
        let changed = try await world.send(.put, Self.base + "/team", body)
        #expect(changed.status == 200 && changed.json["hard_limit_micro_usd"] == 2000)
        #expect(changed.json["soft_limit_micro_usd"] == .null)
        let entry = try #require(world.gate.audit.durable.last)
        #expect(entry.metadata["before"]?["hard_limit_micro_usd"] == 1000)
        #expect(entry.metadata["after"]?["hard_limit_micro_usd"] == 2000)
        #expect(try await world.send(.delete, Self.base + "/team").status == 204)
        for (method, body) in [(HTTPRequest.Method.get, nil), (.delete, nil), (.put, body)] {
            let gone = try await world.send(method, Self.base + "/team", body)
            #expect(gone.status == 404 && gone.code == "billing.not_found")
        }
    }

    @Test(arguments: [
        (#"{"scope":"tenant","period":"daily"}"#, ["name"]),
        (#"{"name":"b","scope":"user","period":"daily"}"#, ["match"]),
        (#"{"name":"b","scope":"tenant","match":"x","period":"daily"}"#, ["match"]),
        (#"{"name":"b","scope":"tenant","period":"yearly"}"#, ["period"]),
        (#"{"name":"b","scope":"tenant","period":"daily","hard_limit_micro_usd":-1}"#, ["hard_limit_micro_usd"]),
        (#"{"name":"b","scope":"tenant","period":"daily","webhook_url":"http://x"}"#, ["webhook_url"]),
    ])
    func refusesWhatIsNoBudget(_ body: String, _ fields: [String]) async throws {
        let world = try BillingGate()
        let reply = try await world.send(.post, Self.base, body)
        #expect(reply.status == 422 && reply.fields == fields)
        #expect(try await world.send(.get, Self.base).json == ["budgets": []])
    }

    @Test func anAddressHasASecretThatIsToldOnce() async throws {
        let world = try BillingGate()
        func body(_ url: String) -> String {
            #"{"name":"hook","scope":"tenant","period":"daily","hard_limit_micro_usd":10,"webhook_url":"\#(url)"}"#
        }
        let inside = try await world.send(.post, Self.base, body("https://127.0.0.1/x"))
        #expect(inside.status == 422 && inside.json["details"] == ["field": "webhook_url"])
        let made = try await world.send(.post, Self.base, body("https://a.example/x"))
        let secret = try #require(made.json["webhook_secret"]?.stringValue)
        #expect(made.status == 201 && secret.hasPrefix("whsec_"))
        let audited = world.gate.audit.durable.map { "\($0.metadata)" }.joined()
        #expect(!audited.contains("whsec_"))
        let shown = try await world.send(.get, Self.base + "/hook")
        #expect(shown.json["webhook_url"] == "https://a.example/x" && shown.json["webhook_secret"] == nil)
        let same = try await world.send(.put, Self.base + "/hook", body("https://a.example/x"))
        #expect(same.status == 200 && same.json["webhook_secret"] == nil)
        let other = try await world.send(.put, Self.base + "/hook", body("https://b.example/x"))
        let second = try #require(other.json["webhook_secret"]?.stringValue)
        #expect(second != secret)
        // It is an endpoint: its secret is changed there, and nothing else.
        let endpoint = "/v1/billing/webhook-endpoints/budget:hook"
        #expect(try await world.send(.get, endpoint).json["url"] == "https://b.example/x")
        #expect(try await world.send(.get, "/v1/billing/webhook-endpoints").json == ["endpoints": []])
        let rotated = try await world.send(.post, endpoint + "/rotate-secret")
        #expect(rotated.status == 200 && rotated.json["secret"]?.stringValue?.hasPrefix("whsec_") == true)
        let moved = try await world.send(.put, endpoint, #"{"url":"https://c.example"}"#)
        #expect(moved.told == "422 request.invalid: The endpoint is a budget's: change its address with the budget")
        #expect(try await world.send(.delete, endpoint).status == 422)
        #expect(try await world.send(.get, endpoint, as: "eve@other").status == 404)
        #expect(try await world.send(.delete, Self.base + "/hook").status == 204)
        #expect(try await world.send(.get, endpoint).status == 404)
    }

    @Test func aBudgetStopsAReservation() async throws {
        let world = try BillingGate()
        try await world.open(microCredits: 100_000_000)
        let body = #"{"name":"all","scope":"tenant","period":"daily","hard_limit_micro_usd":10000}"#
        #expect(try await world.send(.post, Self.base, body).status == 201)
        _ = try await world.reserved(1_000_000)
        let over = try await world.send(.post, "/v1/billing/reservations", #"{"key":"r2","micro_credits":100}"#)
        #expect(over.status == 402 && over.code == "billing.budget_exceeded")
        #expect(over.json["details"]?["budget"] == "all" && over.json["details"]?["unit"] == "micro_usd")
    }
}
