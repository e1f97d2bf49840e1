// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Connectors
internal import Essentials
internal import Logging
internal import Metrics
internal import TestSupport

/// What it costs to count a request in Redis, on the loopback address, beside counting it in memory. Prints a Markdown table.
///
/// A request has two limits here, of its key and of its account, with three windows each, as under most plans.
struct SharedLimits {
    private static let now = SystemWallClock()

    let effort: Measurement.Effort

    func run() async throws {
        var lines = [
            "| where | callers at once | p50 µs | p99 µs | requests/s |", "| --- | ---: | ---: | ---: | ---: |",
        ]
        let memory = MemoryRequestLimitStore(maxKeys: 100_000, metricsFactory: NOOPMetricsHandler.instance)
        lines.append(try await line("memory", memory, callers: 1, count: 200_000))
        try await RedisServer.with { server in
            let settings = RedisSettings(
                address: try RedisAddress(parsing: server.url), commandTimeout: .seconds(5))
            let client = try RedisClient(
                settings, logger: Logger(label: "benchmark", factory: { _ in SwiftLogNoOpLogHandler() }),
                metricsFactory: NOOPMetricsHandler.instance)
            lines += try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await client.run() }
                try await Eventually.holds("Redis to be there") { client.status.isUp }
                let shared = SharedRequestLimitStore(
                    shared: RedisRequestLimitStore(client),
                    local: MemoryRequestLimitStore(maxKeys: 100_000, metricsFactory: NOOPMetricsHandler.instance),
                    metricsFactory: NOOPMetricsHandler.instance)
                var lines: [String] = []
                for callers in [1, 8, 64] {
                    lines.append(
                        try await line("Redis, one round trip", shared, callers: callers, count: 20_000 * callers))
                }
                group.cancelAll()
                return lines
            }
        }
        print(lines.joined(separator: "\n"))
    }

    private func line(
        _ name: String, _ store: any RequestLimitStore, callers: Int, count: Int
    ) async throws -> String {
        let each = max(100, count * effort.percent / 100 / callers)
        let watch = Stopwatch()
        let times = try await withThrowingTaskGroup(of: [Int64].self) { group in
            for caller in 0..<callers {
                group.addTask {
                    var times: [Int64] = []
                    times.reserveCapacity(each)
                    for index in 0..<each {
                        let limits = Self.limits(caller &+ index &* 31)
                        let watch = Stopwatch()
                        _ = try await store.take(limits, at: Self.now.now(), timeLeft: .seconds(60))
                        times.append(watch.nanoseconds)
                    }
                    return times
                }
            }
            var all: [Int64] = []
            for try await some in group { all += some }
            return all.sorted()
        }
        let perSecond = Double(times.count) / (Double(watch.nanoseconds) / 1e9)
        func micros(_ share: Double) -> Double { Double(times[Int(Double(times.count - 1) * share)]) / 1000 }
        return "| \(name) | \(callers) | \(Self.text(micros(0.5))) | \(Self.text(micros(0.99))) | \(Int(perSecond)) |"
    }

    private static func limits(_ index: Int) -> [RequestLimit] {
        let rate = RequestRate(minute: 1_000_000, hour: 10_000_000, day: 100_000_000)
        return [
            RequestLimit(key: .apiKey("key\(index % 1000)"), rate: rate),
            RequestLimit(key: .account("account\(index % 100)"), rate: rate),
        ]
    }

    /// With one digit behind the point.
    private static func text(_ number: Double) -> String {
        let tenths = Int((number * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }
}
