// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import Testing

@Suite struct FailureLimiterTests {
    private static func at(_ seconds: Int64) -> Timestamp { Timestamp(seconds: 1_772_366_400 + seconds) }

    private static func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

    @Test func countsANetworkOfIPv6AsOne() throws {
        let limiter = FailureLimiter(FailureLimitSettings(perAddress: 2))
        #expect(limiter.record(address: try Self.address("2001:db8:1:2::1"), now: Self.at(0)) == nil)
        let block = limiter.record(address: try Self.address("2001:db8:1:2:ffff::9"), now: Self.at(1))
        #expect(block?.key == "ip:2001:db8:1:2::/64")
        #expect(limiter.check(address: try Self.address("2001:db8:1:2::77"), now: Self.at(2))?.retryAfterSeconds == 58)
        #expect(limiter.check(address: try Self.address("2001:db8:1:3::1"), now: Self.at(2)) == nil)
    }

    @Test func unwrapsMappedAddresses() throws {
        let limiter = FailureLimiter(FailureLimitSettings(perAddress: 1))
        _ = limiter.record(address: try Self.address("::ffff:203.0.113.7"), now: Self.at(0))
        let refusal = limiter.check(address: try Self.address("203.0.113.7"), now: Self.at(0))
        #expect(refusal?.message == "Too many authentication attempts from IP 203.0.113.7")
        #expect(refusal?.status == 429)
    }

    @Test func waitsAtLeastASecondAndRoundsUp() throws {
        let limiter = FailureLimiter(FailureLimitSettings(perAddress: 1))
        let address = try Self.address("203.0.113.7")
        _ = limiter.record(address: address, now: Self.at(0))
        let late = Timestamp(microseconds: Self.at(59).microseconds + 999_999)
        #expect(limiter.check(address: address, now: late)?.retryAfterSeconds == 1)
        #expect(
            limiter.check(address: address, now: Timestamp(microseconds: Self.at(58).microseconds + 1))?
                .retryAfterSeconds == 2)
        #expect(limiter.check(address: address, now: Self.at(60)) == nil)
    }

    @Test func forgetsTheLeastRecentlyUsedKey() throws {
        let limiter = FailureLimiter(FailureLimitSettings(perAddress: 1, perIdentity: 1, maximumKeys: 3))
        for index in 1...5 { _ = limiter.record(identity: "t\(index)", now: Self.at(0)) }
        let keys = limiter.blocks(now: Self.at(1)).map(\.key).sorted()
        #expect(keys == ["identity:t3", "identity:t4", "identity:t5"])
    }

    @Test func liftsBlocksByTheirKey() throws {
        let limiter = FailureLimiter(FailureLimitSettings(perAddress: 1, perIdentity: 1))
        let key = FailureIdentity.key(issuer: "https://issuer", subject: "u1")
        _ = limiter.record(identity: key, now: Self.at(0))
        _ = limiter.record(address: try Self.address("203.0.113.7"), now: Self.at(0))
        let blocks = limiter.blocks(now: Self.at(1))
        #expect(blocks.count == 2)
        for block in blocks {
            #expect(limiter.clear(block.key, now: Self.at(1)))
            #expect(!limiter.clear(block.key, now: Self.at(1)))
        }
        #expect(limiter.check(identity: key, now: Self.at(1)) == nil)
    }

    @Test func tellsOncePerWindow() throws {
        let limiter = FailureLimiter(FailureLimitSettings(perIdentity: 2))
        let began = (0..<5).map { limiter.record(identity: "ci", now: Self.at(Int64($0))) != nil }
        #expect(began == [false, true, false, false, false])
    }

    @Test func zeroIsOff() throws {
        let limiter = FailureLimiter(FailureLimitSettings(perAddress: 0, perIdentity: 0))
        for _ in 0..<100 {
            #expect(limiter.record(address: try Self.address("203.0.113.7"), now: Self.at(0)) == nil)
            #expect(limiter.record(identity: "ci", now: Self.at(0)) == nil)
        }
        #expect(limiter.blocks(now: Self.at(0)).isEmpty)
    }
}
