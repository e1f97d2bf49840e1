// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Metrics

/// What is counted of the streams of one kind.
struct WatchMetrics: Sendable {
    private let restarts: [String: Counter]

    init(kind: String, factory: any MetricsFactory) {
        restarts = Dictionary(
            uniqueKeysWithValues: ["expired", "error", "idle", "garbled", "forbidden", "missing"].map { reason in
                let counter = Counter(
                    label: "tollgate_watch_restarts_total", dimensions: [("kind", kind), ("reason", reason)],
                    factory: factory)
                counter.increment(by: 0)
                return (reason, counter)
            })
    }

    func restarted(_ reason: String) { restarts[reason]?.increment() }
}
