// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Connectors
internal import Essentials
internal import TestSupport
internal import Testing

/// A master, a replica of it, and sentinels that make the replica the master when the other is gone.
@Suite(.timeLimit(.minutes(15)))
struct SentinelTests {
    @Test func followsAFailover() async throws {
        let password = ["--requirepass", "hush-main", "--masterauth", "hush-main"]
        try await RedisServer.with(password, password: "hush-main") { master in
            let replication = password + ["--replicaof", "127.0.0.1 \(master.port)"]
            try await RedisServer.with(replication, password: "hush-main") { replica in
                try await Eventually.holds("the replica to be in step") {
                    try await replica.cli("INFO", "replication").contains("master_link_status:up")
                }
                try await Self.withSentinels(3, of: master) { ports in
                    let hosts = ports.map { "127.0.0.1:\($0)" }.joined(separator: ",")
                    var settings = try RedisWorld.settings("redis+sentinel://:hush-main@\(hosts)/the-master")
                    settings.sentinelPassword = Redacted("hush-sentinel")
                    try await RedisWorld.with(settings) { client in
                        _ = try await client.send(RedisCommand("SET", "k", "1"), key: "k")
                        try await Eventually.holds("the write to be at the replica") {
                            try await replica.cli("GET", "k").contains("1")
                        }
                        try await master.kill()
                        try await Eventually.holds("the replica to be the master", within: .seconds(240)) {
                            do throws(RedisError) {
                                _ = try await client.send(RedisCommand("SET", "k", "2"), key: "k")
                                return true
                            } catch {
                                return false
                            }
                        }
                        #expect(try await replica.cli("GET", "k").contains("2"))
                        #expect(client.status.isUp)
                    }
                }
            }
        }
    }

    @Test func saysWhatIsWrongWithTheSentinels() async throws {
        try await RedisServer.with { master in
            try await Self.withSentinels(1, of: master, password: nil) { ports in
                for (name, secret, words) in [
                    ("no-such-master", "hush-sentinel", "knows no master no-such-master"),
                    ("the-master", "hush-wrong", "TOLLGATE_REDIS_SENTINEL_PASSWORD"),
                ] {
                    var settings = try RedisWorld.settings("redis+sentinel://127.0.0.1:\(ports[0])/\(name)")
                    settings.sentinelPassword = Redacted(secret)
                    try await RedisWorld.with(settings, waits: false) { client in
                        let fault = try await Eventually.value("a refusal") {
                            client.status.fault.flatMap { $0.contains(words) ? $0 : nil }
                        }
                        #expect(!fault.contains("hush"))
                    }
                }
            }
        }
    }

    /// Runs sentinels that watch a master and give it up after a second.
    private static func withSentinels<Value: Sendable>(
        _ count: Int, of master: RedisServer, password: String? = "hush-main",
        _ body: ([Int]) async throws -> Value
    ) async throws -> Value {
        let folder = try TemporaryDirectory()
        var ports: [Int] = []
        var sentinels: [PeerProcess] = []
        do {
            for index in 0..<count {
                let port = try FreePort.next()
                var lines = [
                    "port \(port)", "bind 127.0.0.1", "dir \(try folder.makeFolder("s\(index)"))",
                    "requirepass hush-sentinel", "sentinel sentinel-pass hush-sentinel",
                    "sentinel monitor the-master 127.0.0.1 \(master.port) \(count / 2 + 1)",
                    "sentinel down-after-milliseconds the-master 1000", "sentinel failover-timeout the-master 3000",
                ]
                if let password { lines.append("sentinel auth-pass the-master \(password)") }
                let file = try folder.write(lines.joined(separator: "\n") + "\n", to: "sentinel\(index).conf")
                let sentinel = try PeerProcess(
                    name: "redis-sentinel\(index)", executable: try PeerPaths.path(of: .redisSentinel),
                    arguments: [file], folder: folder)
                sentinels.append(sentinel)
                try await sentinel.wait(forPort: port)
                ports.append(port)
            }
            if count > 1 { try await know(eachOther: ports, folder: folder) }
            let value = try await body(ports)
            for sentinel in sentinels { await sentinel.end() }
            return value
        } catch {
            for sentinel in sentinels { await sentinel.end() }
            throw error
        }
    }

    /// Waits until every sentinel knows the others and the replica.
    private static func know(eachOther ports: [Int], folder: TemporaryDirectory) async throws {
        for port in ports {
            try await Eventually.holds("a sentinel to know all") {
                let (_, output) = try await PeerProcess.run(
                    name: "redis-cli", executable: try PeerPaths.path(of: .redisCLI),
                    arguments: [
                        "-p", "\(port)", "--no-auth-warning", "-a", "hush-sentinel", "INFO", "sentinel",
                    ], folder: folder)
                return output.contains("slaves=1,sentinels=\(ports.count)")
            }
        }
    }
}
