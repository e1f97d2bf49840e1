// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Testing

@Suite struct AddressTests {
    @Test(arguments: [
        ("192.0.2.1", "192.0.2.1"), ("::ffff:192.0.2.1", "192.0.2.1"), ("[2001:DB8::1]", "2001:db8::1"), ("::1", "::1"),
    ])
    func readsAddresses(_ text: String, _ canonical: String) { #expect(IPAddress(text)?.description == canonical) }

    @Test(arguments: ["", "1.2.3", "1.2.3.4:80", " 1.2.3.4", "fe80::1%eth0", "unknown", "1.2.3.256", "[::1", "::g"])
    func refusesOtherTexts(_ text: String) { #expect(IPAddress(text) == nil) }

    @Test(arguments: [
        ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false), ("10.0.0.7", "10.0.0.7", true),
        ("0.0.0.0/0", "203.0.113.9", true), ("0.0.0.0/0", "2001:db8::1", false), ("2001:db8::/33", "2001:db8::1", true),
        ("2001:db8::/33", "2001:db8:8000::1", false), ("2001:db8::8/125", "2001:db8::f", true),
        ("2001:db8::8/125", "2001:db8::10", false),
    ])
    func blocksContain(_ block: String, _ address: String, _ inside: Bool) throws {
        #expect(try #require(CIDR(block)).contains(#require(IPAddress(address))) == inside)
    }

    @Test(arguments: ["10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8/8", "x/8", "::/129", "10.0.0.0/0x8"])
    func refusesOtherBlocks(_ text: String) { #expect(CIDR(text) == nil) }

    @Test(arguments: ["127.0.0.1", "10.1.1.1", "169.254.169.254", "::1", "fc00::1", "fe80::1", "224.0.0.1", "0.0.0.0"])
    func knowsSpecialPurposeAddresses(_ text: String) throws {
        #expect(try #require(IPAddress(text)).isSpecialPurpose)
    }

    /// Each part with one, two and three digits.
    @Test func everyPartOfAnAddressIsWritten() {
        for part: UInt32 in 0...255 {
            let bits = part << 24 | (255 - part) << 16 | (part / 2) << 8 | part % 11
            #expect(IPAddress(ipv4: bits).description == "\(part).\(255 - part).\(part / 2).\(part % 11)")
        }
    }

    @Test func aPublicAddressIsNotSpecial() throws {
        #expect(try !#require(IPAddress("93.184.216.34")).isSpecialPurpose)
        #expect(try !#require(IPAddress("2606:2800:220:1::1")).isSpecialPurpose)
    }
}
