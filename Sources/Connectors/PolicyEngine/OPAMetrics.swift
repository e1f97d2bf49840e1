// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Metrics

/// What is counted of a policy engine outside of the process. Every label value exists from the start.
struct OPAMetrics: Sendable {
    private let up: Gauge
    private let requests: [String: Counter]
    private let seconds: Metrics.Timer
    private let hits: Counter
    private let misses: Counter
    private let breaker: Gauge

    init(factory: any MetricsFactory) {
        func counter(_ label: String, _ dimensions: [(String, String)]) -> Counter {
            let counter = Counter(label: label, dimensions: dimensions, factory: factory)
            counter.increment(by: 0)
            return counter
        }
        up = Gauge(label: "tollgate_opa_up", factory: factory)
        requests = Dictionary(
            uniqueKeysWithValues: (["ok"] + OPACallFailure.labels).map {
                ($0, counter("tollgate_opa_requests_total", [("result", $0)]))
            })
        seconds = Timer(label: "tollgate_opa_request_seconds", factory: factory)
        hits = counter("tollgate_opa_cache_total", [("result", "hit")])
        misses = counter("tollgate_opa_cache_total", [("result", "miss")])
        breaker = Gauge(label: "tollgate_opa_breaker_state", factory: factory)
        breaker.record(0)
    }

    func isUp(_ isUp: Bool) { up.record(isUp ? 1 : 0) }

    func called(_ failure: OPACallFailure?, nanoseconds: Int64) {
        requests[failure?.label ?? "ok"]?.increment()
        if failure != .breakerOpen { seconds.recordNanoseconds(nanoseconds) }
    }

    func cache(hit: Bool) { hit ? hits.increment() : misses.increment() }

    func breaker(_ state: CircuitBreaker.State) {
        switch state {
        case .closed: breaker.record(0)
        case .probing: breaker.record(1)
        case .open: breaker.record(2)
        }
    }
}
