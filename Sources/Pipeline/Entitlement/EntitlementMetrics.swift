// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Metrics
internal import RuntimeState

/// Counts what the step of entitlement decided, by action and code: bounded by the tables in the source.
struct EntitlementMetrics: Sendable {
    private static let label = "tollgate_billing_decisions_total"

    private let allowed: [CompiledMetering.Action: Counter]
    private let factory: any MetricsFactory

    init(factory: any MetricsFactory) {
        self.factory = factory
        allowed = Dictionary(
            uniqueKeysWithValues: CompiledMetering.Action.allCases.map { action in
                let counter = Self.counter(action, nil, factory)
                counter.increment(by: 0)
                return (action, counter)
            })
    }

    func decided(_ action: CompiledMetering.Action, _ refusal: Refusal?) {
        guard let refusal else {
            allowed[action]?.increment()
            return
        }
        Self.counter(action, refusal.code, factory).increment()
    }

    private static func counter(
        _ action: CompiledMetering.Action, _ code: ErrorCode?, _ factory: any MetricsFactory
    ) -> Counter {
        let result = code.map { $0.status == 503 ? "unavailable" : "deny" } ?? "allow"
        return Counter(
            label: label,
            dimensions: [("action", action.rawValue), ("result", result), ("code", code?.rawValue ?? "")],
            factory: factory)
    }
}
