// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import NIOCore

/// The other end of a connection: unique as long as the connection lives.
struct PeerName: Sendable, Hashable {
    let address: IPAddress
    let port: Int

    /// Reads the library's text: `ipv4:192.0.2.1:50000` or `ipv6:[2001:db8::1]:50000`.
    ///
    /// - Returns: nil for anything else, such as a Unix domain socket.
    init?(_ text: String) {
        guard text.utf8.starts(with: "ipv4:".utf8) || text.utf8.starts(with: "ipv6:".utf8) else { return nil }
        let rest = Substring(text.utf8.dropFirst(5))
        guard let colon = rest.utf8.lastIndex(of: UInt8(ascii: ":")),
            let port = Int(rest[rest.utf8.index(after: colon)...])
        else { return nil }
        self.init(host: rest[..<colon], port: port)
    }

    /// Takes the address of a socket.
    init?(_ socket: SocketAddress) {
        guard let host = socket.ipAddress, let port = socket.port else { return nil }
        self.init(host: Substring(host), port: port)
    }

    private init?(host: Substring, port: Int) {
        // A link-local address has the name of its interface behind it.
        var host = host
        if let zone = host.utf8.firstIndex(of: UInt8(ascii: "%")) {
            host = host.utf8.first == UInt8(ascii: "[") ? host[..<zone] + "]" : host[..<zone]
        }
        guard let address = IPAddress(host) else { return nil }
        self.address = address
        self.port = port
    }
}
