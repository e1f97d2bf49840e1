// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import HTTPService
internal import RuntimeState

extension ServerAssembly {
    /// What answers the sidecars of this server.
    static func desk(
        snapshots: SnapshotStore, registry: ServiceTokenRegistry, keys: APIKeyParts, authenticator: Authenticator,
        prefixes: TokenPrefixes, clock: any WallClock, metrics: PrometheusRegistry
    ) -> SnapshotDesk {
        SnapshotDesk(
            SidecarDocuments.Sources(
                snapshots: snapshots, tokens: registry.table, keys: keys.table, prefixes: prefixes, clock: clock
            ) { authenticator.isEnforcing($0) }, clock: SystemMonotonicClock(), metricsFactory: metrics)
    }
}
