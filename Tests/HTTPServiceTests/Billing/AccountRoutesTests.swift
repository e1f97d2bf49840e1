// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import HTTPTypes
internal import TestSupport
internal import Testing

@Suite struct AccountRoutesTests {
    /// An account that was never stored looks as it will when it is made.
    @Test func tellsTheSubscriptionOfTheFallbackPlan() async throws {
        let reply = try await BillingGate().send(.get, "/v1/billing/subscription")
        #expect(reply.status == 200)
        let slots: (Int64) -> JSONValue = { ["used": 0, "limit": .int($0)] }
        #expect(
            reply.json == [
                "account": "acme", "plan": "free", "status": "active",
                "current_period_start": "2026-03-01T00:00:00Z", "current_period_end": "2026-04-01T00:00:00Z",
                "cancel_at_period_end": false, "bought_plan": nil, "source": "fallback", "past_due_since": nil,
                "grace_ends_at": nil, "suspended": false,
                "credits": [
                    "granted_micro_credits": 100_000_000, "used_micro_credits": 0, "held_micro_credits": 0,
                    "remaining_micro_credits": 100_000_000, "debt_micro_credits": 0,
                ],
                "slots": ["agents": slots(1), "workers": slots(1), "workspaces": slots(3)],
            ])
    }

    @Test func tellsTheUse() async throws {
        let world = try BillingGate()
        _ = try await world.send(.post, "/v1/billing/slots", #"{"kind":"worker","id":"w1"}"#)
        let reply = try await world.send(.get, "/v1/billing/usage")
        #expect(
            reply.json == [
                "tasks_used": 0, "tasks_limit": 100, "workers_used": 1, "workers_limit": 1, "workspaces_used": 0,
                "workspaces_limit": 3, "codebases_used": 0, "codebases_limit": 3, "agents_used": 0,
                "agents_limit": 1, "tokens_today": 0, "tokens_daily_limit": 100_000, "premium_models_used": [],
                "premium_models_limit": 0, "period_start": "2026-03-01T00:00:00Z",
                "period_end": "2026-04-01T00:00:00Z",
                "credits": [
                    "granted_micro_credits": 100_000_000, "used_micro_credits": 0, "held_micro_credits": 0,
                    "remaining_micro_credits": 100_000_000, "debt_micro_credits": 0,
                ],
            ])
    }

    @Test(arguments: [
        "subscription", "usage", "credits", "ledger", "usage/series", "usage/history", "forecast", "budgets",
        "webhook-endpoints", "invoices",
    ])
    func anotherAccountIsForThePlatform(_ name: String) async throws {
        let world = try BillingGate()
        try await world.open(microCredits: 5_000_000)
        let path = "/v1/billing/\(name)"
        let stranger = try await world.send(.get, "\(path)?account=acme", as: "eve@other")
        #expect(stranger.told == "403 policy.tenant_denied: Cross-tenant access denied")
        #expect(try await world.send(.get, "\(path)?account=acme").status == 200)
        let own = try await world.send(.get, path)
        let named = try await world.send(.get, "\(path)?account=acme", as: "~gw@other")
        #expect(named.status == 200 && named.json == own.json)
        let nobody = try await world.send(.get, path, as: "eve")
        #expect(nobody.status == 404 && nobody.code == "billing.account_not_found")
        let platform = try await world.send(.get, path, as: "~gw")
        #expect(platform.status == 422 && platform.fields == ["account"])
        let unknown = try await world.send(.get, "\(path)?x=1")
        #expect(unknown.told == "400 request.malformed: Unknown parameter: x")
    }

    @Test func whoHasNoAccountIsNotEligible() async throws {
        let world = try BillingGate()
        let reply = try await world.send(.post, "/v1/billing/eligibility", #"{"action":"task"}"#, as: "eve")
        #expect(reply.status == 200 && reply.json["allowed"] == false)
        #expect(reply.json["reason"]?["code"] == "account_not_found")
    }

    @Test(arguments: [
        "subscription", "usage", "credits", "ledger", "usage/series", "usage/history", "forecast", "budgets",
        "webhook-endpoints", "accounts",
    ])
    func aStoreThatIsAwayIsNotOpen(_ name: String) async throws {
        let world = try BillingGate()
        world.ledger.isAway = true
        let reply = try await world.send(.get, "/v1/billing/\(name)", as: "+root@acme")
        #expect(reply.status == 503 && reply.code == "billing.unavailable")
    }

    @Test func pagesTheLedger() async throws {
        let world = try BillingGate()
        try await world.open(microCredits: 5_000_000)
        for number in 0..<5 { _ = try await world.reserved(1000, key: "r\(number)") }
        let all = try await world.send(.get, "/v1/billing/ledger")
        let entries = try #require(all.json["entries"]?.arrayValue)
        #expect(entries.compactMap { $0["type"]?.stringValue } == Array(repeating: "hold", count: 5) + ["grant"])
        #expect(all.json["next_cursor"] == .null && all.json["account"] == "acme")
        #expect(
            entries.last?["legs"] == [
                ["bucket": "issued", "micro_credits": -5_000_000],
                ["bucket": "grant:g-opening", "micro_credits": 5_000_000],
            ])
        var pages: [JSONValue] = []
        var cursor = ""
        repeat {
            let page = try await world.send(.get, "/v1/billing/ledger?limit=4\(cursor)")
            pages += page.json["entries"]?.arrayValue ?? []
            cursor = page.json["next_cursor"]?.stringValue.map { "&cursor=\($0)" } ?? ""
        } while !cursor.isEmpty
        #expect(pages == entries)
    }

    @Test func pagesTheGrants() async throws {
        let world = try BillingGate()
        try await world.open(microCredits: 5_000_000)
        for number in 0..<3 {
            world.clock.advance(seconds: 1)
            let order = GrantOrder(
                key: "k\(number)", microCredits: 1_000_000, source: .promotion,
                expiresAt: number == 0 ? world.clock.now().adding(seconds: 60) : nil, reason: "test")
            _ = try await world.billing.grant(order, account: "acme", actor: "test")
        }
        world.clock.advance(seconds: 3600)
        let all = try await world.send(.get, "/v1/billing/credits")
        let grants = try #require(all.json["grants"]?.arrayValue)
        #expect(grants.compactMap { $0["key"]?.stringValue } == ["k2", "k1", "k0", "opening"])
        #expect(grants.compactMap { $0["state"]?.stringValue } == ["open", "open", "expired", "open"])
        #expect(all.json["balance_micro_credits"] == 7_000_000 && all.json["held_micro_credits"] == 0)
        #expect(all.json["available_micro_credits"] == 7_000_000 && all.json["debt_micro_credits"] == 0)
        let page = try await world.send(.get, "/v1/billing/credits?limit=3")
        let cursor = try #require(page.json["next_cursor"]?.stringValue)
        let rest = try await world.send(.get, "/v1/billing/credits?limit=3&cursor=\(cursor)")
        #expect((page.json["grants"]?.arrayValue ?? []) + (rest.json["grants"]?.arrayValue ?? []) == grants)
    }

    @Test(arguments: [
        "ledger?limit=0", "ledger?limit=1001", "ledger?limit=x", "ledger?cursor=x", "credits?limit=0",
        "credits?cursor=x", "usage/history?limit=1001", "usage/history?cursor=x", "usage/history?from=x",
        "usage/series?from=x", "usage/series?granularity=year", "usage/series?group_by=colour",
        "usage/series?from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z", "ledger?limit=1&limit=2",
    ])
    func refusesBadPages(_ query: String) async throws {
        let world = try BillingGate()
        try await world.open(microCredits: 5_000_000)
        let reply = try await world.send(.get, "/v1/billing/\(query)")
        #expect(reply.status == 422 && reply.code == "request.invalid")
        #expect(reply.json["details"] != nil)
    }

    @Test func tellsUseOverTime() async throws {
        let world = try BillingGate()
        try await world.open(microCredits: 100_000_000)
        for (number, model) in ["gpt-4o-mini", "gpt-4o", "gpt-4o-mini"].enumerated() {
            _ = try await world.billing.recordTokenUsage(
                account: "acme", model: model, counts: TokenCounts(input: 1000), at: world.clock.now(),
                key: "k\(number)")
        }
        let series = try await world.send(
            .get, "/v1/billing/usage/series?granularity=day&group_by=model&from=2026-03-01T00:00:00Z")
        #expect(series.json["granularity"] == "day" && series.json["from"] == "2026-03-01T00:00:00Z")
        let buckets = try #require(series.json["buckets"]?.arrayValue)
        let mini = try #require(buckets.first { $0["model"] == "gpt-4o-mini" })
        #expect(buckets.count == 2 && mini["requests"] == 2 && mini["tokens"]?["input"] == 2000)
        #expect(mini["charge_micro_usd"] == 300 && mini["charge_micro_credits"] == 30_000)
        let history = try await world.send(.get, "/v1/billing/usage/history?limit=2")
        let cursor = try #require(history.json["next_cursor"]?.stringValue)
        let rest = try await world.send(.get, "/v1/billing/usage/history?limit=2&cursor=\(cursor)")
        let ids = [history, rest].flatMap { $0.json["records"]?.arrayValue ?? [] }.compactMap { $0["id"]?.stringValue }
        #expect(ids.sorted() == ["k0", "k1", "k2"] && rest.json["next_cursor"] == .null)
        let one = try await world.send(.get, "/v1/billing/usage/history?model=gpt-4o")
        #expect(one.json["records"]?.arrayValue?.compactMap { $0["id"] } == ["k1"])
        let forecast = try await world.send(.get, "/v1/billing/forecast")
        #expect(forecast.status == 200 && forecast.json["method"] == "mean_daily")
        #expect(forecast.json["used_micro_credits"] == 280_000 && forecast.json["elapsed_days"] == 1)
        #expect(forecast.json["trend"] == "unknown" && forecast.json["confidence"] == "low")
    }

    @Test func tellsWhetherSomethingMayBeDone() async throws {
        let world = try BillingGate()
        let path = "/v1/billing/eligibility"
        let may = try await world.send(.post, path, #"{"action":"slot","kind":"worker"}"#)
        #expect(may.status == 200)
        #expect(
            may.json == [
                "allowed": true, "reason": nil, "remaining": 1, "limit": 1, "unit": "slots", "resets_at": nil,
                "upgrade": nil,
            ])
        let not = try await world.send(.post, path, #"{"action":"task","count":101}"#)
        #expect(not.status == 200 && not.json["allowed"] == false)
        #expect(not.json["reason"]?["code"] == "task_limit_reached" && not.json["limit"] == 100)
        #expect(
            not.json["upgrade"] == ["plan": "pro", "price": 49_000_000, "url": "/dashboard/billing?plan=pro"])
        let other = try await world.send(.post, path, #"{"account":"acme","action":"task"}"#, as: "eve@other")
        #expect(other.told == "403 policy.tenant_denied: Cross-tenant access denied")
        let conflict = try await world.send(
            .post, path + "?account=other", #"{"account":"acme","action":"task"}"#, as: "~gw")
        #expect(conflict.status == 422 && conflict.fields == ["account"])
        #expect(try await world.send(.post, path, #"{"action":"fly"}"#).fields == ["action"])
        #expect(try await world.send(.post, path, #"{"action":"task","x":1}"#).status == 400)
    }

    @Test func listsAccountsForPlatformAdmins() async throws {
        let world = try BillingGate()
        for account in ["c", "a", "b"] { try await world.open(account, microCredits: 1_000_000, plan: "pro") }
        let page = try await world.send(.get, "/v1/billing/accounts?limit=2", as: "+root")
        #expect(page.json["accounts"]?.arrayValue?.compactMap { $0["account"] } == ["a", "b"])
        #expect(page.json["next_cursor"] == "b")
        let rest = try await world.send(.get, "/v1/billing/accounts?limit=2&cursor=b", as: "+root")
        #expect(
            rest.json == [
                "accounts": [
                    [
                        "account": "c", "plan": "pro", "status": "active", "source": "manual", "bought_plan": "pro",
                        "suspended": false, "current_period_start": "2026-03-01T12:00:00Z",
                        "current_period_end": "2026-04-01T12:00:00Z", "balance_micro_credits": 1_000_000,
                        "held_micro_credits": 0, "debt_micro_credits": 0, "created_at": "2026-03-01T12:00:00Z",
                    ]
                ], "next_cursor": nil,
            ])
        let one = try await world.send(.get, "/v1/billing/accounts/c", as: "+root").json
        #expect(one["plan"] == "pro" && one["provider_synced"] == true && one["meter_report"] == .null)
        #expect(one["usage_set_aside"] == [])
        let buried = PendingUsageRow(
            id: "claim", account: "c", payload: #"{"id":"e1"}"#, receivedAt: world.clock.now(), attempts: 10)
        try await world.billing.bury(buried, reason: "billing.overflow")
        #expect(
            try await world.send(.get, "/v1/billing/accounts/c", as: "+root").json["usage_set_aside"] == [
                [
                    "reason": "billing.overflow", "attempts": 10, "at": "2026-03-01T12:00:00.000000Z",
                    "event": ["id": "e1"], "id": "claim",
                ]
            ])
        let missing = try await world.send(.get, "/v1/billing/accounts/d", as: "+root")
        #expect(missing.status == 404 && missing.code == "billing.account_not_found")
        #expect(try await world.send(.get, "/v1/billing/accounts", as: "olga@acme").code == "policy.platform_required")
        #expect(try await world.send(.get, "/v1/billing/accounts", as: "~gw").code == "policy.permission_denied")
    }
}
