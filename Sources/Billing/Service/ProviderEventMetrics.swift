// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Metrics

/// What is counted of the provider's events. Every label value exists from the start.
struct ProviderEventMetrics: Sendable {
    /// How an event can end that has no outcome.
    enum Fault: String, Sendable, CaseIterable {
        case failed, dead, claimed
    }

    private static let other = "other"

    private let events: [String: Counter]
    private let unknownPrices: Counter
    private let entries: LedgerEntryMetrics

    init(factory: any MetricsFactory) {
        var events: [String: Counter] = [:]
        let outcomes = ProviderOutcome.allCases.map(\.rawValue) + Fault.allCases.map(\.rawValue)
        for type in ProviderEvent.Kind.allCases.map(\.rawValue) + [Self.other] {
            for outcome in outcomes {
                let counter = Counter(
                    label: "tollgate_stripe_events_total", dimensions: [("type", type), ("outcome", outcome)],
                    factory: factory)
                counter.increment(by: 0)
                events[type + " " + outcome] = counter
            }
        }
        self.events = events
        unknownPrices = Counter(label: "tollgate_billing_unknown_price_total", factory: factory)
        unknownPrices.increment(by: 0)
        entries = LedgerEntryMetrics(factory: factory)
    }

    func took(_ event: ProviderEvent, _ outcome: ProviderOutcome) { count(event, outcome.rawValue) }

    func took(_ event: ProviderEvent, _ fault: Fault) { count(event, fault.rawValue) }

    func wrote(_ kinds: [LedgerEntry.Kind]) { entries.wrote(kinds) }

    func unknownPrice() { unknownPrices.increment() }

    private func count(_ event: ProviderEvent, _ outcome: String) {
        events[(event.kind?.rawValue ?? Self.other) + " " + outcome]?.increment()
    }
}
