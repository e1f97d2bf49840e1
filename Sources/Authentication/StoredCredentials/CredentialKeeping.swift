// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Metrics

/// Keeps the table and the store of one kind of stored credential together while the process runs.
package protocol CredentialKeeping: Sendable {
    /// How it waits; tests replace it.
    var sleep: @Sendable (Duration) async throws -> Void { get }
    /// Asks whether the store answers, and says so to the table.
    func ping() async
    /// Writes the counters; what cannot be written is kept for the next time.
    func flush() async
    /// Counts the credentials by status.
    func recordMetrics()
}

/// How often a keeper does what.
package enum CredentialRhythm {
    /// How often counters are written, in seconds.
    package static let flushSeconds: Int64 = 60
    /// How often the store is asked, in seconds: often enough that one lost answer does not stop authentication.
    package static let pingSeconds: Int64 = 15
}

extension CredentialKeeping {
    /// Works until it is cancelled, then writes what is left.
    package func run() async {
        var rounds: Int64 = 0
        recordMetrics()
        while !Task.isCancelled {
            // Only cancellation ends a sleep early, and the loop looks at that itself.
            try? await sleep(.seconds(CredentialRhythm.pingSeconds))
            if Task.isCancelled { break }
            rounds += 1
            await ping()
            if rounds % (CredentialRhythm.flushSeconds / CredentialRhythm.pingSeconds) == 0 { await flush() }
            recordMetrics()
        }
        await flush()
    }
}

/// How many stored credentials of one kind there are.
struct CredentialMetrics: Sendable {
    private let gauges: [CredentialStatus: Gauge]

    /// Makes them at zero.
    init(kind: String, factory: any MetricsFactory) {
        var gauges: [CredentialStatus: Gauge] = [:]
        for status in CredentialStatus.allCases {
            let gauge = Gauge(
                label: "tollgate_auth_credentials", dimensions: [("kind", kind), ("status", status.rawValue)],
                factory: factory)
            gauge.record(0)
            gauges[status] = gauge
        }
        self.gauges = gauges
    }

    func record(_ counts: [CredentialStatus: Int]) {
        for (status, gauge) in gauges { gauge.record(counts[status] ?? 0) }
    }
}
