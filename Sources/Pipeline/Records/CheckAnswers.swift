// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Metrics

/// Counts the answers of the gRPC door beside those of the HTTP listeners, so that availability is that of every door.
package struct CheckAnswers: Sendable {
    /// The usual ones, there at zero from the start; the codes are those that the same refusal has over HTTP.
    private static let usual = [200, 400, 401, 402, 403, 404, 413, 429, 500, 503, 504]

    private let counters: [Int: Counter]
    private let factory: any MetricsFactory

    package init(metricsFactory: any MetricsFactory) {
        factory = metricsFactory
        var counters: [Int: Counter] = [:]
        for status in Self.usual {
            counters[status] = Self.counter(status, metricsFactory)
            counters[status]?.increment(by: 0)
        }
        self.counters = counters
    }

    /// Counts one answer.
    ///
    /// - Parameter status: of a decision; 504 where the caller did not wait long enough.
    package func count(status: Int) { (counters[status] ?? Self.counter(status, factory)).increment() }

    private static func counter(_ status: Int, _ factory: any MetricsFactory) -> Counter {
        Counter(
            label: "tollgate_http_requests_total",
            dimensions: [
                ("route", "/envoy.service.auth.v3.Authorization/Check"), ("method", "POST"), ("code", "\(status)"),
            ], factory: factory)
    }
}
