// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Logging
package import Metrics

/// Keeps the table of API keys and the store together while the process runs: writes counters and roles of owners, asks whether the store
/// answers, counts keys.
package struct APIKeyKeeper: CredentialKeeping {
    private let registry: APIKeyRegistry
    private let metrics: CredentialMetrics
    private let usesWritten: @Sendable ([CredentialUse]) async -> Void
    package let sleep: @Sendable (Duration) async throws -> Void

    /// - Parameters:
    ///   - usesWritten: told about what was used since the last time, for the audit trail.
    ///   - sleep: how it waits; tests replace it.
    package init(
        registry: APIKeyRegistry, metricsFactory: any MetricsFactory,
        usesWritten: @escaping @Sendable ([CredentialUse]) async -> Void = { _ in },
        sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    ) {
        self.registry = registry
        metrics = CredentialMetrics(kind: "api_key", factory: metricsFactory)
        self.usesWritten = usesWritten
        self.sleep = sleep
    }

    package func ping() async {
        do throws(APIKeyStoreError) {
            try await registry.store.ping()
            registry.table.heard(at: registry.clock.now())
        } catch {
            warn("The key store does not answer", error)
        }
    }

    package func flush() async {
        await flushUses()
        do throws(APIKeyStoreError) {
            try await registry.flushUsage()
        } catch {
            warn("Counters of API keys could not be written", error)
        }
        await flushOwners()
        await forgetUsage()
    }

    private func flushUses() async {
        let uses = registry.table.drainUses()
        guard !uses.isEmpty else { return }
        do throws(APIKeyStoreError) {
            try await registry.store.addUses(uses)
        } catch {
            registry.table.restore(uses)
            return warn("Use counters of API keys could not be written", error)
        }
        await usesWritten(uses)
    }

    private func flushOwners() async {
        let owners = registry.table.drainOwners()
        guard !owners.isEmpty else { return }
        do throws(APIKeyStoreError) {
            try await registry.store.write(owners.map { .owner($0) }, limit: nil)
        } catch {
            registry.table.restore(owners)
            warn("Roles of owners of API keys could not be written", error)
        }
    }

    /// Counters older than any report may reach; a bounded bite each time.
    private func forgetUsage() async {
        let oldest = registry.clock.now().seconds / 3600 - (APIKeyUsageQuery.keptDays + 1) * 24
        do throws(APIKeyStoreError) {
            _ = try await registry.store.forgetUsage(before: oldest)
        } catch {
            warn("Old counters of API keys could not be removed", error)
        }
    }

    private func warn(_ message: Logger.Message, _ error: APIKeyStoreError) {
        registry.logger.warning(message, metadata: [LogKeys.error: .string(String(describing: error))])
    }

    package func recordMetrics() {
        let now = registry.clock.now()
        var counts: [CredentialStatus: Int] = [:]
        for entry in registry.table.newestFirst { counts[entry.record.status(at: now), default: 0] += 1 }
        metrics.record(counts)
    }
}
