// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Connectors
internal import Essentials
internal import Foundation
internal import Metrics
internal import TestSupport
internal import Testing

@testable internal import Authentication

/// What is kept in a real Redis keeps the same contracts as what is kept in memory.
@Suite(.timeLimit(.minutes(10)))
struct RedisBackendTests {
    @Test func sessionsKeepTheContract() async throws {
        try await RedisServer.with { server in
            try await RedisWorld.with(try RedisWorld.settings(server.url)) { client in
                let random = SeededRandom(seed: 2)
                try await SessionBackendContract {
                    RedisSessionBackend(client.sharing(prefix: Hex.encode(random.bytes(8)) + ":"))
                }.check()
            }
        }
    }

    @Test func sessionsAreUnreadableAndExpire() async throws {
        try await RedisServer.with { server in
            try await RedisWorld.with(try RedisWorld.settings(server.url)) { client in
                let ended = Noted<String>()
                let clock = SystemWallClock()
                let backend = RedisSessionBackend(client)
                let seal = try #require(SessionSeal(keys: [Array(repeating: 3, count: 32)]))
                let store = SessionStore(
                    backend: backend, seal: seal, clock: clock, time: SystemMonotonicClock(),
                    random: SystemRandomSource())
                let record = SessionRecord(
                    id: "hush-id", issuer: "https://hush", userID: "hush-user", createdAt: clock.now().cutToSecond,
                    lastActivity: clock.now().cutToSecond, expiresAt: clock.now().cutToSecond.adding(seconds: 600))
                try await store.save(record)
                let key = SessionNames.key(ofID: "hush-id")
                let dump = try await server.cli("GET", key) + server.cli("KEYS", "*")
                #expect(!dump.contains("hush"))
                let left = try await client.send(RedisCommand("PTTL", key), key: key).integer ?? 0
                #expect((1...600_000).contains(left))
                let user = SessionNames.user(issuer: "https://hush", subject: "hush-user")
                let index = try await client.send(RedisCommand("PTTL", user), key: user).integer ?? 0
                #expect(index >= left - 60_000)
                // A value under another name is no session.
                _ = try await client.send(RedisCommand("COPY", key, SessionNames.key(ofID: "other")), key: key)
                #expect(try await store.session(id: "other") == nil)
                #expect(try await store.sessions(issuer: "https://hush", subject: "hush-user") == [record])
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { await backend.follow { ended.note($0) } }
                    try await Eventually.holds("a subscription") {
                        try await server.cli("PUBSUB", "NUMSUB", RedisSessionBackend.endedChannel).contains("1")
                    }
                    try await store.end(record)
                    try await Eventually.holds("the end to be heard of") { ended.all == [key] }
                    group.cancelAll()
                }
                #expect(try await store.session(id: "hush-id") == nil)
            }
        }
    }

    @Test func theQueueKeepsTheContract() async throws {
        try await RedisServer.with { server in
            try await RedisWorld.with(try RedisWorld.settings(server.url)) { client in
                let random = SeededRandom(seed: 3)
                try await UsageQueueContract {
                    RedisUsageQueue(client.sharing(prefix: Hex.encode(random.bytes(8)) + ":"))
                }.check()
            }
        }
    }

    @Test func theQueueOutlivesAFlush() async throws {
        try await RedisServer.with { server in
            try await RedisWorld.with(try RedisWorld.settings(server.url)) { client in
                let queue = RedisUsageQueue(client)
                for round in 0..<2 {
                    _ = try await queue.add([UInt8(round)])
                    #expect(try await queue.take(most: 5, by: "w", waiting: .zero).map(\.payload) == [[UInt8(round)]])
                    _ = try await server.cli("FLUSHALL")
                    #expect(try await queue.reclaim(most: 5, by: "w", idle: .zero).isEmpty)
                }
            }
        }
    }

    @Test func replicasTellEachOtherOfFailures() async throws {
        try await RedisServer.with { server in
            try await RedisWorld.with(try RedisWorld.settings(server.url)) { client in
                let clock = SystemWallClock()
                let replicas = (0..<3).map { _ in Replica(client, clock: clock) }
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for replica in replicas.dropLast() { group.addTask { await replica.run() } }
                    let address = try #require(IPAddress("192.0.2.7"))
                    for index in 0..<4 {
                        _ = replicas[index % 2].limiter.record(address: address, now: clock.now())
                    }
                    for replica in replicas.dropLast() {
                        try await Eventually.holds("a block everywhere") {
                            replica.limiter.check(address: address, now: clock.now()) != nil
                        }
                    }
                    // One that starts later hears of what still counts.
                    group.addTask { await replicas[2].run() }
                    try await Eventually.holds("a block at the newest") {
                        replicas[2].limiter.check(address: address, now: clock.now()) != nil
                    }
                    #expect(replicas[2].limiter.clear("ip:192.0.2.7", now: clock.now()))
                    for replica in replicas {
                        try await Eventually.holds("a block lifted everywhere") {
                            replica.limiter.check(address: address, now: clock.now()) == nil
                        }
                    }
                    // Cut off, each goes on alone, and what it kept is told when Redis is back.
                    try await server.kill()
                    try await RedisWorld.down(client)
                    for _ in 0..<4 { _ = replicas[0].limiter.record(identity: "ci", now: clock.now()) }
                    #expect(replicas[0].limiter.check(identity: "ci", now: clock.now()) != nil)
                    #expect(replicas[1].limiter.check(identity: "ci", now: clock.now()) == nil)
                    try await server.restart()
                    try await Eventually.holds("the others to hear of it") {
                        replicas[1].limiter.check(identity: "ci", now: clock.now()) != nil
                    }
                    group.cancelAll()
                }
            }
        }
    }

    /// Whoever may write to Redis may write anything there.
    @Test func aTimeThatIsNoneEndsNothing() async throws {
        try await RedisServer.with { server in
            try await RedisWorld.with(try RedisWorld.settings(server.url)) { client in
                let clock = SystemWallClock()
                let (writer, reader) = (Replica(client, clock: clock), Replica(client, clock: clock))
                let address = try #require(IPAddress("192.0.2.1"))
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for replica in [writer, reader] { group.addTask { await replica.run() } }
                    _ = writer.limiter.record(address: address, now: clock.now())
                    try await Eventually.holds("the failure") {
                        reader.limiter.failures(of: address, now: clock.now())?.count == 1
                    }
                    for (number, id) in ["9000000000000000000-0", "9000000000000000000-1"].enumerated() {
                        _ = try await server.cli(
                            "XADD", "tollgate:failures", id, "o", "other", "n", "\(number + 1)", "k", "ip", "v",
                            "192.0.2.2",
                            "a", "0")
                    }
                    let told = Replica(client, clock: clock)
                    group.addTask { await told.run() }
                    try await Eventually.holds("the failure at the newest") {
                        told.limiter.failures(of: address, now: clock.now())?.count == 1
                    }
                    group.cancelAll()
                }
            }
        }
    }

    /// What is not answered is added again, though it may have been done.
    @Test func aFailureThatWasToldTwiceCountsOnce() async throws {
        try await RedisServer.with { server in
            let slow = try RedisWorld.settings(server.url, command: .milliseconds(200))
            try await RedisWorld.with(slow) { client in
                let clock = SystemWallClock()
                let replicas = (0..<2).map { _ in Replica(client, clock: clock) }
                let (first, often, last) = (
                    try #require(IPAddress("192.0.2.1")), try #require(IPAddress("192.0.2.2")),
                    try #require(IPAddress("192.0.2.3"))
                )
                func told(_ address: IPAddress) -> Int {
                    replicas[1].limiter.failures(of: address, now: clock.now())?.count ?? 0
                }
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for replica in replicas { group.addTask { await replica.run() } }
                    _ = replicas[0].limiter.record(address: first, now: clock.now())
                    try await Eventually.holds("the first failure") {
                        told(first) == 1
                    }
                    server.hang()
                    for _ in 0..<3 { _ = replicas[0].limiter.record(address: often, now: clock.now()) }
                    try await RedisWorld.down(client)
                    server.wake()
                    try await Eventually.holds("the failures to be told") {
                        told(often) >= 3
                    }
                    // What comes after it has been read when this has.
                    _ = replicas[0].limiter.record(address: last, now: clock.now())
                    try await Eventually.holds("the last failure") {
                        told(last) == 1
                    }
                    #expect(told(often) == 3)
                    group.cancelAll()
                }
            }
        }
    }

    /// The user that the guide makes may do all that is done, and no more.
    @Test func theRightsOfTheGuideAreEnough() async throws {
        let guide = try String(contentsOf: Repository.root.appending(path: "docs/guides/redis.md"), encoding: .utf8)
        let line = try #require(guide.split(separator: "\n").first { $0.hasPrefix("ACL SETUSER tollgate ") })
        let words = line.split(separator: " ").dropFirst(2).map(String.init)
        let options = ["--requirepass", "hush-main", "--user"] + words
        try await RedisServer.with(options, password: "hush-main") { server in
            let url = "redis://tollgate:PASSWORD@127.0.0.1:\(server.port)"
            try await RedisWorld.with(try RedisWorld.settings(url)) { client in
                let limits = [RequestLimit(key: .apiKey("a"), rate: RequestRate(minute: 3))]
                let store = RedisRequestLimitStore(client)
                let answer = try await store.take(limits, at: SystemWallClock().now(), timeLeft: .seconds(60))
                await store.giveBack(limits, answer)
                try await SessionBackendContract { RedisSessionBackend(client) }.check()
                let queue = RedisUsageQueue(client)
                _ = try await queue.add([1])
                for entry in try await queue.take(most: 1, by: "w", waiting: .seconds(1)) {
                    _ = try await queue.reclaim(most: 1, by: "w", idle: .zero)
                    try await queue.bury(entry, reason: "a test")
                }
                #expect(try await queue.depth() == QueueDepth(entries: 0, inWork: 0, dead: 1))
                let replica = Replica(client, clock: SystemWallClock())
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { await replica.run() }
                    _ = replica.limiter.record(identity: "ci", now: SystemWallClock().now())
                    try await Eventually.holds("the failure to be told") {
                        try await server.cli("XLEN", "tollgate:failures").contains("1")
                    }
                    group.cancelAll()
                }
                let ended = Noted<String>()
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { await RedisSessionBackend(client).follow { ended.note($0) } }
                    try await Eventually.holds("an end to be told") {
                        try await RedisSessionBackend(client).remove("kc:session:x", user: nil)
                        return !ended.all.isEmpty
                    }
                    group.cancelAll()
                }
                for command in [RedisCommand("FLUSHALL"), RedisCommand("SET", "other", "1"), RedisCommand("KEYS", "*")]
                {
                    let error = await #expect(throws: RedisError.self) {
                        try await client.send(command, key: "other")
                    }
                    #expect(error?.code == .authentication)
                }
            }
        }
    }

    private struct Replica: Sendable {
        let limiter: FailureLimiter
        let sharing: RedisFailureSharing
        let clock: SystemWallClock

        init(_ client: RedisClient, clock: SystemWallClock) {
            self.clock = clock
            sharing = RedisFailureSharing(
                client, intervalSeconds: 3600, clock: clock, random: SystemRandomSource(),
                metricsFactory: NOOPMetricsHandler.instance)
            limiter = FailureLimiter(
                FailureLimitSettings(perAddress: 4, perIdentity: 4, intervalSeconds: 3600), sharing: sharing)
        }

        func run() async { await sharing.run { limiter.apply($0, now: clock.now()) } }
    }
}
