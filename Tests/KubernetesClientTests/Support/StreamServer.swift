// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL
internal import Synchronization

/// A server on 127.0.0.1 whose answers a test sends piece by piece, with TLS where it asks for it.
final class StreamServer: Sendable {
    /// One request and the way to answer it.
    struct Exchange: Sendable {
        let target: String
        let headers: [String: String]
        fileprivate let channel: any Channel

        /// Begins a chunked answer.
        func begin(status: Int = 200, headers: [(String, String)] = []) async throws {
            var fields = HTTPHeaders(headers)
            fields.add(name: "transfer-encoding", value: "chunked")
            try await channel.writeAndFlush(
                HTTPServerResponsePart.head(
                    .init(version: .http1_1, status: .init(statusCode: status), headers: fields)))
        }

        func send(_ text: String) async throws { try await send(Array(text.utf8)) }

        func send(_ bytes: [UInt8]) async throws {
            try await channel.writeAndFlush(HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(bytes: bytes))))
        }

        func finish() async throws { try await channel.writeAndFlush(HTTPServerResponsePart.end(nil)) }

        func drop() async throws { try await channel.close() }

        /// Whether the client has closed the connection.
        var isClosed: Bool { !channel.isActive }
    }

    let port: Int
    private let channel: any Channel
    private let exchanges: Mutex<[Exchange]>

    private init(channel: any Channel) {
        self.channel = channel
        port = channel.localAddress?.port ?? 0
        exchanges = Mutex([])
    }

    /// What was asked so far.
    var asked: [Exchange] { exchanges.withLock { $0 } }

    fileprivate func add(_ exchange: Exchange) { exchanges.withLock { $0.append(exchange) } }

    static func with<Value>(
        tls: NIOSSLContext? = nil, answer: (@Sendable (Exchange) -> String?)? = nil,
        _ body: (StreamServer) async throws -> Value
    ) async throws -> Value {
        let holder = Holder()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Handler(holder: holder, answer: answer))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let server = StreamServer(channel: channel)
        holder.server.withLock { $0 = server }
        do {
            let value = try await body(server)
            try await channel.close()
            return value
        } catch {
            try await channel.close()
            throw error
        }
    }

    private final class Holder: Sendable {
        let server = Mutex<StreamServer?>(nil)
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let holder: Holder
        private let answer: (@Sendable (Exchange) -> String?)?
        private var head: HTTPRequestHead?

        init(holder: Holder, answer: (@Sendable (Exchange) -> String?)?) {
            self.holder = holder
            self.answer = answer
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head): self.head = head
            case .body: break
            case .end:
                guard let head else { return }
                let headers = Dictionary(
                    head.headers.map { ($0.name.lowercased(), $0.value) }, uniquingKeysWith: { first, _ in first })
                let exchange = Exchange(target: head.uri, headers: headers, channel: context.channel)
                holder.server.withLock { $0 }?.add(exchange)
                guard let text = answer?(exchange) else { return }
                let fields = HTTPHeaders([("content-length", String(text.utf8.count))])
                context.write(
                    wrapOutboundOut(.head(.init(version: .http1_1, status: .ok, headers: fields))), promise: nil)
                context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: text)))), promise: nil)
                context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
