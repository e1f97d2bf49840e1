// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import TestSupport
internal import Testing

/// Three replicas over one real Redis, and what becomes of them without it.
@Suite(.timeLimit(.minutes(15)))
struct SharedDaemonsTests {
    private static let limit = 200
    private static let manifests = """
        apiVersion: tollgate.dev/v1alpha1
        kind: AuthConfig
        metadata:
          name: limited
          namespace: default
        spec:
          hosts: [limited.example]
          mode: required
          rate: {day: \(limit)}
          policy:
            builtinRoutes: false
            routes:
              - {methods: [GET], path: "/reports/**", permission: "tasks:read"}
        """

    @Test func countTogetherAndServeOnWithoutIt() async throws {
        try await RedisServer.with { redis in
            // A busy machine is no reason to count alone.
            let settings = ["REDIS_URL": redis.url, "TOLLGATE_REDIS_TIMEOUT": "5s"]
            let daemons = try (0..<3).map { _ in
                try TollgateDaemon(manifests: Self.manifests, settings: settings)
            }
            try await Self.running(daemons) { tokens in
                for daemon in daemons {
                    try await Eventually.holds("Redis to be there") {
                        try await Self.metric("tollgate_redis_up", of: daemon) == 1
                    }
                }
                // Four times as many as pass, over all replicas at once.
                let admitted = try await Self.admitted(of: Self.limit * 4, by: daemons, tokens)
                #expect(admitted == Self.limit)
                for daemon in daemons {
                    #expect(try await Self.metric("tollgate_rate_limit_store_degraded", of: daemon) == 0)
                }

                try await redis.kill()
                for (daemon, token) in zip(daemons, tokens) {
                    try await Eventually.holds("Redis to be missed") {
                        try await Self.metric("tollgate_redis_up", of: daemon) == 0
                    }
                    // Its own share is all that it knows of: the others' places are free.
                    let answer = try await daemon.decide(host: "limited.example", path: "/reports/1", token: token)
                    #expect(answer["decision"] == "allow")
                    #expect(try await Self.metric("tollgate_rate_limit_store_degraded", of: daemon) == 1)
                    let ready = try await PlainHTTP.send("GET", "/readyz?verbose", port: daemon.probePort)
                    #expect(ready.status == 200)
                    #expect(ready.text.contains("redis") && ready.text.contains("is away"), "\(ready.text)")
                }

                try await redis.restart()
                for (daemon, token) in zip(daemons, tokens) {
                    try await Eventually.holds("Redis to be there again") {
                        try await Self.metric("tollgate_redis_up", of: daemon) == 1
                    }
                    _ = try await daemon.decide(host: "limited.example", path: "/reports/1", token: token)
                    #expect(try await Self.metric("tollgate_rate_limit_store_degraded", of: daemon) == 0)
                    let ready = try await PlainHTTP.send("GET", "/readyz?verbose", port: daemon.probePort)
                    #expect(!ready.text.contains("is away"), "\(ready.text)")
                }
            }
        }
    }

    @Test func eachCountsForItselfWithoutIt() async throws {
        let daemons = try (0..<3).map { _ in try TollgateDaemon(manifests: Self.manifests) }
        try await Self.running(daemons) { tokens in
            let admitted = try await Self.admitted(of: Self.limit * 4, by: daemons, tokens)
            #expect(admitted == Self.limit * 3)
        }
    }

    @Test func noRequestFailsWhileItHangsOrForgets() async throws {
        try await RedisServer.with { redis in
            let daemon = try TollgateDaemon(
                manifests: Self.manifests, settings: ["REDIS_URL": redis.url, "TOLLGATE_REDIS_TIMEOUT": "500ms"])
            try await Self.running([daemon]) { tokens in
                func decide() async throws {
                    let answer = try await daemon.decide(host: "limited.example", path: "/reports/1", token: tokens[0])
                    #expect(answer["decision"] == "allow", "\(answer)")
                }
                try await Eventually.holds("Redis to be there") {
                    try await Self.metric("tollgate_redis_up", of: daemon) == 1
                }
                try await decide()
                _ = try await redis.cli("SCRIPT", "FLUSH")
                _ = try await redis.cli("FLUSHALL")
                try await decide()
                redis.hang()
                for _ in 0..<10 { try await decide() }
                #expect(try await Self.metric("tollgate_redis_up", of: daemon) == 0)
                #expect(try await Self.metric("tollgate_rate_limit_store_degraded", of: daemon) == 1)
                redis.wake()
                try await Eventually.holds("Redis to be there again") {
                    try await Self.metric("tollgate_redis_up", of: daemon) == 1
                }
                try await decide()
            }
        }
    }

    @Test func aBlockAtOneIsABlockAtAll() async throws {
        try await RedisServer.with { redis in
            // No failure is forgotten while a busy machine gets along.
            let settings = [
                "REDIS_URL": redis.url, "TOLLGATE_AUTH_RATE_LIMIT_IP": "4", "TOLLGATE_AUTH_RATE_LIMIT_INTERVAL": "3600",
            ]
            let daemons = try (0..<2).map { _ in try TollgateDaemon(manifests: Self.manifests, settings: settings) }
            try await Self.running(daemons) { _ in
                func knock(_ daemon: TollgateDaemon) async throws -> Int {
                    try await PlainHTTP.send(
                        "GET", "/v1/auth/me", port: daemon.port,
                        headers: [("Authorization", "Bearer nonsense"), ("X-Forwarded-For", "203.0.113.5")]
                    ).status
                }
                for daemon in daemons {
                    try await Eventually.holds("Redis to be there") {
                        try await Self.metric("tollgate_redis_up", of: daemon) == 1
                    }
                }
                for round in 0..<4 {
                    let status = try await knock(daemons[round % 2])
                    #expect(status == 401, "round \(round)")
                }
                for daemon in daemons {
                    try await Eventually.holds("a block") {
                        let blocks = try await daemon.call("GET", "/v1/admin/auth-blocks")
                        return blocks.text.contains("ip:203.0.113.5")
                    }
                    #expect(try await knock(daemon) == 429)
                }
                let lifted = try await daemons[1].call("DELETE", "/v1/admin/auth-blocks?key=ip:203.0.113.5")
                #expect(lifted.status == 204)
                try await Eventually.holds("the block to be lifted") {
                    try await !daemons[0].call("GET", "/v1/admin/auth-blocks").text.contains("ip:203.0.113.5")
                }
            }
        }
    }

    @Test func startsWithoutRedisAndTellsNoPassword() async throws {
        let port = try FreePort.next()
        let daemon = try TollgateDaemon(
            manifests: Self.manifests, settings: ["A2A_REDIS_URL": "redis://app:hush-secret@127.0.0.1:\(port)/1"])
        try await daemon.running { process in
            let token = try await daemon.mintToken("reader", scopes: ["tasks:read"])
            let answer = try await daemon.decide(host: "limited.example", path: "/reports/1", token: token)
            #expect(answer["decision"] == "allow")
            try await process.wait(forOutput: "Redis is away")
            let ready = try await PlainHTTP.send("GET", "/readyz?verbose", port: daemon.probePort)
            #expect(ready.text.contains("redis://127.0.0.1:\(port)/1 is away"), "\(ready.text)")
            #expect(!(process.output + ready.text).contains("hush"))
        }
    }

    @Test func refusesAnAddressWithoutRepeatingIt() async throws {
        let daemon = try TollgateDaemon(
            manifests: Self.manifests, settings: ["REDIS_URL": "redis://app:hush-secret@host:0"])
        let (status, output) = try await daemon.command(["run"])
        #expect(status == 2)
        #expect(output.contains("REDIS_URL"))
        #expect(!output.contains("hush"))
    }

    private static func admitted(
        of requests: Int, by daemons: [TollgateDaemon], _ tokens: [String]
    ) async throws -> Int {
        try await withThrowingTaskGroup(of: Int.self) { group in
            for caller in 0..<24 {
                group.addTask {
                    var admitted = 0
                    for request in stride(from: caller, to: requests, by: 24) {
                        let index = request % daemons.count
                        let answer = try await daemons[index].decide(
                            host: "limited.example", path: "/reports/\(request)", token: tokens[index])
                        if answer["decision"] == "allow" { admitted += 1 }
                    }
                    return admitted
                }
            }
            return try await group.reduce(0, +)
        }
    }

    /// Runs all of them, each with a token.
    private static func running(
        _ daemons: [TollgateDaemon], tokens: [String] = [], _ body: ([String]) async throws -> Void
    ) async throws {
        guard tokens.count < daemons.count else { return try await body(tokens) }
        let daemon = daemons[tokens.count]
        try await daemon.running { _ in
            let token = try await daemon.mintToken("reader", scopes: ["tasks:read"])
            try await running(daemons, tokens: tokens + [token], body)
        }
    }

    private static func metric(_ name: String, of daemon: TollgateDaemon) async throws -> Double? {
        let answer = try await PlainHTTP.send("GET", "/metrics", port: daemon.probePort)
        return answer.text.split(separator: "\n").first { $0.hasPrefix(name + " ") }
            .flatMap { Double($0.split(separator: " ")[1]) }
    }
}
