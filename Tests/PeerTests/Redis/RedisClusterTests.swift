// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Connectors
internal import Essentials
internal import TestSupport
internal import Testing

/// A cluster of three real servers.
@Suite(.timeLimit(.minutes(15)))
struct RedisClusterTests {
    @Test func findsEverySlotAndFollowsRedirections() async throws {
        try await Self.withCluster { servers in
            let settings = try RedisWorld.settings("redis+cluster://127.0.0.1:\(servers[0].port)")
            try await RedisWorld.with(settings) { client in
                // Keys of every server.
                for number in 0..<200 {
                    _ = try await client.send(RedisCommand("SET", "key\(number)", "\(number)"), key: "key\(number)")
                }
                for number in 0..<200 {
                    let value = try await client.send(RedisCommand("GET", "key\(number)"), key: "key\(number)")
                    #expect(value.text == "\(number)")
                }
                try await Self.movesASlot(servers, client)
                try await Self.waitsWhereTheQueueWent(servers, client)
                try await Self.countsTogether(client)
                try await servers[2].kill()
                try await RedisWorld.down(client)
                try await servers[2].restart()
            }
        }
    }

    /// A slot on its way (ASK), and then elsewhere (MOVED).
    private static func movesASlot(_ servers: [RedisServer], _ client: RedisClient) async throws {
        _ = try await client.send(RedisCommand("SET", "foo", "1"), key: "foo")
        // Slot 12182 is the last server's at first.
        try await move("foo", slot: "12182", from: servers[2], to: servers[0], of: servers) {
            let value = try await client.send(RedisCommand("GET", "foo"), key: "foo").text
            #expect(value == "1", "asked where it went")
        }
        #expect(try await client.send(RedisCommand("GET", "foo"), key: "foo").text == "1", "it moved")
    }

    /// Who waits for entries has a connection of its own, and that must follow too.
    private static func waitsWhereTheQueueWent(_ servers: [RedisServer], _ client: RedisClient) async throws {
        let queue = RedisUsageQueue(client)
        _ = try await queue.add([1])
        let first = try await queue.take(most: 1, by: "worker", waiting: .seconds(5))
        #expect(first.map(\.payload) == [[1]])
        let key = client.key("tollgate:usage")
        let slot = try await servers[0].cli("CLUSTER", "KEYSLOT", key).trimmed
        let place = try #require(Int(slot).map { $0 <= 5460 ? 0 : $0 <= 10_922 ? 1 : 2 })
        let target = servers[(place + 1) % 3]
        try await move(key, slot: slot, from: servers[place], to: target, of: servers) {}
        _ = try await queue.add([2])
        let second = try await Eventually.value("the queue to be found where it went") {
            do throws(QueueError) {
                return try await queue.take(most: 1, by: "worker", waiting: .seconds(1)).first
            } catch {
                return nil
            }
        }
        #expect(second.payload == [2])
    }

    private static func move(
        _ key: String, slot: String, from source: RedisServer, to target: RedisServer, of servers: [RedisServer],
        meanwhile: () async throws -> Void
    ) async throws {
        let sourceID = try await source.cli("CLUSTER", "MYID").trimmed
        let targetID = try await target.cli("CLUSTER", "MYID").trimmed
        _ = try await target.cli("CLUSTER", "SETSLOT", slot, "IMPORTING", sourceID)
        _ = try await source.cli("CLUSTER", "SETSLOT", slot, "MIGRATING", targetID)
        _ = try await source.cli("MIGRATE", "127.0.0.1", "\(target.port)", key, "0", "5000")
        try await meanwhile()
        for server in [target] + servers.filter({ $0.port != target.port }) {
            _ = try await server.cli("CLUSTER", "SETSLOT", slot, "NODE", targetID)
        }
    }

    /// All limits of a request are on one server, and count there.
    private static func countsTogether(_ client: RedisClient) async throws {
        let store = RedisRequestLimitStore(client)
        let limits = ["a", "b", "c", "d"].map { RequestLimit(key: .apiKey($0), rate: RequestRate(minute: 2)) }
        let clock = SystemWallClock()
        var admitted = 0
        for _ in 0..<3 {
            admitted +=
                try await store.take(limits, at: clock.now(), timeLeft: .seconds(60)).isAdmitted ? 1 : 0
        }
        #expect(admitted == 2)
    }

    private static func withCluster<Value: Sendable>(
        _ body: ([RedisServer]) async throws -> Value
    ) async throws -> Value {
        try await member { first in
            try await member { second in
                try await member { third in
                    let servers = [first, second, third]
                    try await join(servers)
                    return try await body(servers)
                }
            }
        }
    }

    /// A server that may be of a cluster. Its other port, for the cluster's own talk, is a free one too.
    private static func member<Value>(_ body: (RedisServer) async throws -> Value) async throws -> Value {
        let bus = try FreePort.next()
        return try await RedisServer.with(
            [
                "--cluster-enabled", "yes", "--cluster-port", "\(bus)", "--cluster-announce-bus-port", "\(bus)",
                "--cluster-node-timeout", "60000", "--cluster-require-full-coverage", "no",
            ], body)
    }

    private static func join(_ servers: [RedisServer]) async throws {
        for (index, range) in [(0, 5460), (5461, 10_922), (10_923, 16_383)].enumerated() {
            _ = try await servers[index].cli("CLUSTER", "ADDSLOTSRANGE", "\(range.0)", "\(range.1)")
            _ = try await servers[index].cli("CLUSTER", "SET-CONFIG-EPOCH", "\(index + 1)")
        }
        for server in servers.dropFirst() {
            let info = try await server.cli("CLUSTER", "NODES")
            // host:port@bus
            guard let bus = info.split(separator: "@").dropFirst().first?.prefix(while: \.isNumber) else {
                throw PeerFault(message: "no bus port in \(info)")
            }
            _ = try await servers[0].cli("CLUSTER", "MEET", "127.0.0.1", "\(server.port)", String(bus))
        }
        for server in servers {
            try await Eventually.holds("the cluster to be whole") {
                let info = try await server.cli("CLUSTER", "INFO")
                return info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:3")
                    && info.contains("cluster_slots_assigned:16384")
            }
        }
    }
}

extension String {
    fileprivate var trimmed: String { ASCII.trimmed(self) }
}
