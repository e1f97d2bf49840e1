// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import TestSupport
internal import Testing

extension BillingKinds {
    /// Sends the batches in order: the answer to each, and what is recorded in all.
    @Sendable static func cloudEvents(_ record: CaseRecord) async throws {
        var world = EventWorld(
            prices: try prices(), account: try #require(record.given["account"]?.stringValue),
            window: .seconds((record.given["window_days"]?.intValue ?? 32) * 86_400))
        let batches = try #require(record.given["batches"]?.arrayValue)
        let wanted = try #require(record.expect["batches"]?.arrayValue)
        #expect(batches.count == wanted.count)
        for (index, (batch, expected)) in zip(batches, wanted).enumerated() {
            let answer = try world.send(batch, at: time(batch["now"]))
            for member in expected.objectValue?.members ?? [] where member.name != "results" {
                #expect(answer[member.name] == member.value, "\(record.id): batch \(index): \(member.name)")
            }
            let results = answer["results"]?.arrayValue ?? []
            let expectedResults = expected["results"]?.arrayValue ?? []
            #expect(results.count == expectedResults.count)
            for (place, (found, wanted)) in zip(results, expectedResults).enumerated() {
                expect(found, has: wanted, "\(record.id): batch \(index): event \(place)")
            }
        }
        try world.check(record.expect["totals"] ?? [:], record.id)
    }
}

/// Records in memory, by the same checks, order of refusals and rating as everywhere.
private struct EventWorld {
    let prices: PriceList
    let account: String
    let window: Duration
    private var rows: [UsageRow] = []

    init(prices: PriceList, account: String, window: Duration) {
        self.prices = prices
        self.account = account
        self.window = window
    }

    mutating func send(_ batch: JSONValue, at now: Timestamp) throws -> JSONValue {
        let events = try #require(batch["single"] ?? batch["events"])
        let read = try CloudEventReader.read(
            headers: HeaderList([("Content-Type", "application/json")]), body: events.encoded())
        let intake = UsageIntake(account: account, now: now, dedupWindow: window)
        let before = rows
        var added: [UsageRow] = []
        let results = UsageSorting.results(of: intake.check(read)) { source, id in
            before.last { $0.source == source && $0.id == id && $0.receivedAt >= intake.repeatsSince }?.digest
        } apply: { event in
            do throws(Refusal) {
                let amount = try event.rated(
                    by: prices, markup: nil, creditValueMicroUSD: BillingKinds.creditValue)
                added.append(event.row(amount, receivedAt: now))
                return .success(amount.chargeMicroCredits)
            } catch {
                return .failure(error)
            }
        }
        rows += added
        let answer = UsageAnswer(results)
        var object = try #require(answer.json.objectValue)
        object["http_status"] = .int(Int64(answer.status(isSingle: read.isSingle)))
        return .object(object)
    }

    func check(_ wanted: JSONValue, _ place: String) throws {
        var all = UsageAmounts()
        for row in rows { all.add(row.amounts) }
        let found: JSONValue = [
            "records": .int(Int64(rows.count)), "tokens": .int(all.tokens),
            "charge_micro_usd": .int(all.chargeMicroUSD),
        ]
        for member in wanted.objectValue?.members ?? [] {
            switch member.name {
            case "by_model": try group(member.value, place) { $0.model }
            case "by_agent": try group(member.value, place) { $0.agent }
            default: #expect(found[member.name] == member.value, "\(place): \(member.name)")
            }
        }
    }

    private func group(_ wanted: JSONValue, _ place: String, by key: (UsageDimensions) -> String) throws {
        for member in wanted.objectValue?.members ?? [] {
            var sum = UsageAmounts()
            for row in rows where key(row.dimensions) == member.name { sum.add(row.amounts) }
            let found: JSONValue = [
                "requests": .int(sum.requests), "tokens": .int(sum.tokens), "invocations": .int(sum.agentCalls),
                "seconds": .int(sum.agentSeconds),
            ]
            BillingKinds.expect(found, has: member.value, "\(place): \(member.name)")
        }
    }
}
