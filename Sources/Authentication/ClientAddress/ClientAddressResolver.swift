// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Finds the client of a connection: the peer, unless that is a trusted proxy that says for whom it asks.
package struct ClientAddressResolver: Sendable {
    private static let maximumEntries = 32
    private let trusted: [CIDR]

    /// Takes the blocks of the trusted proxies.
    package init(trusted: [CIDR]) { self.trusted = trusted }

    /// Whether the address is that of a trusted proxy.
    package func isTrusted(_ address: IPAddress) -> Bool { trusted.contains { $0.contains(address) } }

    /// Walks `X-Forwarded-For` from the right over trusted addresses, at most 32 of them; without that header `X-Real-IP`, else the peer.
    /// An entry that is no address ends the walk at the last good one.
    package func resolve(peer: IPAddress, headers: HeaderList) -> IPAddress {
        guard isTrusted(peer) else { return peer }
        let lines = headers.all("x-forwarded-for")
        guard !lines.isEmpty else {
            return headers.first("x-real-ip").flatMap { IPAddress(ASCII.trimmed($0)) } ?? peer
        }
        var client = peer
        var seen = 0
        for line in lines.reversed() {
            for entry in line.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).reversed() {
                seen += 1
                guard seen <= Self.maximumEntries, let address = IPAddress(ASCII.trimmed(Substring(entry))) else {
                    return client
                }
                client = address
                guard isTrusted(address) else { return client }
            }
        }
        return client
    }
}
