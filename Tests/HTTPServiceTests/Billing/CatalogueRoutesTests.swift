// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Billing
internal import Essentials
internal import HTTPTypes
internal import TestSupport
internal import Testing

@Suite struct CatalogueRoutesTests {
    @Test func showsPlansWithoutIdsOfTheProvider() async throws {
        let reply = try await BillingGate().send(.get, "/v1/billing/plans")
        #expect(reply.status == 200 && !reply.text.contains("price_1"))
        #expect(reply.json["credit_value_micro_usd"] == 10_000 && reply.json["fallback_plan"] == "free")
        let plans = try #require(reply.json["plans"]?.arrayValue)
        #expect(plans.compactMap { $0["name"] } == ["free", "pro", "enterprise"])
        #expect(
            plans[0] == [
                "name": "free", "display_name": "Free", "rank": 0, "price_micro_usd": 0, "interval": "month",
                "trial_days": 0,
                "credits": [
                    "per_period_micro_credits": 100_000_000,
                    "rollover": ["min_micro_credits": 0, "max_micro_credits": 0],
                ],
                "overage": ["max_micro_credits": 0],
                "agent_slots": [
                    "included": 1, "max": 1, "extra_price_micro_credits": 0, "extra_discount_percent": nil,
                ], "tasks_per_month": 100, "workers": 1, "workspaces": 3, "api_keys": 2, "tokens_per_day": 100_000,
                "rate": ["minute": 30, "hour": 500, "day": 5000], "account_rate": nil, "model_tiers": ["basic"],
                "premium_models": 0, "premium_agents": false, "markup_percent": nil,
            ])
        #expect(plans[2]["tasks_per_month"] == -1)
        #expect(reply.json["credit_packs"]?.arrayValue?.allSatisfy { $0["price_micro_usd"] != nil } == true)
    }

    @Test func putsAPriceList() async throws {
        let world = try BillingGate()
        let path = "/v1/billing/prices"
        let shown = try await world.send(.get, path, as: "+root")
        var list = try #require(shown.json["prices"]?.objectValue)
        #expect(list["version"] == "1")
        list["version"] = "2"
        let body = JSONValue.object(["prices": .object(list), "reason": "new year"]).jsonText
        let changed = try await world.send(.put, path, body, as: "+root")
        #expect(changed.status == 200 && changed.json["prices"] == .object(list))
        #expect(world.billing.prices.prices.version == "2")
        let entry = try #require(world.gate.audit.durable.last)
        #expect(entry.metadata["reason"] == "new year" && entry.metadata["before"]?["version"] == "1")
        #expect(entry.metadata["after"]?["version"] == "2" && entry.resource == "prices")
        list["models"] = nil
        let bad = JSONValue.object(["prices": .object(list), "reason": "x"]).jsonText
        let refused = try await world.send(.put, path, bad, as: "+root")
        #expect(refused.status == 422 && refused.message == "The price list is invalid")
        #expect(refused.json["details"]?["problems"]?.arrayValue?.isEmpty == false)
        #expect(try await world.send(.put, path, "{}", as: "+root").fields == ["prices", "reason"])
        #expect(world.billing.prices.prices.version == "2")
        let fixed = try await BillingGate(keepsPrices: false).send(.put, path, body, as: "+root")
        #expect(fixed.told == "409 billing.prices_read_only: The price list cannot be changed here")
    }

    @Test func ratesAnew() async throws {
        let world = try BillingGate()
        try await world.open("acme", microCredits: 1_000_000_000)
        try await world.open("other", microCredits: 1_000_000_000)
        var list = try #require(world.billing.prices.prices.json.objectValue)
        list["unknownModel"] = "quarantine"
        world.prices.replace(try PriceList.read(.object(list)))
        for account in ["acme", "other"] {
            _ = try await world.billing.recordTokenUsage(
                account: account, model: "new-1", counts: TokenCounts(input: 1_000_000), at: world.clock.now(),
                key: "k")
        }
        #expect(try await world.billing.view("acme").book.balance < 0 + 1_000_000_000)
        let path = "/v1/billing/prices/rerate"
        let body = #"{"model":"new-1","reason":"priced"}"#
        let early = try await world.send(.post, path, body, as: "+root")
        #expect(early.status == 422 && early.code == "billing.unknown_model")
        let model: JSONValue = [
            "model": "new-1", "providers": ["p"], "tier": "basic", "rates": ["input": "1", "output": "1"],
        ]
        list["models"] = .array((list["models"]?.arrayValue ?? []) + [model])
        world.prices.replace(try PriceList.read(.object(list)))
        let done = try await world.send(.post, path, body, as: "+root")
        // From 15 dollars to one: 1400 credits of each account, as far as they were collected.
        #expect(done.status == 200 && done.json["records"] == 2 && done.json["model"] == "new-1")
        #expect(done.json["next_cursor"] == .null)
        #expect(try await world.billing.view("acme").book.balance == 900_000_000)
        #expect(try await world.send(.post, path, body, as: "+root").json["records"] == 0)
        #expect(world.gate.audit.durable.last?.metadata["reason"] == "priced")
        let wrong = try await world.send(
            .post, path, #"{"model":"new-1","reason":"x","cursor":"nonsense!"}"#, as: "+root")
        #expect(wrong.status == 422 && wrong.fields == ["cursor"])
        let cursor = RerateCursor(account: "acme").text
        let another = try await world.send(
            .post, path, #"{"model":"new-1","reason":"x","account":"other","cursor":"\#(cursor)"}"#, as: "+root")
        #expect(another.status == 422 && another.fields == ["cursor"])
        let rest = try await world.send(
            .post, path, #"{"model":"new-1","reason":"x","cursor":"\#(cursor)"}"#, as: "+root")
        #expect(rest.status == 200 && rest.json["records"] == 0 && rest.json["next_cursor"] == .null)
    }
}
