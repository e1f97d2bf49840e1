// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import TestSupport
internal import Testing

@Suite struct RequestValueTests {
    @Test func aReservationHasItsDefaults() throws {
        #expect(
            try ReservationRequest.read(["key": "k", "micro_credits": 0])
                == ReservationRequest(key: "k", ttl: .seconds(300), amount: .microCredits(0)))
        #expect(
            try ReservationRequest.read([
                "account": "a", "key": "k", "ttl": 10, "user": "u", "project": "p", "agent": "g",
                "usage": ["model": "m", "provider": "o", "input": 1, "max_output": 2],
            ])
                == ReservationRequest(
                    account: "a", key: "k", ttl: .seconds(10),
                    amount: .tokens(.init(model: "m", provider: "o", counts: TokenCounts(input: 1), maxOutput: 2)),
                    user: "u", project: "p", agent: "g"))
        #expect(try ReservationRequest.read(["key": "k", "ttl": "1h", "micro_credits": 1]).ttl == .seconds(3600))
    }

    @Test(
        arguments: [
            (["usage": ["model": "m", "input": -1]], .usageBadCount, "usage.input"),
            (["usage": ["model": "m", "max_output": 1_000_000_001]], .usageBadCount, "usage.max_output"),
            (["usage": ["model": "m", "input": 1, "inputTokens": 2]], .usageInconsistentCounts, "usage.inputTokens"),
            (["usage": ["model": "m"]], .usageMissingCounts, "usage"),
        ] as [(JSONObject, ErrorCode, String)])
    func countsAreRefusedByTheirOwnCodes(_ change: JSONObject, _ code: ErrorCode, _ field: String) {
        var body = change
        body["key"] = "k"
        #expect(throws: Events.refusal(code, field)) { try ReservationRequest.read(body) }
    }

    @Test func whatWasUsedHasNoMostOutput() {
        let refusal = Refusal(
            .requestMalformed, message: "Unknown member: usage.max_output", details: ["unknown": ["usage.max_output"]])
        #expect(throws: refusal) { try CommitRequest.read(["usage": ["input": 1, "max_output": 2]]) }
        #expect(throws: refusal) { try IncrementRequest.read(["usage": ["input": 1, "max_output": 2]]) }
    }

    @Test func commitsAndIncrementsNeedNoModel() throws {
        let tokens = UsageAmount.Tokens(model: nil, counts: TokenCounts(output: 5))
        #expect(
            try CommitRequest.read(["usage": ["output": 5], "key": "k"])
                == CommitRequest(amount: .tokens(tokens), key: "k"))
        #expect(
            try IncrementRequest.read(["usage": ["output": 5], "hold_micro_credits": 9])
                == IncrementRequest(amount: .tokens(tokens), holdMicroCredits: 9))
    }

    @Test func amountsAreRated() throws {
        let prices = try Prices.shipped()
        func rated(_ amount: UsageAmount, model: String? = nil) throws -> RatedAmount {
            try amount.rated(
                by: prices, model: model, markup: nil, creditValueMicroUSD: 10_000, at: Prices.now)
        }
        #expect(try rated(.microCredits(12_345)).chargeMicroCredits == 12_345)
        #expect(try rated(.microCredits(12_345)).chargeMicroUSD == 123)
        let estimate = UsageAmount.Tokens(model: "gpt-4o", counts: TokenCounts(input: 1000), maxOutput: 500)
        #expect(try rated(.tokens(estimate)).chargeMicroCredits == 750_000)
        #expect(estimate.total == 1500)
        let used = UsageAmount.Tokens(model: nil, counts: TokenCounts(input: 1000, output: 500))
        #expect(try rated(.tokens(used), model: "gpt-4o").chargeMicroCredits == 750_000)
        #expect(throws: Refusal(.billingUnknownModel, details: ["field": "model", "model": ""])) {
            try rated(.tokens(used))
        }
    }

    @Test(
        arguments: [
            (
                ["action": "tokens", "model": "m", "provider": "p", "tokens": ["input": 1, "max_output": 2]],
                .tokens(.tokens(.init(model: "m", provider: "p", counts: TokenCounts(input: 1), maxOutput: 2)))
            ),
            (
                ["action": "tokens", "usage": ["model": "m", "input": 1]],
                .tokens(.tokens(.init(model: "m", counts: TokenCounts(input: 1))))
            ),
            (["action": "tokens", "micro_credits": 5], .tokens(.microCredits(5))),
            (["action": "agent.hire", "agent": "a"], .hireAgent(id: "a", isPremium: false)),
            (["action": "agent.hire", "agent": "a", "premium": true], .hireAgent(id: "a", isPremium: true)),
            (["action": "task"], .task(count: 1)),
            (["action": "task", "count": 3], .task(count: 3)),
            (["action": "slot", "kind": "worker"], .slot(.worker, id: nil)),
            (["action": "slot", "kind": "workspace", "id": "w"], .slot(.workspace, id: "w")),
        ] as [(JSONObject, EligibilityRequest.Action)])
    func readsEachAction(_ body: JSONObject, _ action: EligibilityRequest.Action) throws {
        #expect(try EligibilityRequest.read(body) == EligibilityRequest(action: action))
    }

    /// Members of one action are unknown to the others.
    @Test(
        arguments: [
            (["action": "task", "agent": "a"], "agent"), (["action": "slot", "kind": "worker", "count": 1], "count"),
            (["action": "agent.hire", "agent": "a", "tokens": ["input": 1]], "tokens"),
            (["action": "tokens", "model": "m", "tokens": ["input": 1, "bytes": 2]], "tokens.bytes"),
        ] as [(JSONObject, String)])
    func anActionHasItsOwnMembers(_ body: JSONObject, _ unknown: String) {
        #expect(
            throws: Refusal(
                .requestMalformed, message: "Unknown member: \(unknown)", details: ["unknown": [.string(unknown)]])
        ) { try EligibilityRequest.read(body) }
    }

    @Test func anAgentIsHiredNotTaken() {
        let refusal = #expect(throws: Refusal.self) {
            try EligibilityRequest.read(["action": "slot", "kind": "agent"])
        }
        #expect(refusal?.message == "kind: not one of worker, workspace: agents are agent.hire")
    }

    @Test func grantsAndBudgetsHaveTheirDefaults() throws {
        let grant = try GrantRequest.read(["account": "a", "key": "k", "micro_credits": 5, "reason": "r"])
        #expect(grant.source == .admin)
        #expect((grant.priority, grant.effectiveAt, grant.expiresAt, grant.features) == (nil, nil, nil, nil))
        let budget = try BudgetRequest.read(["scope": "tenant", "period": "daily"], name: "b")
        #expect(budget.name == "b")
        #expect((budget.actionOnSoft, budget.actionOnHard) == (.alert, .block))
        #expect((budget.softLimitMicroUSD, budget.hardLimitMicroUSD) == (nil, nil))
        #expect(try BudgetRequest.read(["name": "b", "scope": "tenant", "period": "daily"], name: "b") == budget)
        let refusal = #expect(throws: Refusal.self) {
            try BudgetRequest.read(["name": "c", "scope": "tenant", "period": "daily"], name: "b")
        }
        #expect(refusal?.message == "name: not the name in the path")
    }

    @Test func aCheckoutIsOneOrTheOther() throws {
        func purchase(_ body: JSONObject) throws -> ProcessCheckoutRequest.Purchase {
            var body = body
            body["session_id"] = "cs"
            body["account_id"] = "a"
            return try ProcessCheckoutRequest.read(body).purchase()
        }
        let info: JSONValue = [
            "tier": "pro", "status": "expired", "current_period_start": 0, "current_period_end": 86_400,
        ]
        #expect(try purchase(["credits_added": "2.5"]) == .microCredits(2_500_000))
        guard case .subscription(let found) = try purchase(["credits_added": 1, "subscription_info": info]) else {
            Issue.record("the subscription counts")
            return
        }
        #expect(found.status == "unpaid")
        #expect(found.tier == "pro")
        #expect(found.renews)
        #expect(found.periodEnd == Timestamp(seconds: 86_400))
        let neither = Refusal(.requestMalformed, message: "subscription_info or credits_added is required")
        #expect(throws: neither) { try purchase([:]) }
    }

    @Test func aSeriesHasItsDefaults() throws {
        let request = try SeriesRequest.read([:], now: Events.now)
        #expect(request.granularity == .day)
        #expect(request.to == Events.now)
        #expect(request.from.rfc3339 == "2026-01-30T00:00:00Z")
        #expect(request.groupBy.isEmpty)
        let page = try PageQuery.read([:])
        #expect(page.limit == 100)
        #expect(page.cursor == nil && page.account == nil)
        #expect(try PageQuery.read(["limit": "7", "cursor": "c", "kind": "x"], others: ["kind"]).limit == 7)
    }
}
