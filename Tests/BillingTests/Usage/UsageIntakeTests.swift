// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import TestSupport
internal import Testing

@Suite struct UsageIntakeTests {
    /// An event and what it is refused with.
    @Test(
        arguments: [
            (["specversion": nil], .usageMissingField, "specversion"),
            (["specversion": ""], .usageMissingField, "specversion"),
            (["specversion": 1], .usageMissingField, "specversion"),
            (["specversion": "1.1"], .usageBadSpecversion, "specversion"),
            (["id": nil], .usageMissingField, "id"),
            (["id": ""], .usageMissingField, "id"),
            (["id": 7], .usageMissingField, "id"),
            (["source": nil], .usageMissingField, "source"),
            (["type": nil], .usageMissingField, "type"),
            (["type": "dev.tollgate.usage.other"], .usageUnknownType, "type"),
            (["subject": nil], .usageMissingField, "subject"),
            (["subject": "globex"], .usageWrongAccount, "subject"),
            (["data": nil], .usageMissingField, "data"),
            (["data": "x"], .usageMissingField, "data"),
            (["data": nil, "data_base64": "!"], .usageMissingField, "data"),
            (["data": nil, "data_base64": "W10="], .usageMissingField, "data"),
            (["time": "yesterday"], .usageTimeOutOfRange, "time"),
            (["time": 5], .usageTimeOutOfRange, "time"),
            (["time": "2026-03-01T12:05:00.000001Z"], .usageTimeOutOfRange, "time"),
            (["time": "2026-01-29T11:59:59.999999Z"], .usageTimeOutOfRange, "time"),
        ] as [(JSONObject, ErrorCode, String)])
    func refusesWhatIsNoEvent(_ change: JSONObject, _ code: ErrorCode, _ field: String) {
        #expect(Events.outcome(Events.tokens(change)) == .rejected(Events.refusal(code, field)))
    }

    /// Data and what it is refused with.
    @Test(
        arguments: [
            (Events.tokens(data: ["input": 1]), .usageMissingField, "data.model"),
            (Events.tokens(data: ["model": "", "input": 1]), .usageMissingField, "data.model"),
            (Events.tokens(data: ["model": "m"]), .usageMissingCounts, "data"),
            (Events.tokens(data: ["model": "m", "input": nil]), .usageMissingCounts, "data"),
            (Events.tokens(data: ["model": "m", "total_tokens": 5]), .usageMissingCounts, "data"),
            (Events.tokens(data: ["model": "m", "input": -1]), .usageBadCount, "data.input"),
            (Events.tokens(data: ["model": "m", "input": 1_000_000_001]), .usageBadCount, "data.input"),
            (Events.tokens(data: ["model": "m", "inputTokens": "5"]), .usageBadCount, "data.inputTokens"),
            (Events.tokens(data: ["model": "m", "cache.read": .double(1.5)]), .usageBadCount, "data.cache.read"),
            (Events.tokens(data: ["model": "m", "tokens": ["output": true]]), .usageBadCount, "data.tokens.output"),
            (
                Events.tokens(data: ["model": "m", "input": 1, "input_tokens": 2]), .usageInconsistentCounts,
                "data.input_tokens"
            ),
            (Events.agent(["operation": "invoke"]), .usageMissingField, "data.agent"),
            (Events.agent(["agent": "a"]), .usageMissingField, "data.operation"),
            (Events.agent(["agent": "a", "operation": "dance"]), .usageBadOperation, "data.operation"),
            (Events.agent(["agent": "a", "operation": 5]), .usageBadOperation, "data.operation"),
            (Events.agent(["agent": "a", "operation": "run"]), .usageMissingCounts, "data.seconds"),
            (Events.agent(["agent": "a", "operation": "run", "seconds": -1]), .usageBadCount, "data.seconds"),
            (Events.agent(["agent": "a", "operation": "invoke", "count": "1"]), .usageBadCount, "data.count"),
            (Events.task([:]), .usageMissingCounts, "data.count"),
            (Events.task(["count": -1]), .usageBadCount, "data.count"),
        ] as [(JSONObject, ErrorCode, String)])
    func refusesWhatCountsNothing(_ event: JSONObject, _ code: ErrorCode, _ field: String) {
        #expect(Events.outcome(event) == .rejected(Events.refusal(code, field)))
    }

    @Test(arguments: [
        (Events.tokens(["id": .string(String(repeating: "x", count: 257))]), "id"),
        (Events.tokens(["source": "a\nb"]), "source"),
        (Events.tokens(data: ["model": .string(String(repeating: "m", count: 257)), "input": 1]), "data.model"),
        (Events.tokens(data: ["model": "m", "user": 5, "input": 1]), "data.user"),
        (Events.tokens(data: ["model": "m", "project": "\u{7F}", "input": 1]), "data.project"),
        (Events.tokens(data: ["model": "m", "reservation": ["x"], "input": 1]), "data.reservation"),
    ])
    func refusesTextsThatCannotBeKept(_ event: JSONObject, _ field: String) {
        let message = "\(field): it must be a text of at most 256 bytes without control characters"
        #expect(
            Events.outcome(event)
                == .rejected(Refusal(.requestInvalid, message: message, details: ["field": .string(field)])))
    }

    /// Each event has every fault of those behind it too: the one in front is told.
    @Test func refusesInTheOrderThatIsPromised() {
        var event = Events.agent(["agent": "a", "operation": "dance", "count": -1])
        event["specversion"] = "0.3"
        event["id"] = ""
        event["subject"] = "globex"
        event["time"] = "2020-01-01T00:00:00Z"
        var told: [ErrorCode] = []
        func look() {
            if case .rejected(let refusal) = Events.outcome(event) { told.append(refusal.code) }
        }
        look()
        event["id"] = "1"
        look()
        event["specversion"] = "1.0"
        look()
        event["subject"] = "acme"
        look()
        event["time"] = nil
        look()
        event["data"] = ["agent": "a", "operation": "run", "count": -1]
        look()
        event["data"] = ["agent": "a", "operation": "run", "count": 1]
        look()
        #expect(
            told == [
                .usageMissingField, .usageBadSpecversion, .usageWrongAccount, .usageTimeOutOfRange,
                .usageBadOperation, .usageBadCount, .usageMissingCounts,
            ])
    }

    @Test func aPlatformPrincipalNamesAnyAccount() {
        #expect(Events.taken(Events.tokens(["subject": "globex"]), asPlatform: true)?.account == "globex")
    }

    @Test(arguments: ["2026-03-01T12:05:00Z", "2026-01-29T12:00:00Z", "2026-03-01T13:00:00+01:00"])
    func takesTimesAtTheEdges(_ time: String) {
        #expect(Events.taken(Events.tokens(["time": .string(time)]))?.at == Timestamp(rfc3339: time))
    }

    @Test func withoutATimeItIsNow() {
        #expect(Events.taken(Events.tokens())?.at == Events.now)
        var event = Events.tokens()
        event["time"] = JSONValue.null
        #expect(Events.taken(event)?.at == Events.now)
    }

    /// Data, and the counts in the order input, output, cache read, cache write, reasoning.
    @Test(
        arguments: [
            (
                [
                    "input_tokens": 1, "output_tokens": 2, "cache_read_tokens": 3, "cache_write_tokens": 4,
                    "reasoning_tokens": 5,
                ], [1, 2, 3, 4, 5]
            ),
            (["input": 1, "output": 2, "cache_read": 3, "cache_write": 4, "reasoning": 5], [1, 2, 3, 4, 5]),
            (
                [
                    "inputTokens": 1, "outputTokens": 2, "cacheReadTokens": 3, "cacheWriteTokens": 4,
                    "reasoningTokens": 5,
                ],
                [1, 2, 3, 4, 5]
            ),
            (["input": 1, "cache.read": 3, "cache.write": 4], [1, 0, 3, 4, 0]),
            (["input": 1, "cache": ["read": 3, "write": 4]], [1, 0, 3, 4, 0]),
            (
                ["tokens": ["input": 1, "output": 2, "reasoning": 5, "cache": ["read": 3, "write": 4]]],
                [1, 2, 3, 4, 5]
            ),
            (["input_tokens": 1, "cache_read_input_tokens": 3, "cache_creation_input_tokens": 4], [1, 0, 3, 4, 0]),
            (["input": 7, "input_tokens": 7, "output": .null], [7, 0, 0, 0, 0]),
            (["input": 0], [0, 0, 0, 0, 0]),
            (["input": 1_000_000_000], [1_000_000_000, 0, 0, 0, 0]),
            (["max_output": 9, "input": 1], [1, 0, 0, 0, 0]),
        ] as [(JSONObject, [Int64])])
    func readsCountsByManyNames(_ data: JSONObject, _ counts: [Int64]) {
        var data = data
        data["model"] = "m"
        data["provider"] = "p"
        let wanted = TokenCounts(
            input: counts[0], output: counts[1], cacheRead: counts[2], cacheWrite: counts[3], reasoning: counts[4])
        #expect(
            Events.taken(Events.tokens(data: .object(data)))?.content == .tokens(wanted, model: "m", provider: "p"))
    }

    @Test func readsAgentsAndTasks() {
        func content(_ event: JSONObject) -> UsageEvent.Content? { Events.taken(event)?.content }
        #expect(content(Events.agent(["agent": "a", "operation": "invoke"])) == .agent("a", calls: 1, seconds: 0))
        #expect(
            content(Events.agent(["agent": "a", "operation": "invoke", "count": 4, "seconds": 9]))
                == .agent("a", calls: 4, seconds: 9))
        #expect(
            content(Events.agent(["agent": "a", "operation": "run", "seconds": 0])) == .agent("a", calls: 0, seconds: 0)
        )
        #expect(content(Events.task(["count": 3])) == .tasks(3))
    }

    @Test func keepsByWhatItIsCounted() throws {
        let event = try #require(
            Events.taken(
                Events.tokens(data: [
                    "model": "openai/gpt-4o-mini", "input": 10, "user": "u", "project": "p", "agent": "a",
                    "session": "s", "task": "t", "reservation": "r", "extra": ["x"],
                ])))
        let amount = try event.rated(by: Prices.shipped(), markup: nil, creditValueMicroUSD: 10_000)
        let row = event.row(amount, receivedAt: Events.now, uncollectedMicroCredits: 3)
        #expect(row.dimensions == UsageDimensions(model: "gpt-4o-mini", agent: "a", user: "u", project: "p"))
        #expect(row.amounts.input == 10)
        #expect(row.amounts.requests == 1)
        #expect(row.amounts.chargeMicroUSD == 2)
        #expect(row.kind == "tokens")
        #expect((row.session, row.task, row.reservation) == ("s", "t", "r"))
        #expect(row.priceVersion == "1")
        #expect(row.uncollectedMicroCredits == 3)
        #expect(row.digest.utf8.count == 64)
        let hired = try #require(Events.taken(Events.agent(["agent": "b", "operation": "run", "seconds": 1])))
        let cost = try hired.rated(by: Prices.shipped(), markup: nil, creditValueMicroUSD: 10_000)
        #expect(hired.dimensions(cost) == UsageDimensions(agent: "b"))
        #expect(hired.amounts(cost).agentSeconds == 1)
        #expect(cost.chargeMicroUSD == 10_000)
        let tasks = try #require(Events.taken(Events.task(["count": 3])))
        let free = try tasks.rated(by: Prices.shipped(), markup: nil, creditValueMicroUSD: 10_000)
        #expect(free.chargeMicroCredits == 0)
        #expect(tasks.amounts(free).tasks == 3)
    }

    /// Two events, and whether they have the same content.
    @Test(
        arguments: [
            ([:], ["model": "gpt-4o-mini", "input_tokens": 10], true),
            (["traceparent": "00-1", "datacontenttype": "application/json"], nil, true),
            (["id": "2"], nil, true),
            ([:], ["input_tokens": 10, "model": "gpt-4o-mini"], true),
            ([:], ["input_tokens": 11, "model": "gpt-4o-mini"], false),
            ([:], ["input": 10, "model": "gpt-4o-mini"], false),
            (["time": "2026-03-01T12:00:00Z"], nil, false),
            (["data": nil, "data_base64": "eyJtb2RlbCI6ImdwdC00by1taW5pIiwiaW5wdXRfdG9rZW5zIjoxMH0="], nil, true),
        ] as [(JSONObject, JSONValue?, Bool)])
    func aDigestIsOfTheContent(_ change: JSONObject, _ data: JSONValue?, _ same: Bool) throws {
        let first = try #require(Events.taken(Events.tokens())).digest
        let second = try #require(Events.taken(Events.tokens(change, data: data))).digest
        #expect((first == second) == same)
    }

    @Test func exactlyOneWindowAgoIsNoRepeat() {
        let intake = UsageIntake(account: "acme", now: Events.now, dedupWindow: .seconds(100))
        #expect(intake.repeatsSince == Timestamp(microseconds: Events.now.microseconds - 100_000_000 + 1))
    }
}
