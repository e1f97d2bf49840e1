// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Metrics

/// What is counted of a queue, by the names that dashboards of Kubernetes controllers know.
struct QueueMetrics: Sendable {
    private let depth: [WorkPriority: Gauge]
    private let adds: Counter
    private let retries: Counter
    private let waiting: Metrics.Timer

    init(name: String, factory: any MetricsFactory) {
        depth = Dictionary(
            uniqueKeysWithValues: WorkPriority.allCases.map { priority in
                let gauge = Gauge(
                    label: "workqueue_depth", dimensions: [("name", name), ("priority", "\(priority.rawValue)")],
                    factory: factory)
                gauge.record(0)
                return (priority, gauge)
            })
        adds = Counter(label: "workqueue_adds_total", dimensions: [("name", name)], factory: factory)
        retries = Counter(label: "workqueue_retries_total", dimensions: [("name", name)], factory: factory)
        waiting = Timer(label: "workqueue_queue_duration_seconds", dimensions: [("name", name)], factory: factory)
        adds.increment(by: 0)
        retries.increment(by: 0)
    }

    func added() { adds.increment() }
    func retried() { retries.increment() }
    func waited(_ duration: Duration) { waiting.recordNanoseconds(max(0, duration.wholeMicroseconds * 1000)) }
    func depths(_ depths: [WorkPriority: Int]) {
        for (priority, count) in depths { depth[priority]?.record(Int64(count)) }
    }
}
