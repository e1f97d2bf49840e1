// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import TestSupport
internal import Testing

@Suite struct RerateTests {
    private let desk: AccountDesk

    init() throws {
        desk = try AccountDesk()
        var list = try #require(desk.service.prices.prices.json.objectValue)
        list["unknownModel"] = "quarantine"
        desk.service.prices.replace(try PriceList.read(.object(list)))
    }

    private func price() throws {
        var list = try #require(desk.service.prices.prices.json.objectValue)
        let model: JSONValue = [
            "model": "new-1", "providers": ["p"], "tier": "basic", "rates": ["input": "1", "output": "1"],
        ]
        list["models"] = .array((list["models"]?.arrayValue ?? []) + [model])
        desk.service.prices.replace(try PriceList.read(.object(list)))
    }

    /// So many records of a model without a price.
    private func use(_ account: String, _ count: Int) async throws {
        for start in stride(from: 0, to: count, by: 1000) {
            let events = (start..<min(count, start + 1000)).map {
                desk.event("\(account)-\($0)", account, input: 1000, model: "new-1")
            }
            _ = try await desk.service.record(events, account: account)
        }
    }

    private func rerate(_ account: String? = nil, _ cursor: RerateCursor? = nil) async throws -> RerateAnswer {
        var body: JSONObject = ["model": "new-1", "reason": "test"]
        if let account { body["account"] = .string(account) }
        // As it is given out and comes back.
        if let cursor { body["cursor"] = .string(cursor.text) }
        return try await desk.service.rerate(try RerateRequest.read(body), actor: "test")
    }

    @Test func aCallDoesSoMuchAndTellsWhereItGoesOn() async throws {
        for account in ["a", "b", "c"] { try await desk.open(account, microCredits: 1_000_000_000_000) }
        try await use("a", 700)
        try await use("b", 5100)
        try await use("c", 10)
        try price()
        var (records, calls, cursor) = ([Int64](), 0, RerateCursor?.none)
        repeat {
            let answer = try await rerate(nil, cursor)
            records.append(answer.records)
            cursor = answer.next
            calls += 1
        } while cursor != nil && calls < 10
        #expect(records == [5200, 610])
        #expect(try await rerate().records == 0)
    }

    @Test func oneAccountIsPagedToo() async throws {
        for (account, count) in [("a", 3), ("b", 5001)] {
            try await desk.open(account, microCredits: 1_000_000_000_000)
            try await use(account, count)
        }
        try price()
        let first = try await rerate("b")
        #expect(first.records == 5000)
        let next = try #require(first.next)
        #expect(next.account == "b" && next.record != nil)
        let second = try await rerate("b", next)
        #expect(second.records == 1 && second.next == nil)
        #expect(try await rerate("a").records == 3)
    }

    /// Of two providers one has a price: what the other one has served still has none.
    @Test func aPriceOfAnotherProviderRatesNothing() async throws {
        try await desk.open("a", microCredits: 1_000_000_000_000)
        let clock = desk.clock
        let events = ["p", "q"].map { provider in
            UsageCandidate(
                UsageEvent(
                    source: "gw", id: provider, digest: provider, account: "a", at: clock.now(),
                    content: .tokens(TokenCounts(input: 1000), model: "new-1", provider: provider)))
        }
        _ = try await desk.service.record(events, account: "a")
        let tokens = UsageAmount.Tokens(model: "new-1", provider: "q", counts: TokenCounts(input: 1000))
        let held = try await desk.service.reserve(
            ReservationRequest(key: "r", amount: .tokens(tokens)), account: "a")
        _ = try await desk.service.commit(
            held.reservation.id, CommitRequest(amount: .tokens(tokens)), account: "a", actor: "gw")
        try price()
        #expect(try await rerate("a").records == 0)
        let (p, q) = (
            try RerateRequest.read(["model": "p/new-1", "account": "a", "reason": "test"]),
            try RerateRequest.read(["model": "q/new-1", "account": "a", "reason": "test"])
        )
        await expectRefusal(.billingUnknownModel) { _ = try await desk.service.rerate(q, actor: "test") }
        #expect(try await desk.service.rerate(p, actor: "test").records == 1)
        #expect(try await desk.service.rerate(p, actor: "test").records == 0)
        let records = try await desk.ledger.read("a") { try $0.usage(UsageQuery(limit: 9)) }
        #expect(Set(records.map(\.dimensions.model)) == ["p/new-1", "q/new-1"])
        #expect(records.filter(\.isQuarantined).map(\.dimensions.model) == ["q/new-1", "q/new-1"])
    }

    @Test(arguments: ["", "{}", "[1,null]", #"["a"]"#, #"["",null]"#, #"["a","?"]"#, #"["a",1]"#])
    func aTextThatWasNotGivenOutIsNoCursor(_ list: String) {
        #expect(RerateCursor(text: Base64URL.encode(Array(list.utf8))) == nil)
        #expect(RerateCursor(text: list) == nil)
    }
}
