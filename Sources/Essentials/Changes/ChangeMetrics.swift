// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Metrics

/// What following a shared store shows of itself.
struct ChangeMetrics: Sendable {
    private let lag: Gauge
    private let silence: Gauge
    private let failures: Counter
    private let corrupt: Counter
    private let reloads: [ChangeLoss: Counter]
    private let changes: [StoreChange.Kind: Counter]
    private let signals: [String: Gauge]

    /// Makes them at zero.
    init(signals names: [String], factory: any MetricsFactory) {
        lag = Gauge(label: "tollgate_store_change_lag_seconds", factory: factory)
        silence = Gauge(label: "tollgate_store_silence_seconds", factory: factory)
        failures = Counter(label: "tollgate_store_follow_failures_total", factory: factory)
        corrupt = Counter(label: "tollgate_store_unreadable_total", factory: factory)
        func counters<Key: RawRepresentable<String> & CaseIterable & Hashable>(
            _ label: String, _ dimension: String, _ type: Key.Type
        ) -> [Key: Counter] {
            Dictionary(
                uniqueKeysWithValues: type.allCases.map { key in
                    let counter = Counter(label: label, dimensions: [(dimension, key.rawValue)], factory: factory)
                    counter.increment(by: 0)
                    return (key, counter)
                })
        }
        reloads = counters("tollgate_store_reloads_total", "reason", ChangeLoss.self)
        changes = counters("tollgate_store_changes_total", "kind", StoreChange.Kind.self)
        signals = Dictionary(
            uniqueKeysWithValues: names.map {
                ($0, Gauge(label: "tollgate_store_signal_up", dimensions: [("signal", $0)], factory: factory))
            })
        lag.record(0)
        silence.record(0)
        failures.increment(by: 0)
        corrupt.increment(by: 0)
        for gauge in signals.values { gauge.record(0) }
    }

    func followed(_ changed: [StoreChange], lag: Duration) {
        guard !changed.isEmpty else { return }
        for change in changed { changes[change.kind]?.increment() }
        self.lag.record(lag / .seconds(1))
    }

    func reloaded(_ loss: ChangeLoss) { reloads[loss]?.increment() }

    func failed() { failures.increment() }

    func unreadable() { corrupt.increment() }

    func signal(_ name: String, isUp: Bool) { signals[name]?.record(isUp ? 1 : 0) }

    func silent(for seconds: Double) { silence.record(seconds) }
}
