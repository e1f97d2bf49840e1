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

    /// Where others write too an answer says nothing of what they changed: whoever follows them asks.
    package func ping() async {
        guard !registry.isShared else { return }
        do throws(APIKeyStoreError) {
            try await registry.store.ping()
            registry.heard()
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

    /// - Returns: whether nothing is left.
    @discardableResult
    private func flushOwners() async -> Bool {
        let owners = registry.table.drainOwners()
        guard !owners.isEmpty else { return true }
        do throws(APIKeyStoreError) {
            try await registry.store.write(owners.map { .owner($0) }, limit: nil)
        } catch {
            registry.table.restore(owners)
            warn("Roles of owners of API keys could not be written", error)
            return false
        }
        registry.table.stored(owners)
        return true
    }

    /// Where other replicas have to know of roles that this one has seen: writes them shortly after, until it is cancelled.
    package func shareOwners() async {
        while !Task.isCancelled {
            await registry.table.ownersChanged.wait()
            // What comes at once is written at once. Only cancellation ends a sleep early, and the loop looks at that itself.
            try? await sleep(Self.ownerDelay)
            guard !Task.isCancelled else { break }
            if !(await flushOwners()) {
                registry.table.ownersChanged.call()
                try? await sleep(Self.ownerRetry)
            }
        }
    }

    /// Between the sight of an owner's new roles and their way to the store.
    private static let ownerDelay = Duration.milliseconds(250)
    /// Between tries while the store is away.
    private static let ownerRetry = Duration.seconds(2)

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
