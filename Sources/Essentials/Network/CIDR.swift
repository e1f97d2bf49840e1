// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// A block of addresses: `10.0.0.0/8`, `2001:db8::/32`, or a single address.
package struct CIDR: Sendable, Hashable, CustomStringConvertible {
    private let network: IPAddress
    private let prefix: Int
    /// The text that it was read from, trimmed.
    package let description: String

    /// Reads a block. Bits behind the prefix may be set and are ignored.
    ///
    /// - Returns: nil when the address or the prefix length is not one.
    package init?(_ text: some StringProtocol) {
        let trimmed = ASCII.trimmed(text)
        let parts = trimmed.split(separator: "/", omittingEmptySubsequences: false)
        guard let first = parts.first, parts.count <= 2, let address = IPAddress(first) else { return nil }
        let width = address.isIPv4 ? 32 : 128
        if parts.count == 2 {
            guard (1...3).contains(parts[1].utf8.count), parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let length = Int(parts[1]), length <= width
            else { return nil }
            prefix = length
        } else {
            prefix = width
        }
        network = address
        description = trimmed
    }

    /// Whether the address lies in this block. Blocks of one family never contain addresses of the other.
    package func contains(_ address: IPAddress) -> Bool {
        guard address.isIPv4 == network.isIPv4 else { return false }
        if prefix == 0 { return true }
        if address.isIPv4 {
            return (address.low ^ network.low) >> UInt64(32 - prefix) == 0
        }
        if prefix <= 64 { return (address.high ^ network.high) >> UInt64(64 - prefix) == 0 }
        return address.high == network.high && (address.low ^ network.low) >> UInt64(128 - prefix) == 0
    }

    /// The blocks of the IANA special-purpose registries that are not reachable as public addresses, and multicast.
    static let specialPurpose: [CIDR] = [
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/3", "::/127", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "fc00::/7", "fe80::/10",
        "ff00::/8",
    ].compactMap { CIDR($0) }
}
