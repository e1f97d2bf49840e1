// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL
internal import Synchronization

/// A small HTTP server on 127.0.0.1 that answers each path with what a test gave it, and notes what was asked.
final class LoopbackServer: Sendable {
    struct Answer: Sendable {
        var status = HTTPResponseStatus.ok
        var headers: [(String, String)] = []
        var body: [UInt8] = []
        /// Never answers.
        var hangs = false
    }

    struct Seen: Sendable, Hashable {
        let path: String
        let host: String?
    }

    private let answers = Mutex<[String: Answer]>([:])
    private let requests = Mutex<[Seen]>([])

    var seen: [Seen] { requests.withLock { $0 } }

    func set(_ path: String, _ answer: Answer) { answers.withLock { $0[path] = answer } }

    fileprivate func answer(_ head: HTTPRequestHead) -> Answer {
        requests.withLock { $0.append(Seen(path: head.uri, host: head.headers.first(name: "host"))) }
        return answers.withLock { $0[head.uri] } ?? Answer(status: .notFound)
    }

    /// Runs a server for the length of the body, which gets its port.
    static func with(
        tls: NIOSSLContext? = nil, _ body: (LoopbackServer, Int) async throws -> Void
    ) async throws {
        let server = LoopbackServer()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Handler(server: server))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        do {
            try await body(server, channel.localAddress?.port ?? 0)
        } catch {
            try await channel.close()
            throw error
        }
        try await channel.close()
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart
        let server: LoopbackServer

        init(server: LoopbackServer) { self.server = server }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            guard case .head(let head) = unwrapInboundIn(data) else { return }
            let answer = server.answer(head)
            guard !answer.hangs else { return }
            var headers = HTTPHeaders(answer.headers)
            headers.add(name: "content-length", value: String(answer.body.count))
            context.write(
                wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: answer.status, headers: headers))),
                promise: nil)
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: answer.body)))), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
