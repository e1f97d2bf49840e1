// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import TestSupport
internal import Testing

@Suite struct RequestReaderTests {
    /// A reader and a body that it takes with every member.
    struct Reader: Sendable, CustomTestStringConvertible {
        let name: String
        let body: JSONObject
        let read: @Sendable (JSONObject) throws(Refusal) -> Void

        var testDescription: String { name }
    }

    static let readers: [Reader] = [
        Reader(
            name: "reservation",
            body: [
                "account": "a", "key": "k", "ttl": "30s",
                "usage": ["provider": "p", "model": "m", "input": 1, "max_output": 2, "cache_read": 3], "user": "u",
                "project": "p", "agent": "g",
            ]
        ) { (body) throws(Refusal) in _ = try ReservationRequest.read(body) },
        Reader(name: "commit", body: ["usage": ["output": 5, "reasoning": 1], "key": "k"]) {
            (body) throws(Refusal) in _ = try CommitRequest.read(body)
        },
        Reader(name: "increment", body: ["micro_credits": 5, "hold_micro_credits": 7]) {
            (body) throws(Refusal) in _ = try IncrementRequest.read(body)
        },
        Reader(
            name: "eligibility",
            body: [
                "account": "a", "action": "tokens", "model": "m", "provider": "p", "tokens": ["input": 1], "user": "u",
                "project": "p",
            ]
        ) { (body) throws(Refusal) in _ = try EligibilityRequest.read(body) },
        Reader(name: "slot", body: ["account": "a", "kind": "agent", "id": "x", "premium": true]) {
            (body) throws(Refusal) in _ = try SlotRequest.read(body)
        },
        Reader(
            name: "grant",
            body: [
                "account": "a", "key": "k", "micro_credits": 1, "source": "purchase", "priority": 1,
                "effective_at": "2026-03-01T00:00:00Z", "expires_at": "2026-04-01T00:00:00Z", "reason": "r",
                "features": ["tokens", "gpt-4o"],
            ]
        ) { (body) throws(Refusal) in _ = try GrantRequest.read(body) },
        Reader(name: "void", body: ["account": "a", "reason": "r"]) {
            (body) throws(Refusal) in _ = try VoidRequest.read(body)
        },
        Reader(name: "rerate", body: ["model": "m", "account": "a", "reason": "r"]) {
            (body) throws(Refusal) in _ = try RerateRequest.read(body)
        },
        Reader(
            name: "budget",
            body: [
                "name": "b", "scope": "user", "match": "u", "period": "billing_period", "soft_limit_micro_usd": 1,
                "hard_limit_micro_usd": 2, "action_on_soft": "alert+webhook", "action_on_hard": "throttle",
                "webhook_url": "https://x.example/y",
            ]
        ) { (body) throws(Refusal) in _ = try BudgetRequest.read(body) },
        Reader(
            name: "sync subscription",
            body: [
                "event_id": "e", "occurred_at": "2026-03-01T00:00:00Z", "account_id": "a", "plan": "pro",
                "status": "active", "current_period_start": "2026-03-01T00:00:00Z",
                "current_period_end": "2026-04-01T00:00:00Z", "cancel_at_period_end": true,
                "stripe_customer_id": "cus_1", "stripe_subscription_id": "sub_1",
            ]
        ) { (body) throws(Refusal) in _ = try SyncSubscriptionRequest.read(body) },
        Reader(
            name: "sync credits",
            body: [
                "event_id": "e", "account_id": "a", "micro_credits": 100, "payment_intent_id": "pi_1",
                "paid_micro_usd": 1,
            ]
        ) { (body) throws(Refusal) in _ = try SyncCreditsRequest.read(body, creditValueMicroUSD: 10_000) },
        Reader(
            name: "add credits", body: ["amount": "1.5", "payment_intent_id": "pi", "account_id": "a", "reason": "r"]
        ) { (body) throws(Refusal) in _ = try AddCreditsRequest.read(body) },
        Reader(
            name: "process checkout",
            body: [
                "session_id": "cs", "account_id": "a",
                "subscription_info": [
                    "stripe_customer_id": "cus", "stripe_subscription_id": "sub", "tier": "pro", "status": "trial",
                    "created_at": 1_772_323_200, "current_period_start": 1_772_323_200,
                    "current_period_end": "2026-04-01T00:00:00Z", "auto_renew": false, "max_agents": 99,
                    "inference_credits_per_period": 99,
                ], "credits_added": 10,
            ]
        ) { (body) throws(Refusal) in _ = try ProcessCheckoutRequest.read(body) },
        Reader(
            name: "series",
            body: [
                "account": "a", "from": "2026-03-01T00:00:00Z", "to": "2026-03-02T00:00:00Z", "granularity": "hour",
                "group_by": "model,agent,user,project",
            ]
        ) { (body) throws(Refusal) in _ = try SeriesRequest.read(body, now: Events.now) },
        Reader(name: "page", body: ["account": "a", "limit": "1000", "cursor": "x"]) {
            (body) throws(Refusal) in _ = try PageQuery.read(body)
        },
    ]

    @Test(arguments: readers)
    func readsWhatIsWhole(_ reader: Reader) throws { try reader.read(reader.body) }

    @Test(arguments: readers)
    func refusesMembersThatAreNotKnown(_ reader: Reader) {
        var body = reader.body
        body["surplus"] = 1
        body["more"] = .null
        #expect(
            throws: Refusal(
                .requestMalformed, message: "Unknown member: surplus, more", details: ["unknown": ["surplus", "more"]])
        ) { try reader.read(body) }
    }

    /// Every member with a value of another kind is named.
    @Test(arguments: readers)
    func namesTheMemberThatIsBad(_ reader: Reader) {
        for name in reader.body.names {
            var body = reader.body
            body[name] = [1]
            let refusal = #expect(throws: Refusal.self, "\(name)") { try reader.read(body) }
            #expect(refusal?.code == .requestInvalid, "\(name)")
            let fields = refusal?.details?["fields"]?.arrayValue?.compactMap { $0["field"]?.stringValue } ?? []
            #expect(fields.first == name, "\(fields)")
        }
    }

    /// Any body is read or refused in words.
    @Test(arguments: readers)
    func survivesDamage(_ reader: Reader) {
        let random = SeededRandom(seed: 77)
        for _ in 0..<FuzzCases.count(300) {
            var body: JSONValue = .object(reader.body)
            for _ in 0...random.below(3) { body = DamagedJSON.damaged(body, random) }
            do throws(Refusal) {
                try reader.read(body.objectValue ?? JSONObject())
            } catch {
                #expect([400, 422].contains(error.status))
                #expect(!error.message.isEmpty && error.details != nil, "\(error)")
            }
        }
    }

    /// A reader, a change to its body, and the fault that is told.
    @Test(
        arguments: [
            ("reservation", ["key": nil], "key: required"),
            ("reservation", ["key": ""], "key: not a text of 1 to 256 bytes without control characters"),
            ("reservation", ["ttl": "9s"], "ttl: not a duration from 10s to 1h"),
            ("reservation", ["ttl": "61m"], "ttl: not a duration from 10s to 1h"),
            ("reservation", ["ttl": 3601], "ttl: not a duration from 10s to 1h"),
            ("reservation", ["ttl": "10500ms"], "ttl: not a duration from 10s to 1h"),
            ("reservation", ["usage": nil], "usage: required, or micro_credits"),
            ("reservation", ["micro_credits": 1], "micro_credits: not together with usage"),
            ("reservation", ["usage": ["input": 1]], "usage.model: required"),
            (
                "increment", ["hold_micro_credits": -1],
                "hold_micro_credits: not a whole number from 0 to 1000000000000000"
            ),
            (
                "increment", ["micro_credits": 1_000_000_000_000_001],
                "micro_credits: not a whole number from 0 to 1000000000000000"
            ),
            ("eligibility", ["action": nil], "action: required"),
            ("eligibility", ["action": "fly"], "action: not one of tokens, agent.hire, task, slot"),
            ("eligibility", ["model": nil], "model: required"),
            ("eligibility", ["usage": ["model": "m", "input": 1]], "usage: not together with tokens"),
            ("eligibility", ["tokens": ["model": "m", "input": 1]], "tokens.model: beside tokens, not in it"),
            ("slot", ["kind": "desk"], "kind: not one of agent, worker, workspace"),
            ("slot", ["kind": nil], "kind: required"),
            ("slot", ["kind": "worker"], "premium: of agents only"),
            ("slot", ["id": nil], "id: required"),
            ("grant", ["account": nil], "account: required"),
            ("grant", ["reason": nil], "reason: required"),
            ("grant", ["micro_credits": 0], "micro_credits: not a whole number from 1 to 1000000000000000"),
            ("grant", ["source": "rollover"], "source: not one of promotion, admin, purchase"),
            ("grant", ["priority": 0], "priority: not a whole number from 1 to 255"),
            ("grant", ["priority": 256], "priority: not a whole number from 1 to 255"),
            ("grant", ["expires_at": "2026-03-01T00:00:00Z"], "expires_at: not after effective_at"),
            ("grant", ["expires_at": "soon"], "expires_at: not an instant like 2027-01-31T12:00:00Z"),
            ("grant", ["features": ["a", "a"]], "features: not a list of 1 to 64 different texts of 1 to 256 bytes"),
            ("void", ["reason": nil], "reason: required"),
            ("rerate", ["model": nil], "model: required"),
            ("budget", ["name": nil], "name: required"),
            ("budget", ["name": .string(String(repeating: "n", count: 101))], "name: longer than 100 characters"),
            ("budget", ["scope": nil], "scope: required"),
            ("budget", ["scope": "tenant"], "match: not with the scope tenant"),
            ("budget", ["match": nil], "match: required with this scope"),
            ("budget", ["period": "yearly"], "period: not one of daily, weekly, monthly, billing_period"),
            ("budget", ["soft_limit_micro_usd": 3], "soft_limit_micro_usd: above hard_limit_micro_usd"),
            (
                "budget", ["action_on_hard": "alert+webhook"],
                "action_on_hard: not one of alert, block, alert+block, throttle"
            ),
            ("budget", ["webhook_url": "http://x.example"], "webhook_url: not an https address"),
            ("budget", ["webhook_url": "https://"], "webhook_url: not an https address"),
            (
                "sync subscription", ["current_period_end": "2026-03-01T00:00:00Z"],
                "current_period_end: not after current_period_start"
            ),
            ("sync subscription", ["occurred_at": 5], "occurred_at: not an instant like 2027-01-31T12:00:00Z"),
            ("sync credits", ["micro_credits": 101], "micro_credits: more than was paid for: 100"),
            ("add credits", ["amount": nil], "amount: required"),
            ("add credits", ["amount": 0], "amount: not an amount of credits above 0 with at most six decimals"),
            ("add credits", ["amount": -1], "amount: not an amount of credits above 0 with at most six decimals"),
            ("process checkout", ["session_id": nil], "session_id: required"),
            (
                "process checkout", ["subscription_info": ["tier": "pro"]], "subscription_info.status: required"
            ),
            ("series", ["from": "2026-03-02T00:00:00Z"], "from: not before to"),
            ("series", ["from": "2020-01-01T00:00:00Z"], "from: more than 10000 windows before to"),
            ("series", ["group_by": "model,,"], "group_by: not a list of model, agent, user, project"),
            ("series", ["granularity": "year"], "granularity: not one of hour, day, week, month"),
            ("page", ["limit": "0"], "limit: not a whole number from 1 to 1000"),
            ("page", ["limit": "1001"], "limit: not a whole number from 1 to 1000"),
            ("page", ["limit": "x"], "limit: not a whole number from 1 to 1000"),
        ] as [(String, JSONObject, String)])
    func saysWhatIsWrong(_ name: String, _ change: JSONObject, _ message: String) throws {
        let reader = try #require(Self.readers.first { $0.name == name })
        var body = reader.body
        for member in change.members { body[member.name] = member.value.isNull ? nil : member.value }
        let refusal = #expect(throws: Refusal.self) { try reader.read(body) }
        #expect(refusal?.code == .requestInvalid)
        #expect(refusal?.message == message)
        let field = message.prefix { $0 != ":" }
        #expect(refusal?.details?["fields"]?.arrayValue?.first?["field"] == .string(String(field)))
    }
}
