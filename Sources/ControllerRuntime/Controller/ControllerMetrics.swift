// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Metrics
internal import Synchronization

/// What is counted of a controller, by the names that dashboards of Kubernetes controllers know.
final class ControllerMetrics: Sendable {
    private let results: [String: Counter]
    private let seconds: Metrics.Timer
    private let work: Metrics.Timer
    private let active: Gauge
    private let workers = Mutex(0)

    init(name: String, factory: any MetricsFactory) {
        results = Dictionary(
            uniqueKeysWithValues: ["success", "error", "requeue_after", "terminal"].map { result in
                let counter = Counter(
                    label: "controller_runtime_reconcile_total",
                    dimensions: [("controller", name), ("result", result)],
                    factory: factory)
                counter.increment(by: 0)
                return (result, counter)
            })
        seconds = Timer(
            label: "controller_runtime_reconcile_time_seconds", dimensions: [("controller", name)], factory: factory)
        work = Timer(label: "workqueue_work_duration_seconds", dimensions: [("name", name)], factory: factory)
        active = Gauge(
            label: "controller_runtime_active_workers", dimensions: [("controller", name)], factory: factory)
        active.record(0)
    }

    func began() {
        let count = workers.withLock { workers in
            workers += 1
            return workers
        }
        active.record(Int64(count))
    }

    func ended(_ result: ReconcileResult, nanoseconds: Int64) {
        let count = workers.withLock { workers in
            workers -= 1
            return workers
        }
        active.record(Int64(count))
        seconds.recordNanoseconds(nanoseconds)
        work.recordNanoseconds(nanoseconds)
        switch result {
        case .done: results["success"]?.increment()
        case .requeue: results["requeue_after"]?.increment()
        case .failed: results["error"]?.increment()
        case .terminal: results["terminal"]?.increment()
        }
    }
}
