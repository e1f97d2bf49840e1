// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Metrics

/// What the HTTP listeners count themselves. The pipeline counts decisions, `DoorRecords` what never reaches it.
struct HTTPMetrics: Sendable {
    /// Own-API answers by status class.
    private let requests: [Counter]
    /// Decisions at once.
    let inFlight: Meter

    init(registry: PrometheusRegistry) {
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
}
