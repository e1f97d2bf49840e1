// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import NIOCore
internal import Testing

@testable import ExtAuthzService

@Suite struct PeerNameTests {
    @Test(arguments: [
        ("ipv4:192.0.2.1:50000", "192.0.2.1", 50_000), ("ipv6:[2001:db8::1]:443", "2001:db8::1", 443),
        ("ipv6:[::ffff:192.0.2.1]:443", "192.0.2.1", 443), ("ipv6:[fe80::1%eth0]:443", "fe80::1", 443),
    ])
    func readsTheTransportsText(_ text: String, _ address: String, _ port: Int) throws {
        let name = try #require(PeerName(text))
        #expect(name.address.description == address)
        #expect(name.port == port)
    }

    @Test(arguments: ["", "unix:/tmp/x", "<unknown>", "ipv4:", "ipv4:192.0.2.1", "ipv4:host:1", "ipv6:[::1]:x"])
    func takesNothingElse(_ text: String) {
        #expect(PeerName(text) == nil)
    }

    @Test func isTheSameFromASocket() throws {
        for (host, text) in [("127.0.0.1", "ipv4:127.0.0.1:80"), ("::1", "ipv6:[::1]:80")] {
            #expect(PeerName(try SocketAddress(ipAddress: host, port: 80)) == PeerName(text))
        }
    }
}
