// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Logging
package import Metrics

/// Keeps the table and the store together while the process runs: writes use counters, asks whether the store answers, counts tokens.
package struct ServiceTokenKeeper: Sendable {
    /// How often use counters are written, in seconds.
    package static let flushSeconds: Int64 = 60
    /// How often the store is asked, in seconds: often enough that one lost answer does not stop authentication.
    package static let pingSeconds: Int64 = 15

    private let registry: ServiceTokenRegistry
    private let metrics: CredentialMetrics
    private let usesWritten: @Sendable ([ServiceTokenUse]) async -> Void
    private let sleep: @Sendable (Duration) async throws -> Void

    /// - Parameters:
    ///   - usesWritten: told about what was used since the last time, for the audit trail.
    ///   - sleep: how it waits; tests replace it.
    package init(
        registry: ServiceTokenRegistry, metricsFactory: any MetricsFactory,
        usesWritten: @escaping @Sendable ([ServiceTokenUse]) async -> Void = { _ in },
        sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    ) {
        self.registry = registry
        metrics = CredentialMetrics(factory: metricsFactory)
        self.usesWritten = usesWritten
        self.sleep = sleep
    }

    /// Works until it is cancelled, then writes what is left.
    package func run() async {
        var rounds: Int64 = 0
        recordMetrics()
        while !Task.isCancelled {
            // Only cancellation ends a sleep early, and the loop looks at that itself.
            try? await sleep(.seconds(Self.pingSeconds))
            if Task.isCancelled { break }
            rounds += 1
            await ping()
            if rounds % (Self.flushSeconds / Self.pingSeconds) == 0 { await flush() }
            recordMetrics()
        }
        await flush()
    }

    /// Asks whether the store answers, and says so to the table.
    package func ping() async {
        do throws(ServiceTokenStoreError) {
            try await registry.store.ping()
            registry.table.heard(at: registry.clock.now())
        } catch {
            registry.logger.warning(
                "The token store does not answer", metadata: [LogKeys.error: .string(String(describing: error))])
        }
    }

    /// Writes the use counters; what cannot be written is kept for the next time.
    package func flush() async {
        let uses = registry.table.drainUses()
        guard !uses.isEmpty else { return }
        do throws(ServiceTokenStoreError) {
            try await registry.store.addUses(uses)
        } catch {
            registry.table.restore(uses)
            registry.logger.warning(
                "Use counters of tokens could not be written",
                metadata: [LogKeys.error: .string(String(describing: error))])
            return
        }
        await usesWritten(uses)
    }

    /// Counts the tokens by status.
    package func recordMetrics() {
        let now = registry.clock.now()
        var counts: [ServiceTokenRecord.Status: Int] = [:]
        for entry in registry.table.newestFirst { counts[entry.record.status(at: now), default: 0] += 1 }
        metrics.record(counts)
    }
}

/// How many tokens there are.
struct CredentialMetrics: Sendable {
    private let gauges: [ServiceTokenRecord.Status: Gauge]

    /// Makes them at zero.
    init(factory: any MetricsFactory) {
        var gauges: [ServiceTokenRecord.Status: Gauge] = [:]
        for status in ServiceTokenRecord.Status.allCases {
            let gauge = Gauge(
                label: "tollgate_auth_credentials",
                dimensions: [("kind", "service_token"), ("status", status.rawValue)], factory: factory)
            gauge.record(0)
            gauges[status] = gauge
        }
        self.gauges = gauges
    }

    func record(_ counts: [ServiceTokenRecord.Status: Int]) {
        for (status, gauge) in gauges { gauge.record(counts[status] ?? 0) }
    }
}
