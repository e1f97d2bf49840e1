// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import HTTPService
internal import Metrics
internal import RuntimeState

/// Gauges whose value is worked out when somebody looks.
enum ScrapeGauges {
    static func register(
        on registry: PrometheusRegistry, snapshots: SnapshotStore, keySets: RemoteKeySets, clock: any WallClock,
        mode: (configured: AuthMode, effective: AuthMode)
    ) {
        let age = Gauge(label: "tollgate_snapshot_age_seconds", factory: registry)
        let modes = Gauge(
            label: "tollgate_auth_mode",
            dimensions: [("configured", mode.configured.rawValue), ("effective", mode.effective.rawValue)],
            factory: registry)
        modes.record(1)
        registry.onScrape {
            keySets.recordAges()
            guard let snapshot = snapshots.current() else { return }
            age.record(Double(clock.now().microseconds - snapshot.builtAt.microseconds) / 1_000_000)
        }
    }
}
