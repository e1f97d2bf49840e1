// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Logging
package import Metrics

/// Keeps the table and the store together while the process runs: writes use counters, asks whether the store answers, counts tokens.
package struct ServiceTokenKeeper: CredentialKeeping {
    private let registry: ServiceTokenRegistry
    private let metrics: CredentialMetrics
    private let usesWritten: @Sendable ([CredentialUse]) async -> Void
    package let sleep: @Sendable (Duration) async throws -> Void

    /// - Parameters:
    ///   - usesWritten: told about what was used since the last time, for the audit trail.
    ///   - sleep: how it waits; tests replace it.
    package init(
        registry: ServiceTokenRegistry, metricsFactory: any MetricsFactory,
        usesWritten: @escaping @Sendable ([CredentialUse]) async -> Void = { _ in },
        sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    ) {
        self.registry = registry
        metrics = CredentialMetrics(kind: "service_token", factory: metricsFactory)
        self.usesWritten = usesWritten
        self.sleep = sleep
    }

    /// Asks whether the store answers, and says so to the table. Where others write too an answer says nothing of what they changed:
    /// whoever follows them asks.
    package func ping() async {
        guard !registry.isShared else { return }
        do throws(ServiceTokenStoreError) {
            try await registry.store.ping()
            registry.heard()
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
        var counts: [CredentialStatus: Int] = [:]
        for entry in registry.table.newestFirst { counts[entry.record.status(at: now), default: 0] += 1 }
        metrics.record(counts)
    }
}
