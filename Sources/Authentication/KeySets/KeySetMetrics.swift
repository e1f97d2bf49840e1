// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Metrics

/// The instruments of one fetched key set.
struct KeySetMetrics: Sendable {
    private let successes: Counter
    private let failures: Counter
    private let age: Gauge

    /// Makes them at zero.
    init(issuer: String, factory: any MetricsFactory) {
        func fetches(_ result: String) -> Counter {
            Counter(
                label: "tollgate_auth_jwks_fetch_total", dimensions: [("issuer", issuer), ("result", result)],
                factory: factory)
        }
        successes = fetches("success")
        failures = fetches("failure")
        age = Gauge(label: "tollgate_auth_jwks_age_seconds", dimensions: [("issuer", issuer)], factory: factory)
        successes.increment(by: 0)
        failures.increment(by: 0)
        age.record(0)
    }

    func fetched(succeeded: Bool) { (succeeded ? successes : failures).increment() }

    /// Records how old the set is.
    func record(fetchedAt: Timestamp?, now: Timestamp) {
        guard let fetchedAt else { return }
        age.record(max(0, now.seconds - fetchedAt.seconds))
    }
}
