// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import Synchronization

/// The service behind a proxy: it answers every request with what it saw, as JSON
/// `{"method", "path", "headers": {lower-case name: [values]}}`, and remembers it.
package final class EchoUpstream: Sendable {
    /// One request that reached it.
    package struct Seen: Sendable {
        package let method: String
        /// The target as sent.
        package let path: String
        package let headers: [String: [String]]
    }

    /// Where it listens on 127.0.0.1.
    package let port: Int
    private let seen: SeenLog

    /// Every request so far, in order of arrival.
    package var requests: [Seen] { seen.entries.withLock { $0 } }

    private init(port: Int, seen: SeenLog) {
        self.port = port
        self.seen = seen
    }

    /// Runs `body` while the service listens.
    package static func with<Value>(_ body: (EchoUpstream) async throws -> Value) async throws -> Value {
        let seen = SeenLog()
        let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: true)
                    try channel.pipeline.syncOperations.addHandler(EchoHandler(seen: seen))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let upstream = EchoUpstream(port: channel.localAddress?.port ?? 0, seen: seen)
        do {
            let value = try await body(upstream)
            try await channel.close()
            return value
        } catch {
            // The test's own fault is the one to tell.
            try? await channel.close()
            throw error
        }
    }
}

private final class SeenLog: Sendable {
    let entries = Mutex<[EchoUpstream.Seen]>([])
}

private final class EchoHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let seen: SeenLog
    private var head: HTTPRequestHead?

    init(seen: SeenLog) { self.seen = seen }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let received): head = received
        case .body: break
        case .end:
            guard let head else { return }
            answer(head, context: context)
        }
    }

    private func answer(_ head: HTTPRequestHead, context: ChannelHandlerContext) {
        let headers = Dictionary(grouping: head.headers, by: { $0.name.lowercased() }).mapValues { $0.map(\.value) }
        seen.entries.withLock { $0.append(.init(method: head.method.rawValue, path: head.uri, headers: headers)) }
        let document: JSONValue = .object([
            "method": .string(head.method.rawValue), "path": .string(head.uri),
            "headers": .object(JSONObject(headers.map { ($0.key, .array($0.value.map { .string($0) })) })),
        ])
        let body = ByteBuffer(bytes: document.encoded())
        var lines = HTTPHeaders([("content-type", "application/json"), ("content-length", "\(body.readableBytes)")])
        if !head.isKeepAlive { lines.add(name: "connection", value: "close") }
        context.write(
            wrapOutboundOut(.head(.init(version: head.version, status: .ok, headers: lines))), promise: nil)
        if head.method != .HEAD { context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil) }
        let close = !head.isKeepAlive
        context.writeAndFlush(wrapOutboundOut(.end(nil))).assumeIsolated().whenComplete { _ in
            if close { context.close(promise: nil) }
        }
    }
}
