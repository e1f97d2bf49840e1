// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL
internal import Synchronization

/// A small HTTP/1.1 server on 127.0.0.1 that answers what a test says and remembers what it was asked.
package final class LoopbackHTTPServer: Sendable {
    /// One request as it arrived.
    package struct Request: Sendable {
        package let method: String
        /// Path and query.
        package let target: String
        /// Names in lower case.
        package let headers: [(name: String, value: String)]
        package let body: [UInt8]

        /// The path without the query.
        package var path: String { String(target.prefix { $0 != "?" }) }

        /// The first header of that lower-case name.
        package func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
    }

    /// What is answered.
    package struct Answer: Sendable {
        /// What becomes of the connection.
        package enum Ending: Sendable {
            /// It is kept for the next request.
            case keep
            /// It is closed instead of an answer.
            case drop
            /// There is never an answer.
            case silence
            /// The head and one half of the body come, and nothing after that.
            case stall
        }

        package var status: Int
        package var headers: [(name: String, value: String)]
        package var body: [UInt8]
        package var ending = Ending.keep

        /// Closes the connection instead of answering.
        package static var drop: Answer {
            var answer = Answer()
            answer.ending = .drop
            return answer
        }

        /// Never answers.
        package static var silence: Answer {
            var answer = Answer()
            answer.ending = .silence
            return answer
        }

        /// Stops in the middle of a JSON body.
        package static func stalling(_ text: String) -> Answer {
            var answer = json(text)
            answer.ending = .stall
            return answer
        }

        package init(status: Int = 200, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
            self.status = status
            self.headers = headers
            self.body = body
        }

        /// A JSON body.
        package static func json(_ text: String, status: Int = 200) -> Answer {
            Answer(status: status, headers: [("content-type", "application/json")], body: Array(text.utf8))
        }
    }

    /// Answers a request; runs on an event loop, so it must not block.
    package typealias Handler = @Sendable (Request) -> Answer

    /// The port that the system chose.
    package let port: Int
    private let channel: any Channel
    private let record: Mutex<[Request]>
    private let accepted = Atomic<Int>(0)

    /// `http://127.0.0.1:port`
    package var url: String { "http://127.0.0.1:\(port)" }

    /// What was asked so far, in order.
    package var requests: [Request] { record.withLock { $0 } }

    /// How many connections were made so far.
    package var connections: Int { accepted.load(ordering: .relaxed) }

    fileprivate func accept() { accepted.add(1, ordering: .relaxed) }

    private init(channel: any Channel, port: Int) {
        self.channel = channel
        self.port = port
        record = Mutex([])
    }

    fileprivate func remember(_ request: Request) { record.withLock { $0.append(request) } }

    /// Serves for the time of the body.
    ///
    /// - Parameter tls: what it shows and proves that it is it, in PEM; nil = no TLS.
    package static func with<Result: Sendable>(
        tls: (certificate: String, key: String)? = nil, _ handler: @escaping Handler,
        _ body: (LoopbackHTTPServer) async throws -> Result
    ) async throws -> Result {
        let holder = ServerHolder()
        let context = try tls.map { pair in
            try NIOSSLContext(
                configuration: .makeServerConfiguration(
                    certificateChain: NIOSSLCertificate.fromPEMBytes(Array(pair.certificate.utf8)).map {
                        .certificate($0)
                    },
                    privateKey: .privateKey(NIOSSLPrivateKey(bytes: Array(pair.key.utf8), format: .pem))))
        }
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 64)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let context {
                        try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
                    }
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(LoopbackHandler(holder: holder, handler: handler))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let server = LoopbackHTTPServer(channel: channel, port: channel.localAddress?.port ?? 0)
        holder.server.withLock { $0 = server }
        do {
            let result = try await body(server)
            try await channel.close().get()
            return result
        } catch {
            try await channel.close().get()
            throw error
        }
    }
}

/// Hands the server to its connections: the server exists only after it listens.
private final class ServerHolder: Sendable {
    let server = Mutex<LoopbackHTTPServer?>(nil)
}

/// Collects one request at a time and answers it.
private final class LoopbackHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let holder: ServerHolder
    private let handler: LoopbackHTTPServer.Handler
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []

    init(holder: ServerHolder, handler: @escaping LoopbackHTTPServer.Handler) {
        self.holder = holder
        self.handler = handler
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body = []
        case .body(let buffer): body.append(contentsOf: buffer.readableBytesView)
        case .end:
            guard let head else { return }
            let request = LoopbackHTTPServer.Request(
                method: head.method.rawValue, target: head.uri,
                headers: head.headers.map { ($0.name.lowercased(), $0.value) }, body: body)
            holder.server.withLock { $0 }?.remember(request)
            answer(handler(request), to: head, context: context)
        }
    }

    func channelActive(context: ChannelHandlerContext) {
        holder.server.withLock { $0 }?.accept()
        context.fireChannelActive()
    }

    private func answer(_ answer: LoopbackHTTPServer.Answer, to head: HTTPRequestHead, context: ChannelHandlerContext) {
        switch answer.ending {
        case .keep, .stall: break
        case .drop: return context.close(promise: nil)
        case .silence: return
        }
        var headers = HTTPHeaders(answer.headers.map { ($0.name, $0.value) })
        headers.replaceOrAdd(name: "content-length", value: String(answer.body.count))
        let responseHead = HTTPResponseHead(
            version: head.version, status: HTTPResponseStatus(statusCode: answer.status), headers: headers)
        context.write(wrapOutboundOut(.head(responseHead)), promise: nil)
        if answer.ending == .stall {
            let half = ByteBuffer(bytes: answer.body.prefix(answer.body.count / 2))
            return context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(half))), promise: nil)
        }
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: answer.body)))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
}
