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
        on registry: PrometheusRegistry, snapshots: SnapshotStore, objects: any ResourceCatalog, keySets: RemoteKeySets,
        clock: any WallClock,
        mode: (configured: AuthMode, effective: AuthMode), roleCheckEnabled: Bool, isDevnet: Bool
    ) {
        Gauge(label: "tollgate_devnet", factory: registry).record(isDevnet ? 1 : 0)
        Gauge(label: "tollgate_policy_role_check_off", factory: registry).record(roleCheckEnabled ? 0 : 1)
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
            record(objects.resources(kind: nil, namespace: nil).items, on: registry)
        }
    }

    /// Objects by kind and readiness, hosts by what became of them. Labels are the kinds and states there are: a handful.
    private static func record(_ views: [ResourceView], on registry: PrometheusRegistry) {
        var objects: [[String]: Int] = [:]
        var hosts = ["linked": 0, "conflicted": 0, "notAllowed": 0, "invalid": 0]
        for kind in ["AuthConfig", "ConfigMap", "ServiceToken", "Subscription", "ToolManifest"] {
            for ready in ["True", "False", "Unknown"] { objects[[kind, ready]] = 0 }
        }
        for view in views {
            let status = view.json["status"]
            let ready = status?["conditions"]?.arrayValue?.first { $0["type"] == "Ready" }?["status"]?.stringValue
            objects[[view.kind, ready ?? "Unknown"], default: 0] += 1
            for host in status?["hosts"]?.arrayValue ?? [] {
                hosts[host["state"]?.stringValue ?? "invalid", default: 0] += 1
            }
        }
        for (labels, count) in objects {
            Gauge(
                label: "tollgate_objects", dimensions: [("kind", labels[0]), ("ready", labels[1])], factory: registry
            ).record(Int64(count))
        }
        for (state, count) in hosts {
            Gauge(label: "tollgate_hosts", dimensions: [("state", state)], factory: registry).record(Int64(count))
        }
    }
}
