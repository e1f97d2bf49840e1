// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import TestSupport
internal import Testing

@Suite struct BillingServiceTests {
    @Test(arguments: [(100, 7), (1000, 1), (5, 9), (64, 64)] as [(Int64, Int64)])
    func parallelReservationsFitExactly(balance: Int64, size: Int64) async throws {
        let desk = try AccountDesk()
        try await desk.open("acme", microCredits: balance)
        let tries = balance / size + 20
        let succeeded = await withTaskGroup(of: Bool.self) { group in
            for index in 0..<tries {
                group.addTask { (try? await desk.reserve("acme", size, key: "r\(index)")) != nil }
            }
            return await group.reduce(Int64(0)) { $0 + ($1 ? 1 : 0) }
        }
        #expect(succeeded == balance / size)
        let view = try await desk.service.view("acme")
        #expect(view.availableMicroCredits == balance - succeeded * size)
        #expect(view.book.held == succeeded * size)
    }

    @Test func aRefusedReservationSaysWhatIsMissing() async throws {
        let desk = try AccountDesk()
        try await desk.open("acme", microCredits: 1_500_000)
        do {
            _ = try await desk.reserve("acme", 2_250_001, key: "r")
            Issue.record("it does not fit")
        } catch let refusal as Refusal {
            #expect(refusal.code == .billingInsufficientCredits)
            #expect(refusal.status == 402)
            #expect(refusal.details?["required_credits"] == 3)
            #expect(refusal.details?["available_credits"] == 1)
            #expect(refusal.details?["additional_needed"] == 1)
            #expect(refusal.details?["required_micro_credits"] == 2_250_001)
            #expect(refusal.details?["available_micro_credits"] == 1_500_000)
        }
    }

    @Test func noMoreThanTenThousandReservationsAreOpen() async throws {
        let desk = try AccountDesk()
        try await desk.open("acme", microCredits: 100)
        var changes = AccountChanges(recordedAt: desk.clock.now())
        let terms = desk.service.terms
        var book = try await desk.service.view("acme").book
        let standing = book.standing(at: desk.clock.now(), terms: terms)
        let use = EligibilityQuestion.TokenUse(
            subject: ChargeSubject(), charge: Charge(microCredits: 0, creditValueMicroUSD: 10_000))
        for index in 0..<10_000 {
            let request = HoldRequest(id: "r\(index)", key: "r\(index)", digest: "", use: use)
            _ = try book.reserve(request, standing: standing, terms: terms, into: &changes)
        }
        await expectRefusal(.billingTooManyReservations) {
            let request = HoldRequest(id: "one more", key: "one more", digest: "", use: use)
            _ = try book.reserve(request, standing: standing, terms: terms, into: &changes)
        }
    }

    @Test func aBatchIsOneTransactionAndRepeatsAreTold() async throws {
        let desk = try AccountDesk()
        try await desk.open("acme", microCredits: 1_000_000_000)
        let batch =
            (0..<100).map { desk.event("e\($0)", "acme", input: 1000) } + [
                desk.event("e5", "acme", input: 1000), desk.event("e6", "acme", input: 1001, digest: "other"),
            ]
        let before = try await desk.service.view("acme").book.lastSequence
        let results = try await desk.service.record(batch, account: "acme")
        #expect(results.prefix(100).allSatisfy { $0.outcome == .accepted(chargeMicroCredits: 15_000) })
        #expect(results[100].outcome == .duplicate(conflict: false))
        #expect(results[101].outcome == .duplicate(conflict: true))
        let again = try await desk.service.record(batch, account: "acme")
        #expect(again.allSatisfy { $0.status == "duplicate" })
        let view = try await desk.service.view("acme")
        #expect(view.book.lastSequence == before + 100)
        #expect(view.availableMicroCredits == 1_000_000_000 - 100 * 15_000)
        #expect(view.book.counters.tokensToday == 100_000)
        let windows = try await desk.ledger.read("acme") { reader in
            try reader.windows(.day, from: Timestamp(seconds: 0), to: .latest, by: [.model])
        }
        #expect(windows.count == 1)
        #expect(windows.first?.amounts.requests == 100)
        #expect(windows.first?.amounts.input == 100_000)
        #expect(windows.first?.dimensions.model == "gpt-4o-mini")
    }

    @Test func exactlyOneDedupWindowLaterAnEventIsNew() async throws {
        let desk = try AccountDesk()
        try await desk.open("acme", microCredits: 1_000_000_000)
        _ = try await desk.service.record([desk.event("e", "acme", input: 10)], account: "acme")
        desk.clock.advance(seconds: 768 * 3600 - 1)
        let repeated = try await desk.service.record([desk.event("e", "acme", input: 10)], account: "acme")
        #expect(repeated[0].status == "duplicate")
        desk.clock.advance(seconds: 1)
        let new = try await desk.service.record([desk.event("e", "acme", input: 10)], account: "acme")
        #expect(new[0].status == "accepted")
    }

    @Test func anUnknownModelSpoilsNothingButItsEvent() async throws {
        let desk = try AccountDesk()
        try await desk.open("acme", microCredits: 1_000_000)
        let results = try await desk.service.record(
            [
                desk.event("1", "acme", input: 10), desk.event("2", "acme", input: 10, model: "nobody-knows"),
                desk.event("3", "acme", input: 10),
            ], account: "acme")
        #expect(results.map(\.status) == ["accepted", "rejected", "accepted"])
        guard case .rejected(let refusal) = results[1].outcome else { return }
        #expect(refusal.code == .billingUnknownModel)
    }

    @Test func lateEventsCountInTheWindowsOfTheirOwnTimeAndNotToday() async throws {
        let desk = try AccountDesk()
        try await desk.open("acme", microCredits: 1_000_000_000)
        let yesterday = desk.clock.now().adding(seconds: -86_400)
        _ = try await desk.service.record(
            [desk.event("late", "acme", input: 700, at: yesterday), desk.event("now", "acme", input: 30)],
            account: "acme")
        let view = try await desk.service.view("acme")
        #expect(view.book.counters.tokensToday == 30)
        #expect(view.book.counters.period.usedMicroCredits == 10_500 + 500)
        let days = try await desk.ledger.read("acme") { reader in
            try reader.windows(.day, from: Timestamp(seconds: 0), to: .latest, by: [])
        }
        #expect(days.map(\.amounts.input) == [700, 30])
    }

    @Test func anEventWithAReservationIsItsCommit() async throws {
        let desk = try AccountDesk()
        try await desk.open("acme", microCredits: 1_000_000)
        let reservation = try await desk.reserve("acme", 500_000, key: "r")
        let id = reservation.reservation.id
        let results = try await desk.service.record(
            [desk.event("1", "acme", input: 1000, reservation: id)], account: "acme")
        #expect(results[0].status == "accepted")
        let after = try await desk.service.reservation(id, account: "acme")
        #expect(after.reservation.state == .committed)
        #expect(after.reservation.charged == 15_000)
        let view = try await desk.service.view("acme")
        #expect(view.availableMicroCredits == 985_000)
        #expect(view.book.held == 0)
        let missing = try await desk.service.record(
            [desk.event("2", "acme", input: 1000, reservation: "none")], account: "acme")
        guard case .rejected(let refusal) = missing[0].outcome else {
            Issue.record("there is no such reservation")
            return
        }
        #expect(refusal.code == .billingNotFound)
    }

    @Test func entriesNameWhoReportedTheirEvent() async throws {
        let desk = try AccountDesk()
        try await desk.open("acme", microCredits: 1_000_000)
        func event(_ id: String, by actor: String?) -> UsageEvent {
            UsageEvent(
                source: "gw", id: id, digest: id, account: "acme", at: desk.clock.now(),
                content: .tokens(TokenCounts(input: 1000), model: "gpt-4o-mini", provider: nil), actor: actor)
        }
        _ = try await desk.service.record([UsageCandidate(event("1", by: "gw-1"))], account: "acme")
        let waiting = try ["gw-2", nil, "gw-3"].enumerated().map { number, actor in
            UsageClaim(event: try UsageEvent(document: event("c\(number)", by: actor).document))
        }
        _ = try await desk.service.apply(waiting, account: "acme")
        let actors = try await desk.entries("acme").filter { $0.kind == .settle }.map(\.actor)
        #expect(actors == ["gw-1", "gw-2", "system", "gw-3"])
    }

    @Test func theSameGrantHasTheSameReason() async throws {
        let desk = try AccountDesk()
        func body(_ reason: String) throws -> GrantOrder {
            GrantOrder(
                try GrantRequest.read([
                    "account": "acme", "key": "k", "micro_credits": 5, "source": "admin", "reason": .string(reason),
                ]))
        }
        for _ in 0..<2 { _ = try await desk.service.grant(try body("sorry"), account: "acme", actor: "root") }
        await expectRefusal(.requestIdempotencyMismatch) {
            _ = try await desk.service.grant(try body("thanks"), account: "acme", actor: "root")
        }
        // An object may say it better.
        func order(_ reason: String) -> SubscriptionOrder {
            let grant = GrantOrder(key: "gift", microCredits: 7, source: .admin, reason: reason)
            let spec = StatedSubscription(uid: "uid", plan: "pro", anchor: desk.clock.now(), overrides: ["credits": 0])
            return SubscriptionOrder(spec: spec, grants: [grant])
        }
        for reason in ["welcome", "welcome!"] {
            #expect(try await desk.service.keep(order(reason), account: "acme").faults.isEmpty)
        }
    }

    @Test func aSeriesHasABound() async throws {
        let desk = try AccountDesk()
        let (start, most) = (Timestamp(seconds: 1_772_323_200), SeriesRequest.maximumBuckets)
        var amounts = UsageAmounts()
        amounts.requests = 1
        let deltas = (0...most).map { number in
            UsageWindowDelta(
                granularity: .day, start: start.adding(seconds: Int64(number % 10) * 86_400),
                dimensions: UsageDimensions(user: "u\(number)"), amounts: amounts)
        }
        try await desk.ledger.transact("acme") { try $0.add(deltas) }
        func series(_ groupBy: String) async throws -> JSONValue {
            let query: JSONObject = [
                "from": .string(start.rfc3339), "to": .string(start.adding(seconds: 864_000).rfc3339),
                "group_by": .string(groupBy),
            ]
            let request = try SeriesRequest.read(query, now: start)
            return try await desk.service.series(request, account: "acme")
        }
        #expect(try await series("model")["buckets"]?.arrayValue?.count == 10)
        do {
            _ = try await series("user")
            Issue.record("not refused")
        } catch let refusal as Refusal {
            #expect(refusal.code == .requestInvalid && refusal.details?["field"] == "group_by")
            #expect(
                refusal.message
                    == "More than 20000 buckets: ask for a shorter span, longer windows or fewer dimensions")
        }
    }

    @Test func accountsAreMadeOnlyWhereTheyMayBe() async throws {
        let desk = try AccountDesk(settings: BillingSettings(makesAccounts: false))
        await expectRefusal(.billingAccountNotFound) { _ = try await desk.reserve("nobody", 1, key: "r") }
        let answer = try await desk.service.canHireAgent(account: "nobody", agent: "a")
        #expect(answer.reason == "account_not_found")
        let open = try AccountDesk()
        let made = try await open.reserve("somebody", 1, key: "r")
        #expect(made.plan == "free")
        #expect(made.remainingMicroCredits == 99_999_999)
    }

    @Test func aSuspendedAccountRefusesEveryCheck() async throws {
        let desk = try AccountDesk()
        try await desk.open("acme", microCredits: 100)
        let spec = StatedSubscription(
            uid: "uid", plan: "enterprise", anchor: desk.clock.now(), overrides: ["credits": 0], isSuspended: true)
        _ = try await desk.service.apply(SubscriptionOrder(spec: spec), account: "acme")
        await expectRefusal(.billingAccountSuspended) { _ = try await desk.reserve("acme", 1, key: "r") }
        await expectRefusal(.billingAccountSuspended) { try await desk.service.takeTasks(1, account: "acme") }
        await expectRefusal(.billingAccountSuspended) {
            _ = try await desk.service.take(SlotRequest(kind: .worker, id: "w"), account: "acme")
        }
        #expect(try await desk.service.view("acme").availableMicroCredits == 100)
    }
}
