// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AsyncHTTPClient
internal import Essentials
internal import NIOCore
internal import NIOPosix

#if canImport(Glibc)
    internal import Glibc
#endif

/// Makes the HTTP clients for a connection.
struct ClientFactory: Sendable {
    private let connection: ClusterConnection
    private let connectTimeout: Duration
    private let ping: ConnectionPing.Rhythm

    init(_ connection: ClusterConnection, settings: HTTPKubernetesAPI.Settings) {
        self.connection = connection
        connectTimeout = settings.connectTimeout
        ping = ConnectionPing.Rhythm(interval: settings.pingInterval, patience: settings.pingPatience)
    }

    /// One client for calls and one for watches.
    func clients(_ material: TLSMaterial) throws(ClusterConnectionError) -> (calls: HTTPClient, watches: HTTPClient) {
        let configuration = try configuration(material)
        return (
            HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration),
            HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        )
    }

    private func configuration(_ material: TLSMaterial) throws(ClusterConnectionError) -> HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration(
            tlsConfiguration: try material.configuration(
                skipsServerVerification: connection.skipsServerVerification),
            redirectConfiguration: .disallow)
        configuration.timeout = .init(connect: connectTimeout.timeAmount)
        configuration.httpVersion = .automatic
        // Whether to try again is decided in one place, and not here.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 64
        configuration.http1_1ConnectionDebugInitializer = { channel in
            ReadCompactor.add(to: channel).and(Self.keepAlive(channel)).map { _ in }
        }
        configuration.http2ConnectionDebugInitializer = { [ping] channel in
            ReadCompactor.add(to: channel).and(ConnectionPing.add(to: channel, ping)).and(Self.keepAlive(channel))
                .map { _ in }
        }
        if let proxy = connection.proxy { configuration.proxy = Self.proxy(proxy) }
        if let name = connection.tlsServerName, let host = ServerURL(connection.server)?.host, name != host {
            configuration.dnsOverride = [name: host]
        }
        return configuration
    }

    private static func proxy(_ proxy: ClusterProxy) -> HTTPClient.Configuration.Proxy {
        switch proxy.kind {
        case .socks5: return .socksServer(host: proxy.host, port: proxy.port)
        case .http:
            guard let credentials = proxy.credentials?.revealed else {
                return .server(host: proxy.host, port: proxy.port)
            }
            let parts = credentials.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            return .server(
                host: proxy.host, port: proxy.port,
                authorization: .basic(username: String(parts[0]), password: parts.count > 1 ? String(parts[1]) : ""))
        }
    }

    /// A peer that is gone without a word is noticed after a minute: the system's own patience is two hours while nothing is sent, and
    /// a quarter of an hour while something is.
    private static func keepAlive(_ channel: any Channel) -> EventLoopFuture<Void> {
        var options: [(ChannelOptions.Types.SocketOption, SocketOptionValue)] = [(.socketOption(.so_keepalive), 1)]
        #if canImport(Glibc)
            let values = [(TCP_KEEPIDLE, 30), (TCP_KEEPINTVL, 10), (TCP_KEEPCNT, 3), (TCP_USER_TIMEOUT, 60_000)]
            for (name, value) in values {
                options.append((.tcpOption(.init(rawValue: name)), SocketOptionValue(value)))
            }
        #endif
        return EventLoopFuture.andAllComplete(
            options.map { channel.setOption($0.0, value: $0.1) }, on: channel.eventLoop)
    }
}

extension Duration {
    /// The same length for NIO.
    var timeAmount: TimeAmount { .nanoseconds(wholeMicroseconds * 1000) }
}
