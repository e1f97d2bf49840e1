// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import GRPCNIOTransportHTTP2Posix
internal import NIOCore
internal import NIOPosix
internal import NIOSSL

/// Opens the port. The library's own transport demands a certificate of every client where it verifies any; ours verifies one that is shown,
/// because a proxy may be trusted for its address instead.
struct GRPCListenerFactory: HTTP2ServerTransport.ListenerFactory {
    typealias Listener = NIOAsyncChannel<HTTP2ServerTransport.ConnectionConfigurator.ConnectionChannel, Never>

    let settings: GRPCSettings
    let tls: ListenerTLS?
    let verifiedPeers: VerifiedPeers
    /// Called with the port once it is open.
    let onRunning: @Sendable (Int?) async -> Void

    var eventLoopGroup: any EventLoopGroup { MultiThreadedEventLoopGroup.singleton }

    func makeListeningChannel(
        listenerConfigurator: HTTP2ServerTransport.ListenerConfigurator,
        connectionConfigurator: HTTP2ServerTransport.ConnectionConfigurator
    ) async throws -> Listener {
        let (tls, verifiedPeers) = (tls, verifiedPeers)
        let listener = try await ServerBootstrap(group: eventLoopGroup)
            .serverChannelOption(.backlog, value: GRPCLimits.backlog)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .serverChannelInitializer { listenerConfigurator.configure(channel: $0) }
            .bind(host: settings.host, port: settings.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let tls else { return }
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(NIOSSLServerHandler(context: tls.context))
                    try pipeline.addHandler(ClientCertificateHandler(peers: verifiedPeers))
                }.flatMap {
                    connectionConfigurator.configure(
                        channel: channel, tls: tls == nil ? .none : .configured(requireALPN: false))
                }
            }
        await onRunning(listener.channel.localAddress?.port)
        return listener
    }
}
