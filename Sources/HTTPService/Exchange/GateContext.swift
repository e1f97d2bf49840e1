// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
package import Hummingbird
package import Logging
internal import NIOCore

/// What is known of the connection when a request begins.
package struct GateContext: InitializableFromSource {
    /// The transport's other end; nil where there is no socket.
    package let peer: IPAddress?
    package let logger: Logger
    let connection: ClientConnection

    package init(source: ApplicationRequestContextSource) {
        peer = source.channel.remoteAddress.flatMap { IPAddress(socket: $0) }
        logger = source.logger
        connection = ClientConnection(source.channel)
    }
}

/// The connection, or the stream of it, that a request came by.
struct ClientConnection: Sendable {
    private let channel: any Channel
    /// Requests of tests come by none.
    private let wasOpen: Bool

    init(_ channel: any Channel) {
        self.channel = channel
        wasOpen = channel.isActive
    }

    /// Whether whoever asked has gone: no answer will reach anybody.
    var isGone: Bool { wasOpen && !channel.isActive }

    /// Cuts it, whatever is still to be written.
    func cut() { channel.close(promise: nil) }
}

extension IPAddress {
    /// The address of a socket; nil for Unix domain sockets.
    init?(socket: SocketAddress) {
        switch socket {
        // The bytes of sockaddr_in and sockaddr_in6 lie alike on every system that NIO knows.
        case .v4(let address):
            self.init(
                ipv4: withUnsafeBytes(of: address.address) {
                    UInt32(bigEndian: $0.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
                })
        case .v6(let address):
            let halves = withUnsafeBytes(of: address.address) {
                (
                    $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
                    $0.loadUnaligned(fromByteOffset: 16, as: UInt64.self)
                )
            }
            self.init(ipv6High: UInt64(bigEndian: halves.0), low: UInt64(bigEndian: halves.1))
        case .unixDomainSocket: return nil
        }
    }
}
