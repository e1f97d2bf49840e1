// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Connectors
internal import Essentials
internal import Metrics
internal import TestSupport
internal import Testing

/// Request limits in a real Redis count as those in memory do.
@Suite(.timeLimit(.minutes(10)))
struct SharedLimitTests {
    @Test func keepsTheContract() async throws {
        try await RedisServer.with { server in
            try await RedisWorld.with(try RedisWorld.settings(server.url)) { client in
                // Stores of one server are told apart by the prefix of their keys.
                let random = SeededRandom(seed: 1)
                try await RequestLimitContract {
                    RedisRequestLimitStore(
                        client.sharing(prefix: Hex.encode(random.bytes(8)) + ":"), time: .given)
                }.check()
            }
        }
    }

    /// A clock that is given may stand still while Redis' own goes on: what it counted is there for a day all the same.
    @Test func keepsWhatAGivenClockCounted() async throws {
        try await RedisServer.with { server in
            try await RedisWorld.with(try RedisWorld.settings(server.url)) { client in
                let store = RedisRequestLimitStore(client.sharing(prefix: "life:"), time: .given)
                let limits = [RequestLimit(key: .account("a"), rate: RequestRate(minute: 5))]
                let now = Timestamp(seconds: 1_772_366_400)
                let first = try await store.take(limits, at: now, timeLeft: .seconds(60))
                _ = try await store.take(limits, at: now, timeLeft: .seconds(60))
                await store.giveBack(limits, first)
                let key = "life:tollgate:{limits}:\(limits[0].key.text)"
                let life = try await client.send(RedisCommand("TTL", key), key: key).integer
                #expect(try #require(life) > 3600)
            }
        }
    }

    /// Anything that can be asked in any order, also with a clock that jumps: both stores answer the same.
    @Test func answersAsMemoryDoes() async throws {
        try await RedisServer.with { server in
            try await RedisWorld.with(try RedisWorld.settings(server.url)) { client in
                for seed in 0..<UInt64(FuzzCases.count(20)) {
                    let shared = RedisRequestLimitStore(client.sharing(prefix: "run\(seed):"), time: .given)
                    try await Self.compare(shared, seed: seed)
                }
            }
        }
    }

    private static func compare(_ shared: RedisRequestLimitStore, seed: UInt64) async throws {
        let random = SeededRandom(seed: seed)
        let memory = MemoryRequestLimitStore(maxKeys: 1000, metricsFactory: NOOPMetricsHandler.instance)
        var now = Timestamp(seconds: 1_772_366_400)
        var taken: [(limits: [RequestLimit], answer: RequestLimitAnswer)] = []
        for step in 0..<150 {
            now = now.adding(seconds: seconds(random))
            let limits = limits(random)
            switch random.below(10) {
            case 0..<7:
                let expected = try await memory.take(limits, at: now, timeLeft: .seconds(60))
                let found = try await shared.take(limits, at: now, timeLeft: .seconds(60))
                try same(found, expected, seed, step)
                if expected.isAdmitted { taken.append((limits, expected)) }
            case 7, 8:
                let expected = try await memory.look(limits, at: now, timeLeft: .seconds(60))
                try same(try await shared.look(limits, at: now, timeLeft: .seconds(60)), expected, seed, step)
            default:
                guard !taken.isEmpty else { continue }
                let (limits, answer) = taken.remove(at: random.below(taken.count))
                await memory.giveBack(limits, answer)
                await shared.giveBack(limits, answer)
            }
        }
    }

    private static func same(
        _ found: RequestLimitAnswer, _ expected: RequestLimitAnswer, _ seed: UInt64, _ step: Int
    ) throws {
        var expected = expected
        expected.countedAt = expected.countedAt.cutToSecond
        guard found != expected else { return }
        throw PeerFault(message: "seed \(seed), step \(step): Redis says \(found), memory \(expected)")
    }

    private static func seconds(_ random: SeededRandom) -> Int64 {
        switch random.below(12) {
        case 0..<6: Int64(random.below(3))
        case 6, 7: Int64(random.below(90))
        case 8: Int64(random.below(4000))
        case 9: Int64(random.below(90_000))
        case 10: -Int64(random.below(70))
        default: random.below(4) == 0 ? -Int64(random.below(100_000)) : 0
        }
    }

    private static func limits(_ random: SeededRandom) -> [RequestLimit] {
        let keys: [RequestLimitKey] = [
            .apiKey("a"), .apiKey("b"), .account("a"), .subject(account: "a", subject: "b"), .authConfig("n/c"),
        ]
        let first = random.below(keys.count)
        return (0...random.below(3)).map { index in
            func most() -> Int64? { random.below(3) == 0 ? nil : Int64(random.below(8)) }
            return RequestLimit(
                key: keys[(first + index) % keys.count], rate: RequestRate(minute: most(), hour: most(), day: most()))
        }
    }
}
