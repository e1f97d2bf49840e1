// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Billing
package import Essentials

/// Events of the provider about one account, and the instant at which one looks at what they came to.
package struct StripeSequence: Sendable, CustomStringConvertible {
    package let description: String
    package let account: String
    /// Linked to the account beforehand; nil = the events say whose they are.
    package let customer: String?
    package let now: Timestamp
    /// Each once or more often, in the order of the case.
    package let events: [ProviderEvent]

    /// Of a case of kind `stripe_events`.
    ///
    /// - Throws: `ContractBroken` where it is none.
    package init(_ record: CaseRecord) throws {
        let given = record.given
        guard let now = given["now"]?.stringValue.flatMap({ Timestamp(rfc3339: $0) }),
            let account = given["account"]?.stringValue, let events = given["events"]?.arrayValue
        else {
            throw ContractBroken(description: "\(record.id) is no sequence of events")
        }
        description = record.id
        self.account = account
        customer = given["customer"]?.stringValue
        self.now = now
        self.events = try events.map { json in
            guard let event = ProviderEvent(json: json) else {
                throw ContractBroken(description: "\(record.id): \(json)")
            }
            return event
        }
    }

    private init(_ name: String, now: Int64, _ events: [ProviderEvent]) {
        description = name
        account = "acme"
        customer = "cus_1"
        self.now = Timestamp(seconds: Self.start + now)
        self.events = events
    }

    // MARK: - Orders

    /// Every order of the events where there are few enough, else random ones; and random ones in which events are repeated.
    package func orders(atMost count: Int, seed: UInt64) -> [[ProviderEvent]] {
        let random = SeededRandom(seed: seed)
        var orders: [[ProviderEvent]] = []
        if events.count <= 4 {
            orders = Self.permutations(events)
        } else {
            for _ in 0..<count / 2 { orders.append(Self.shuffled(events, random)) }
        }
        for _ in 0..<min(count / 2, 20) {
            var order = events
            for _ in 0...random.below(6) { order.append(events[random.below(events.count)]) }
            orders.append(Self.shuffled(order, random))
        }
        return orders
    }

    private static func shuffled(_ events: [ProviderEvent], _ random: SeededRandom) -> [ProviderEvent] {
        var order = events
        for index in order.indices.reversed() { order.swapAt(index, random.below(index + 1)) }
        return order
    }

    private static func permutations<Element>(_ elements: [Element]) -> [[Element]] {
        guard elements.count > 1 else { return [elements] }
        return elements.indices.flatMap { index in
            var rest = elements
            let taken = rest.remove(at: index)
            return permutations(rest).map { [taken] + $0 }
        }
    }

    // MARK: - Longer lives

    private static let start: Int64 = 1_772_359_200
    private static let month: Int64 = 31 * 86_400
    private static let pro = "price_1SoawKE8yr4fu4JjkHQA2Y2c"
    private static let enterprise = "price_1SoawKE8yr4fu4Jj7iDEjsk6"

    private static func event(_ id: String, _ kind: ProviderEvent.Kind, at seconds: Int64) -> ProviderEvent {
        var event = ProviderEvent(id: id, type: kind.rawValue, created: Timestamp(seconds: start + seconds))
        event.customer = "cus_1"
        event.subscription = "sub_1"
        return event
    }

    private static func told(
        _ id: String, _ kind: ProviderEvent.Kind = .subscriptionUpdated, at seconds: Int64, _ price: String,
        _ status: String = "active", period: Int64 = 0
    ) -> ProviderEvent {
        var event = event(id, kind, at: seconds)
        event.status = status
        event.prices = [price]
        event.periodStart = Timestamp(seconds: start + period)
        event.periodEnd = Timestamp(seconds: start + period + month)
        return event
    }

    private static func invoice(
        _ id: String, _ kind: ProviderEvent.Kind, _ name: String, at seconds: Int64
    ) -> ProviderEvent {
        var event = event(id, kind, at: seconds)
        event.invoice = name
        return event
    }

    /// What no case of its own says: cheaper plans, renewals and payments that fail there, two subscriptions.
    package static let longer: [StripeSequence] = [
        StripeSequence(
            "a cheaper plan within the period", now: 86_400,
            [
                told("e1", .subscriptionCreated, at: 0, enterprise), told("e2", at: 100, pro),
                invoice("e3", .invoicePaid, "in_1", at: 1),
            ]),
        StripeSequence(
            "up, down and up again", now: 86_400,
            [
                told("e1", .subscriptionCreated, at: 0, pro), told("e2", at: 100, enterprise),
                told("e3", at: 200, pro), told("e4", at: 300, enterprise), told("e5", at: 400, pro),
            ]),
        StripeSequence(
            "a renewal", now: month + 3600,
            [
                told("e1", .subscriptionCreated, at: 0, pro), invoice("e2", .invoicePaid, "in_1", at: 1),
                told("e3", at: month, pro, period: month), invoice("e4", .invoicePaid, "in_2", at: month + 60),
            ]),
        StripeSequence(
            "a renewal whose payment fails", now: month + 86_400,
            [
                told("e1", .subscriptionCreated, at: 0, pro), told("e2", at: month, pro, period: month),
                invoice("e3", .paymentFailed, "in_2", at: month + 60),
                told("e4", at: month + 61, pro, "past_due", period: month),
            ]),
        StripeSequence(
            "a second subscription, and the end of the first", now: 86_400,
            [
                told("e1", .subscriptionCreated, at: 0, pro),
                of("sub_2", told("e2", .subscriptionCreated, at: 50, enterprise)),
                told("e3", .subscriptionDeleted, at: 100, pro, "canceled"),
            ]),
    ]

    private static func of(_ subscription: String, _ event: ProviderEvent) -> ProviderEvent {
        var event = event
        event.subscription = subscription
        return event
    }
}
