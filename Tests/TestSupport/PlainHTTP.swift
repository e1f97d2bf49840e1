// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL

/// A client that sends a request target as it is given, byte by byte: no clean-up of dots, escapes or doubled slashes on the way.
package enum PlainHTTP {
    /// What came back.
    package struct Answer: Sendable {
        package let status: Int
        /// All lines, in order, as sent.
        package let headers: [(name: String, value: String)]
        package let body: [UInt8]

        /// The values of a header, whatever the case of its name.
        package func values(_ name: String) -> [String] {
            headers.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
        }

        /// The first value of a header.
        package func value(_ name: String) -> String? { values(name).first }

        /// The body as text.
        package var text: String { String(decoding: body, as: UTF8.self) }

        /// The body as JSON.
        package func json() throws -> JSONValue { try JSONParser.parse(body) }
    }

    /// Sends one request to 127.0.0.1 on a connection of its own and reads the whole answer.
    ///
    /// - Parameter trusting: the PEM of the authority that has signed the server's certificate; nil = no TLS.
    /// - Throws: when nobody listens, the connection ends before the answer does, or it takes longer than `limit`.
    package static func send(
        _ method: String, _ target: String, port: Int, headers: [(String, String)] = [], body: [UInt8] = [],
        trusting: String? = nil, within limit: Duration = .seconds(120)
    ) async throws -> Answer {
        let tls = try trusting.map { pem in
            var configuration = TLSConfiguration.makeClientConfiguration()
            configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(pem.utf8)))
            // Servers of tests have addresses, which are no names.
            configuration.certificateVerification = .noHostnameVerification
            return try NIOSSLContext(configuration: configuration)
        }
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            // Nothing listens: that is told at once. A busy machine accepts late.
            .connectTimeout(.seconds(60))
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        try channel.pipeline.syncOperations.addHandler(
                            NIOSSLClientHandler(context: tls, serverHostname: nil))
                    }
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    try channel.pipeline.syncOperations.addHandler(IdleLimit(limit: TimeAmount(limit)))
                    return try NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>(
                        wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            var lines = HTTPHeaders(headers)
            if !lines.contains(name: "host") { lines.add(name: "host", value: "127.0.0.1:\(port)") }
            if !body.isEmpty { lines.replaceOrAdd(name: "content-length", value: "\(body.count)") }
            lines.replaceOrAdd(name: "connection", value: "close")
            let head = HTTPRequestHead(version: .http1_1, method: .init(rawValue: method), uri: target, headers: lines)
            var parts: [HTTPClientRequestPart] = [.head(head)]
            if !body.isEmpty { parts.append(.body(.byteBuffer(ByteBuffer(bytes: body)))) }
            parts.append(.end(nil))
            // In one piece: the server may answer a head without a body, and close, before the end would be written.
            try await outbound.write(contentsOf: parts)
            return try await read(inbound)
        }
    }

    /// Whether somebody accepts connections at a port of 127.0.0.1.
    package static func accepts(port: Int) async -> Bool {
        // A refused connection is the answer "no".
        guard
            let channel = try? await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                .connectTimeout(.seconds(1)).connect(host: "127.0.0.1", port: port).get()
        else { return false }
        // The connection has said what it was made for; a fault in closing it changes nothing.
        try? await channel.close()
        return true
    }

    private static func read(_ parts: NIOAsyncChannelInboundStream<HTTPClientResponsePart>) async throws -> Answer {
        var head: HTTPResponseHead?
        var body: [UInt8] = []
        for try await part in parts {
            switch part {
            case .head(let received): head = received
            case .body(let buffer): body.append(contentsOf: buffer.readableBytesView)
            case .end:
                guard let head else { break }
                return Answer(
                    status: Int(head.status.code), headers: head.headers.map { ($0.name, $0.value) }, body: body)
            }
        }
        throw PeerFault(message: "the connection ended before the answer did")
    }
}

/// Ends a connection that lives too long.
private final class IdleLimit: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart

    private let limit: TimeAmount
    private var end: Scheduled<Void>?

    init(limit: TimeAmount) { self.limit = limit }

    func channelActive(context: ChannelHandlerContext) {
        end = context.eventLoop.assumeIsolated().scheduleTask(in: limit) { context.close(promise: nil) }
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        end?.cancel()
        context.fireChannelInactive()
    }
}
