// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import TestSupport
internal import Testing

@Suite struct UsageSortingTests {
    private struct Broken: Error {}

    @Test func tellsRepeatsInTheStoreAndInTheCall() throws {
        let same = Events.tokens(["id": "a"])
        let other = Events.tokens(["id": "a"], data: ["model": "gpt-4o-mini", "input_tokens": 11])
        let stored = try #require(Events.taken(Events.tokens(["id": "s"]))).digest
        var asked: [String] = []
        var applied: [String] = []
        let events = [same, same, other, Events.tokens(["id": "s"]), Events.tokens(["id": "a", "source": "gw-2"])]
        let results = UsageSorting.results(of: Events.check(events)) { source, id in
            asked.append("\(source) \(id)")
            return id == "s" ? stored : nil
        } apply: { event in
            applied.append("\(event.source) \(event.id)")
            return .success(7)
        }
        #expect(
            results.map(\.outcome) == [
                .accepted(chargeMicroCredits: 7), .duplicate(conflict: false), .duplicate(conflict: true),
                .duplicate(conflict: false), .accepted(chargeMicroCredits: 7),
            ])
        #expect(asked == ["gw a", "gw s", "gw-2 a"])
        #expect(applied == ["gw a", "gw-2 a"])
    }

    /// A repeat is told before its content is looked at, and a refused event is not remembered.
    @Test func remembersOnlyWhatWasTaken() {
        let unknown = Events.tokens(["id": "a", "type": "x"])
        let results = UsageSorting.results(of: Events.check([unknown, Events.tokens(["id": "a"]), unknown])) { _, _ in
            nil
        } apply: { _ in
            .success(1)
        }
        #expect(
            results.map(\.outcome) == [
                .rejected(Events.refusal(.usageUnknownType, "type")), .accepted(chargeMicroCredits: 1),
                .duplicate(conflict: true),
            ])
        var first = true
        let refused = Refusal(.billingUnknownModel)
        let again = UsageSorting.results(of: Events.check([Events.tokens(), Events.tokens()])) { _, _ in
            nil
        } apply: { _ in
            defer { first = false }
            return first ? .failure(refused) : .success(nil)
        }
        #expect(again.map(\.outcome) == [.rejected(refused), .accepted(chargeMicroCredits: nil)])
    }

    @Test func faultsOfTheStoreAreThrownOn() {
        #expect(throws: Broken.self) {
            try UsageSorting.results(of: Events.check([Events.tokens()])) { _, _ in
                throw Broken()
            } apply: { _ in
                .success(0)
            }
        }
    }

    @Test func answersInOrderWithEverythingThatIsKnown() {
        let refusal = Events.refusal(.usageBadCount, "data.input")
        let answer = UsageAnswer([
            UsageResult(index: 2, id: nil, source: "s", outcome: .rejected(refusal)),
            UsageResult(index: 0, id: "a", source: "s", outcome: .accepted(chargeMicroCredits: 5)),
            UsageResult(index: 1, id: "a", source: "s", outcome: .duplicate(conflict: true)),
        ])
        #expect(
            answer.json == [
                "accepted": 1, "duplicates": 1, "rejected": 1,
                "results": [
                    ["index": 0, "id": "a", "source": "s", "status": "accepted", "charge_micro_credits": 5],
                    ["index": 1, "id": "a", "source": "s", "status": "duplicate", "conflict": true],
                    [
                        "index": 2, "id": nil, "source": "s", "status": "rejected", "code": "usage.bad_count",
                        "field": "data.input",
                    ],
                ],
            ])
        #expect(answer.status(isSingle: false) == 202)
        let single = UsageAnswer([UsageResult(index: 0, id: "a", source: "s", outcome: .rejected(refusal))])
        #expect(single.status(isSingle: true) == 422)
        #expect(single.refusal(isSingle: true) == refusal)
        #expect(single.status(isSingle: false) == 202)
        #expect(single.refusal(isSingle: false) == nil)
        let good = UsageAnswer([UsageResult(index: 0, id: "a", source: "s", outcome: .duplicate(conflict: false))])
        #expect(good.status(isSingle: true) == 202)
    }

    /// Damaged events are taken or refused, never lost and never the end of the process.
    @Test func everyDamagedEventHasAnOutcome() throws {
        let random = SeededRandom(seed: 10)
        let prices = try Prices.shipped()
        let sound: [JSONObject] = [
            Events.tokens(data: ["model": "gpt-4o", "tokens": ["input": 1, "cache": ["read": 2]], "user": "u"]),
            Events.agent(["agent": "a", "operation": "run", "seconds": 5]), Events.task(["count": 2]),
        ]
        for _ in 0..<FuzzCases.count(1500) {
            var event: JSONValue = .object(sound[random.below(sound.count)])
            for _ in 0...random.below(3) { event = DamagedJSON.damaged(event, random) }
            let batch = CloudEventBatch(
                events: [CloudEvent(members: event.objectValue ?? JSONObject())], isSingle: true)
            let intake = UsageIntake(account: nil, now: Events.now, dedupWindow: .seconds(100))
            let results = UsageSorting.results(of: intake.check(batch)) { _, _ in
                nil
            } apply: { event in
                do throws(Refusal) {
                    let amount = try event.rated(by: prices, markup: nil, creditValueMicroUSD: 10_000)
                    #expect(amount.chargeMicroCredits >= 0)
                    return .success(amount.chargeMicroCredits)
                } catch {
                    return .failure(error)
                }
            }
            #expect(results.count == 1)
            if case .rejected(let refusal) = results[0].outcome { #expect(refusal.details != nil, "\(refusal)") }
        }
    }
}
