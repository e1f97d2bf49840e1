// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Connectors
internal import Essentials
internal import Logging
internal import Metrics
internal import TestSupport

/// What it costs to count a request in Redis, on the loopback address, beside counting it in memory and beside a bare round trip to the same
/// Redis. Prints a Markdown table.
///
/// A request has two limits here, of its key and of its account, with three windows each, as under most plans. All rows take turns in
/// each round, so that what else the machine does hits them alike.
struct SharedLimits {
    private static let clock = SystemWallClock()
    /// How many keys count, each in one of so many accounts.
    private static let (keys, accounts) = (32, 8)

    let effort: Measurement.Effort

    func run() async throws {
        try await RedisServer.with { server in
            let client = try RedisClient(
                RedisSettings(address: try RedisAddress(parsing: server.url), commandTimeout: .seconds(5)),
                logger: Logger(label: "benchmark", factory: { _ in SwiftLogNoOpLogHandler() }),
                metricsFactory: NOOPMetricsHandler.instance)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await client.run() }
                try await Eventually.holds("Redis to be there") { client.status.isUp }
                try await BareRedis.with(port: server.port) { bare in
                    var probes = try await Self.probes(client, bare: bare)
                    // The first round warms up.
                    for round in 0...effort.rounds {
                        for index in probes.indices {
                            let result = try await measure(probes[index])
                            if round > 0 { probes[index].rounds.append(result) }
                        }
                    }
                    Self.report(probes)
                }
                group.cancelAll()
            }
        }
    }

    // MARK: What is measured

    /// What is done over and over, and what came out each round.
    private struct Probe {
        let name: String
        var callers = 1
        /// How often in a round.
        let count: Int
        var rounds: [Round] = []
        let operation: @Sendable (_ index: Int) async throws -> Void
    }

    private struct Round {
        let p50: Double
        let p99: Double
        let perSecond: Double
    }

    /// The first one is the reference.
    private static func probes(_ client: RedisClient, bare: BareRedis) async throws -> [Probe] {
        let memory = MemoryRequestLimitStore(maxKeys: 100_000, metricsFactory: NOOPMetricsHandler.instance)
        let shared = SharedRequestLimitStore(
            shared: RedisRequestLimitStore(client), local: memory, metricsFactory: NOOPMetricsHandler.instance)
        try await fill(client, memory)
        let script = RedisScript("return 1")
        @Sendable func ping(_: Int) async throws { _ = try await client.send(RedisCommand("PING"), key: "") }
        @Sendable func take(_ index: Int) async throws { try await Self.take(limits(index, of: "old"), shared) }
        return [
            Probe(name: "reference: PING over a bare socket", count: 5000) { _ in try bare.ping() },
            Probe(name: "PING by Tollgate's client", count: 4000, operation: ping),
            Probe(name: "a script that returns 1, by Tollgate's client", count: 4000) { _ in
                _ = try await client.evaluate(script, keys: ["benchmark"], arguments: [])
            },
            Probe(name: "limit in Redis, windows just begun", count: 4000) {
                try await Self.take(limits($0, of: "new"), shared)
            },
            Probe(name: "limit in Redis, windows in use for a day", count: 4000, operation: take),
            Probe(name: "limit in memory, windows in use for a day", count: 40_000) {
                _ = try await memory.take(limits($0, of: "old"), at: clock.now(), timeLeft: .seconds(60))
            },
            Probe(name: "PING by Tollgate's client", callers: 64, count: 12_800, operation: ping),
            Probe(name: "limit in Redis, windows in use for a day", callers: 64, count: 12_800, operation: take),
        ]
    }

    private static func take(_ limits: [RequestLimit], _ store: SharedRequestLimitStore) async throws {
        let answer = try await store.take(limits, at: clock.now(), timeLeft: .seconds(60))
        // Counted by this process alone it would be no round trip.
        guard answer.isAdmitted, answer.sharedAt != nil else { throw NotCountedInRedis() }
    }

    private static func limits(_ index: Int, of kind: String) -> [RequestLimit] {
        let rate = RequestRate(minute: 1_000_000_000, hour: 1_000_000_000, day: 1_000_000_000)
        return [
            RequestLimit(key: .apiKey("\(kind)-key-\(index % keys)"), rate: rate),
            RequestLimit(key: .account("\(kind)-account-\(index % accounts)"), rate: rate),
        ]
    }

    /// Counts requests of the last day, so that every part of every window holds some: what a caller costs who never rests.
    private static func fill(_ client: RedisClient, _ memory: MemoryRequestLimitStore) async throws {
        let store = SharedRequestLimitStore(
            shared: RedisRequestLimitStore(client, time: .given), local: memory,
            metricsFactory: NOOPMetricsHandler.instance)
        let now = clock.now()
        // In the order of time: parts of a day, then of its last hour, then of the last minute.
        let ages =
            (3..<60).reversed().map { $0 * 1440 } + (2..<60).reversed().map { $0 * 60 } + (1..<60).reversed()
        for age in ages {
            for index in 0..<keys {
                _ = try await store.take(
                    limits(index, of: "old"), at: now.adding(seconds: -Int64(age)), timeLeft: .seconds(60))
            }
        }
    }

    // MARK: Measuring

    private func measure(_ probe: Probe) async throws -> Round {
        let each = max(100, probe.count * effort.percent / 100 / probe.callers)
        let operation = probe.operation
        let whole = Stopwatch()
        let times = try await withThrowingTaskGroup(of: [Int64].self) { group in
            for caller in 0..<probe.callers {
                group.addTask {
                    var times: [Int64] = []
                    times.reserveCapacity(each)
                    for index in 0..<each {
                        let watch = Stopwatch()
                        try await operation(caller &+ index &* 31)
                        times.append(watch.nanoseconds)
                    }
                    return times
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }.sorted()
        }
        func micros(_ share: Double) -> Double { Double(times[Int(Double(times.count - 1) * share)]) / 1000 }
        return Round(
            p50: micros(0.5), p99: micros(0.99),
            perSecond: Double(times.count) / (Double(whole.nanoseconds) / 1e9))
    }

    private static func report(_ probes: [Probe]) {
        print(
            "| what | callers at once | p50 µs | p99 µs | a second | p50 as a ratio to the reference, rounds from to |")
        print("| --- | ---: | ---: | ---: | ---: | ---: |")
        for (index, probe) in probes.enumerated() {
            let ratios = zip(probe.rounds, probes[0].rounds).map { $0.p50 / $1.p50 }.sorted()
            // Who waits behind others is not compared with who is alone.
            let isCompared = index > 0 && probe.callers == 1
            let ratio =
                isCompared
                ? "\(fixed(median(ratios), 2)) (\(fixed(ratios.first ?? .nan, 2)) to \(fixed(ratios.last ?? .nan, 2)))"
                : ""
            let figures = [
                fixed(median(probe.rounds.map(\.p50)), 1), fixed(median(probe.rounds.map(\.p99)), 1),
                fixed(median(probe.rounds.map(\.perSecond)), 0), ratio,
            ]
            print("| \(probe.name) | \(probe.callers) | \(figures.joined(separator: " | ")) |")
        }
    }

    private static func median(_ values: [Double]) -> Double { Measurement.median(values) }

    private static func fixed(_ value: Double, _ digits: Int) -> String { Measurement.fixed(value, digits) }
}

/// A request that was to be counted in Redis was refused or counted elsewhere.
struct NotCountedInRedis: Error {}
