// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Metrics

/// What is counted of Redis. Every label value exists from the start.
struct RedisMetrics: Sendable {
    private static let results = ["ok"] + RedisError.Code.allCases.map(\.rawValue)

    private let up: Gauge
    private let commands: [String: Counter]
    private let seconds: Metrics.Timer
    private let losses: Counter

    init(factory: any MetricsFactory) {
        up = Gauge(label: "tollgate_redis_up", factory: factory)
        up.record(0)
        commands = Dictionary(
            uniqueKeysWithValues: Self.results.map { result in
                let counter = Counter(
                    label: "tollgate_redis_commands_total", dimensions: [("result", result)], factory: factory)
                counter.increment(by: 0)
                return (result, counter)
            })
        seconds = Timer(label: "tollgate_redis_command_seconds", factory: factory)
        losses = Counter(label: "tollgate_redis_losses_total", factory: factory)
        losses.increment(by: 0)
    }

    func isUp(_ isUp: Bool) { up.record(isUp ? 1 : 0) }

    func lost() { losses.increment() }

    func answered(_ error: RedisError.Code?, nanoseconds: Int64) {
        commands[error?.rawValue ?? "ok"]?.increment()
        if error != .away { seconds.recordNanoseconds(nanoseconds) }
    }
}
