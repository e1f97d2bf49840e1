// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Metrics

/// What a sidecar shows of its operator; at zero from the start.
struct SidecarMetrics: Sendable {
    /// How a question ended.
    enum Result: String, CaseIterable {
        case changed, unchanged, refused, failed
    }

    private let polls: [Result: Counter]
    private let age: Gauge

    init(factory: any MetricsFactory) {
        polls = Dictionary(
            uniqueKeysWithValues: Result.allCases.map { result in
                let counter = Counter(
                    label: "tollgate_upstream_polls_total", dimensions: [("result", result.rawValue)], factory: factory)
                counter.increment(by: 0)
                return (result, counter)
            })
        age = Gauge(label: "tollgate_upstream_age_seconds", factory: factory)
        age.record(0)
    }

    func polled(_ result: Result) { polls[result]?.increment() }

    func record(ageMicroseconds: Int64) { age.record(Double(max(0, ageMicroseconds)) / 1_000_000) }
}
