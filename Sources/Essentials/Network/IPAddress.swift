// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// An IPv4 or IPv6 address as a value. IPv4-mapped IPv6 addresses are unwrapped, so one client has one address.
package struct IPAddress: Sendable, Hashable {
    /// The address as 128 bits; IPv4 in the low 32.
    package let high: UInt64
    package let low: UInt64
    /// Whether this is an IPv4 address.
    package let isIPv4: Bool

    private init(high: UInt64, low: UInt64, isIPv4: Bool) {
        self.high = high
        self.low = low
        self.isIPv4 = isIPv4
    }

    /// Takes an IPv4 address in host byte order.
    package init(ipv4 bits: UInt32) { self.init(high: 0, low: UInt64(bits), isIPv4: true) }

    /// Takes an IPv6 address; a mapped IPv4 address (`::ffff:a.b.c.d`) becomes IPv4.
    package init(ipv6High high: UInt64, low: UInt64) {
        if high == 0, low >> 32 == 0xFFFF {
            self.init(high: 0, low: low & 0xFFFF_FFFF, isIPv4: true)
        } else {
            self.init(high: high, low: low, isIPv4: false)
        }
    }

    /// Reads `192.0.2.1`, `2001:db8::1` or `[2001:db8::1]`, without port, zone or blanks.
    ///
    /// - Returns: nil for anything else.
    package init?(_ text: some StringProtocol) {
        let plain = text.hasPrefix("[") && text.hasSuffix("]") ? String(text.dropFirst().dropLast()) : String(text)
        guard plain.utf8.count <= 45, ASCII.isASCII(plain) else { return nil }
        var v4 = in_addr()
        if inet_pton(AF_INET, plain, &v4) == 1 {
            self.init(ipv4: UInt32(bigEndian: v4.s_addr))
            return
        }
        var v6 = in6_addr()
        guard inet_pton(AF_INET6, plain, &v6) == 1 else { return nil }
        let halves = withUnsafeBytes(of: &v6) {
            ($0.loadUnaligned(as: UInt64.self), $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        }
        self.init(ipv6High: UInt64(bigEndian: halves.0), low: UInt64(bigEndian: halves.1))
    }

    /// Loopback, private, link-local, unique-local, unspecified, multicast, shared or otherwise reserved: not an address of the public internet.
    package var isSpecialPurpose: Bool { CIDR.specialPurpose.contains { $0.contains(self) } }

    /// 127.0.0.0/8 or `::1`.
    package var isLoopback: Bool { isIPv4 ? low >> 24 == 127 : high == 0 && low == 1 }
}

extension IPAddress: CustomStringConvertible {
    /// The canonical text (RFC 5952 for IPv6).
    package var description: String {
        if isIPv4 { return Self.dotted(UInt32(truncatingIfNeeded: low)) }
        var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        var halves = (high.bigEndian, low.bigEndian)
        inet_ntop(AF_INET6, &halves, &buffer, socklen_t(buffer.count))
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Every entry of the audit trail names an address.
    private static func dotted(_ bits: UInt32) -> String {
        String(unsafeUninitializedCapacity: 15) { text in
            var count = 0
            func put(_ digit: UInt32) {
                text[count] = UInt8(ascii: "0") + UInt8(digit)
                count += 1
            }
            for shift: UInt32 in [24, 16, 8, 0] {
                let part = bits >> shift & 0xFF
                if part >= 100 { put(part / 100) }
                if part >= 10 { put(part / 10 % 10) }
                put(part % 10)
                guard shift > 0 else { continue }
                text[count] = UInt8(ascii: ".")
                count += 1
            }
            return count
        }
    }
}
