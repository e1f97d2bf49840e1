// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Authentication
internal import Authorization
internal import Billing
internal import Essentials
internal import HTTPService
internal import Logging
internal import Metrics
internal import Persistence
internal import RuntimeState

/// API keys of accounts: table, registry, and the service that keeps both and the store together.
struct APIKeyParts {
    let table: APIKeyTable
    let registry: APIKeyRegistry

    /// Reads every key.
    ///
    /// - Parameters:
    ///   - snapshots: where policy and accounts are read, each time they are needed.
    ///   - plans: where a plan with room for more keys is looked for.
    init(
        store: any APIKeyStore, snapshots: SnapshotStore, plans: PlanBook, upgradeURL: String, prefixes: TokenPrefixes,
        clock: any WallClock, random: any RandomSource, logger: Logger
    ) async throws {
        table = APIKeyTable(heardAt: clock.now())
        registry = APIKeyRegistry(
            table: table, store: store, prefixes: prefixes,
            rules: Self.rules(snapshots, plans, upgradeURL),
            clock: clock, random: random, logger: logger)
        try await registry.load()
    }

    private static func rules(
        _ snapshots: SnapshotStore, _ plans: PlanBook, _ upgradeURL: String
    ) -> APIKeyRules {
        APIKeyRules(
            catalogue: {
                guard let roles = snapshots.current()?.policy.roles else { return APIKeyCatalogue() }
                return APIKeyCatalogue(defaultScopes: roles.apiKeyDefaultScopes, permissions: roles.permissions)
            },
            allowance: { account, now in
                // Without accounts nothing is known of any plan: no key is made then.
                guard let accounts = snapshots.current()?.accounts else { return APIKeyAllowance(plan: "", limit: 0) }
                let state = accounts.state(of: account, at: now)
                return APIKeyAllowance(plan: state.plan, limit: state.apiKeys) { needed in
                    let upgrade = plans.catalogue.upgrade(from: state.plan, base: upgradeURL) { limits in
                        limits.apiKeys.map { $0 >= needed } ?? true
                    }
                    return upgrade?.json ?? .null
                }
            })
    }

    /// What the own API serves of them.
    func routes(auditTrail: any AuditQuerying) -> any OwnAPIModule {
        APIKeyRoutes(keys: registry, auditTrail: auditTrail)
    }

    /// Works until it is cancelled.
    func keep(audit: any AuditRecording, metrics: any MetricsFactory, logger: Logger) async {
        await APIKeyKeeper(registry: registry, metricsFactory: metrics) { [table] uses in
            await KeyUseRecorder(keys: table, audit: audit, logger: logger).record(uses)
        }.run()
    }
}
