// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport
internal import Testing

@testable import Connectors

/// The pure parts of a cluster's client: slots, maps, redirections, pauses.
struct RedisClusterPartsTests {
    /// Slots as the specification of the cluster gives them, and as a server computes them.
    @Test(arguments: [
        ("123456789", 12_739), ("foo", 12_182), ("", 0), ("{user1000}.following", 3443), ("{user1000}.followers", 3443),
        ("foo{}{bar}", 8363), ("foo{{bar}}zap", 4015), ("foo{bar}{zap}", 5061), ("bar", 5061),
    ])
    func computesSlots(_ key: String, _ slot: Int) { #expect(RedisSlot.of(key) == slot) }

    @Test func readsAMap() throws {
        let asked = RedisEndpoint(host: "seed", port: 1)
        func node(_ host: RESPValue, _ port: Int64) -> RESPValue { .array([host, .integer(port), .bytes([0x61])]) }
        func range(_ first: Int64, _ last: Int64, _ node: RESPValue) -> RESPValue {
            .array([.integer(first), .integer(last), node, node])
        }
        let map = try #require(
            RedisSlotMap(
                .array([
                    range(0, 8191, node(.bytes(Array("a".utf8)), 7)), range(8192, 16_382, node(.null, 8)),
                ]), asked: asked))
        #expect(map[0] == RedisEndpoint(host: "a", port: 7))
        #expect(map[8192] == RedisEndpoint(host: "seed", port: 8))
        #expect(map[16_383] == nil)
        #expect(!map.isComplete)
        for bad: RESPValue in [
            .null, .array([.null]), .array([range(-1, 5, node(.null, 1))]), .array([range(5, 4, node(.null, 1))]),
            .array([range(0, 16_384, node(.null, 1))]), .array([range(0, 1, node(.null, 0))]),
        ] {
            #expect(RedisSlotMap(bad, asked: asked) == nil)
        }
    }

    @Test func readsRedirections() {
        let asked = RedisEndpoint(host: "seed", port: 1)
        func read(_ text: String) -> RedisRedirect? { RedisRedirect(RedisReplyError(text), from: asked) }
        #expect(read("MOVED 3999 127.0.0.1:6381") == .moved(slot: 3999, RedisEndpoint(host: "127.0.0.1", port: 6381)))
        #expect(read("ASK 0 ::1:7") == .ask(RedisEndpoint(host: "::1", port: 7)))
        #expect(read("MOVED 1 :7") == .moved(slot: 1, RedisEndpoint(host: "seed", port: 7)))
        for text in ["ERR no", "MOVED", "MOVED x a:1", "MOVED 16384 a:1", "MOVED 1 a:0", "MOVED 1 a", "ASK 1 a:1 b"] {
            #expect(read(text) == nil, "\(text)")
        }
    }

    @Test func pausesGrowAndAreDrawnEvenly() throws {
        let settings = RedisSettings(address: try RedisAddress(parsing: "redis://a"), longestPause: .seconds(3))
        let random = SeededRandom(seed: 3)
        for (failures, bound) in [(1, 50), (2, 100), (4, 400), (7, 3000), (1000, 3000)] {
            let pauses = (0..<200).map { _ in settings.pause(afterFailures: failures, random: random) }
            #expect(pauses.allSatisfy { $0 >= .zero && $0 < .milliseconds(bound) })
            #expect(
                pauses.contains { $0 < .milliseconds(bound) / 4 }
                    && pauses.contains { $0 > .milliseconds(bound) * 3 / 4 })
        }
    }
}
