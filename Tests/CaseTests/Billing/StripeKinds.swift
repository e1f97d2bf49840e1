// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import TestSupport
internal import Testing

extension BillingKinds {
    static func stripeSignature(_ record: CaseRecord) async throws {
        let given = record.given
        let secrets = try #require(given["secrets"]?.arrayValue).compactMap(\.stringValue)
        var result = "valid"
        do throws(StripeSignature.Fault) {
            try StripeSignature.check(
                header: given["header"]?.stringValue, body: Array((given["payload"]?.stringValue ?? "").utf8),
                secrets: Redacted(secrets), at: Timestamp(seconds: given["now"]?.intValue ?? 0),
                tolerance: given["tolerance_seconds"]?.intValue ?? -1)
        } catch {
            result = error.rawValue
        }
        #expect(result == record.expect["result"]?.stringValue)
    }

    static func stripeParse(_ record: CaseRecord) async throws {
        let reading = try StripeEventReader.read(Array(try #require(record.given["event"]).encoded()))
        guard case .event(let event) = reading else {
            Issue.record("\(record.id): \(reading)")
            return
        }
        var found = try #require(event.json.objectValue)
        for name in record.expect.objectValue?.names ?? [] where found[name] == nil { found[name] = .null }
        expect(.object(found), has: record.expect, record.id)
        #expect(ProviderEvent(document: event.json.jsonText) == event)
    }

    static func webhookSignature(_ record: CaseRecord) async throws {
        let given = record.given
        let secrets = try #require(given["secrets"]?.arrayValue).map {
            try #require($0.stringValue.flatMap(WebhookSecret.init))
        }
        let headers = WebhookHeaders(
            id: try #require(given["id"]?.stringValue), body: Array((given["payload"]?.stringValue ?? "").utf8),
            secrets: secrets, at: Timestamp(seconds: given["timestamp"]?.intValue ?? 0))
        let found = JSONObject(headers.list.map { ($0.name, JSONValue.string($0.value)) })
        expect(.object(found), has: record.expect, record.id)
    }

    /// In the given order; with `any_order` in every order; and always with repeats in random orders.
    static func stripeEvents(_ record: CaseRecord) async throws {
        let given = record.given
        let events = try #require(given["events"]?.arrayValue).map { try #require(ProviderEvent(json: $0)) }
        let now = try time(given["now"])
        let account = try #require(given["account"]?.stringValue)
        let world = { () throws -> ProviderWorld in
            let world = try ProviderWorld(now: now)
            if let customer = given["customer"]?.stringValue { world.ledger.link(customer, to: account) }
            return world
        }
        let first = try world()
        let outcomes = try await first.deliver(events)
        var found = try first.look(at: account)
        found["outcomes"] = .strings(outcomes.map(\.rawValue))
        expect(.object(found), has: record.expect, record.id)
        guard given["any_order"] == true else { return }

        var wanted = try #require(record.expect.objectValue)
        wanted["outcomes"] = nil
        for order in permutations(events) {
            let world = try world()
            _ = try await world.deliver(order)
            expect(.object(try world.look(at: account)), has: .object(wanted), "\(record.id) \(order.map(\.id))")
        }
        let random = SeededRandom(seed: 7)
        for _ in 0..<20 {
            var order = events
            for _ in 0..<random.below(6) { order.append(events[random.below(events.count)]) }
            for index in order.indices.reversed() { order.swapAt(index, random.below(index + 1)) }
            let world = try world()
            _ = try await world.deliver(order)
            expect(.object(try world.look(at: account)), has: .object(wanted), "\(record.id) \(order.map(\.id))")
        }
    }

    private static func permutations<Element>(_ elements: [Element]) -> [[Element]] {
        guard elements.count > 1 else { return [elements] }
        return elements.indices.flatMap { index in
            var rest = elements
            let taken = rest.remove(at: index)
            return permutations(rest).map { [taken] + $0 }
        }
    }
}
