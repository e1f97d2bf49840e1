// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Metrics

/// What is counted of accounts. Every label value exists from the start; none names an account, a user or a model.
package struct BillingMetrics: Sendable {
    /// What was asked.
    package enum Action: String, Sendable, CaseIterable {
        case tokens
        case hire = "agent.hire"
        case task, slot, charge
    }

    private let entries: LedgerEntryMetrics
    private let uncollected: Counter
    private let unknownModels: Counter
    private let usage: [String: Counter]
    private let reservations: [Reservation.State: Counter]
    private let openReservations: Gauge
    private let allowed: [Action: Counter]
    private let factory: any MetricsFactory

    package init(factory: any MetricsFactory) {
        func counter(_ label: String, _ dimensions: [(String, String)] = []) -> Counter {
            let counter = Counter(label: label, dimensions: dimensions, factory: factory)
            counter.increment(by: 0)
            return counter
        }
        self.factory = factory
        entries = LedgerEntryMetrics(factory: factory)
        uncollected = counter("tollgate_billing_uncollected_micro_credits_total")
        unknownModels = counter("tollgate_billing_unknown_model_total")
        usage = Dictionary(
            uniqueKeysWithValues: ["accepted", "duplicate", "conflict", "rejected"].map {
                ($0, counter("tollgate_usage_events_total", [("status", $0)]))
            })
        reservations = Dictionary(
            uniqueKeysWithValues: Reservation.State.allCases.map {
                ($0, counter("tollgate_billing_reservations_total", [("state", $0.rawValue)]))
            })
        allowed = Dictionary(
            uniqueKeysWithValues: Action.allCases.map {
                ($0, counter("tollgate_billing_decisions_total", Self.decision($0, code: nil)))
            })
        openReservations = Gauge(
            label: "tollgate_billing_reservations", dimensions: [("state", "open")], factory: factory)
    }

    func wrote(_ kinds: [LedgerEntry.Kind]) { entries.wrote(kinds) }

    func collectedLess(_ microCredits: Int64) { if microCredits > 0 { uncollected.increment(by: microCredits) } }

    func unknownModel() { unknownModels.increment() }

    func took(_ results: [UsageResult]) {
        for result in results {
            var status = result.status
            if case .duplicate(conflict: true) = result.outcome { status = "conflict" }
            usage[status]?.increment()
        }
    }

    func became(_ state: Reservation.State) { reservations[state]?.increment() }

    /// Codes are a closed set: those of the product.
    func decided(_ action: Action, code: String?) {
        guard let code else {
            allowed[action]?.increment()
            return
        }
        Counter(
            label: "tollgate_billing_decisions_total", dimensions: Self.decision(action, code: code), factory: factory
        ).increment()
    }

    private static func decision(_ action: Action, code: String?) -> [(String, String)] {
        [("action", action.rawValue), ("result", code == nil ? "allow" : "deny"), ("code", code ?? "")]
    }

    /// Shows what the store counted.
    func show(openReservations count: Int64) { openReservations.record(count) }
}
