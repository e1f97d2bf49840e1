// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Metrics
internal import Pipeline

/// What the HTTP doors count themselves. The pipeline counts decisions; only refusals that never reach it are added here.
struct HTTPMetrics: Sendable {
    private let registry: PrometheusRegistry
    /// Forward-auth calls from peers that are no trusted proxies.
    let untrusted: Counter
    /// Identity headers over 4 KiB, sent empty.
    let identityHeadersTooLong: Counter
    /// Own-API answers by status class.
    private let requests: [Counter]
    /// Decisions at once.
    let inFlight: Meter

    init(registry: PrometheusRegistry) {
        self.registry = registry
        untrusted = Counter(label: "tollgate_decision_untrusted_total", dimensions: [], factory: registry)
        identityHeadersTooLong = Counter(
            label: "tollgate_identity_headers_too_long_total", dimensions: [], factory: registry)
        requests = (1...5).map {
            Counter(label: "tollgate_http_requests_total", dimensions: [("status", "\($0)xx")], factory: registry)
        }
        inFlight = Meter(label: "tollgate_decisions_in_flight", dimensions: [], factory: registry)
        inFlight.set(0)
    }

    /// Counts an answer of the own API.
    func answered(status: Int) {
        guard (100..<600).contains(status) else { return }
        requests[status / 100 - 1].increment()
    }

    /// Counts a refusal that the pipeline never saw.
    func refusedAtDoor(_ door: Door, code: ErrorCode) {
        Counter(
            label: "tollgate_decisions_total",
            dimensions: [
                ("door", door.rawValue), ("result", code.status == 503 ? "unavailable" : "deny"),
                ("code", code.rawValue),
            ], factory: registry
        ).increment()
    }
}
