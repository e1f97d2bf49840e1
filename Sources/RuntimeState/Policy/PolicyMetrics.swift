// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Metrics
internal import Synchronization

/// What the policy data shows of itself.
final class PolicyMetrics: Sendable {
    private let factory: any MetricsFactory
    private let loadFailures: Counter
    /// The one series of `tollgate_policy_info` that stands at 1.
    private let info = Mutex<Gauge?>(nil)

    init(factory: any MetricsFactory) {
        self.factory = factory
        loadFailures = Counter(label: "tollgate_policy_load_failures_total", factory: factory)
        loadFailures.increment(by: 0)
    }

    /// New data of a source was refused.
    func failed() { loadFailures.increment() }

    /// That revision is in force; the series of the one before is taken away.
    func inForce(revision: String, source: String) {
        info.withLock { present in
            present?.destroy()
            let gauge = Gauge(
                label: "tollgate_policy_info", dimensions: [("revision", revision), ("source", source)],
                factory: factory)
            gauge.record(1)
            present = gauge
        }
    }
}
