// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import HTTPService
internal import Hummingbird
internal import HummingbirdTesting
internal import NIOCore
internal import NIOPosix
internal import NIOSSL
internal import Testing

/// A client that sends bytes as they are and reads what comes.
struct RawClient {
    /// One connection while its scope lasts.
    struct Connection {
        fileprivate var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
        fileprivate let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
        fileprivate let channel: any Channel
        /// Everything that came so far.
        private(set) var received = ""
        /// Whether the other side has ended the connection.
        private(set) var ended = false

        fileprivate init(
            inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator,
            outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>, channel: any Channel
        ) {
            self.inbound = inbound
            self.outbound = outbound
            self.channel = channel
        }

        func send(_ text: String) async throws { try await outbound.write(ByteBuffer(string: text)) }

        func endSending() async throws { try await channel.close(mode: .output) }

        /// Reads until the text came or the connection ended.
        mutating func read(until text: String? = nil) async throws {
            while !ended {
                if let text, received.contains(text) { return }
                // A reset after the answer is an end like any other.
                guard let part = try? await inbound.next(isolation: #isolation) else {
                    ended = true
                    return
                }
                received += String(buffer: part)
            }
        }
    }

    let port: Int
    var tls: TLSConfiguration?

    /// Connects, runs the body and closes.
    func run<Result: Sendable>(
        _ body: @Sendable (inout Connection) async throws -> Result
    ) async throws -> Result {
        let context = try tls.map { try NIOSSLContext(configuration: $0) }
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let context {
                        try channel.pipeline.syncOperations.addHandler(
                            NIOSSLClientHandler(context: context, serverHostname: "localhost"))
                    }
                    return try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                        wrappingChannelSynchronously: channel,
                        configuration: .init(isOutboundHalfClosureEnabled: true))
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            var connection = Connection(
                inbound: inbound.makeAsyncIterator(), outbound: outbound, channel: channel.channel)
            return try await body(&connection)
        }
    }
}

extension Gate {
    /// Runs the API listener on a port of its own.
    func live<Result: Sendable>(_ body: @escaping @Sendable (Int) async throws -> Result) async throws -> Result {
        let application = try HTTPListeners(settings: settings, dependencies: dependencies).api()
        return try await application.test(.live) { client in
            try await body(#require(client.port))
        }
    }

    /// Sends text on a connection of its own and gives everything that comes until the other side ends it.
    func untilClosed(_ text: String, thenHalfClose: Bool = false) async throws -> String {
        try await live { port in
            try await RawClient(port: port).run { connection in
                // Whoever has nothing to say writes nothing: the other side may have ended an idle connection by then.
                if !text.isEmpty { try await connection.send(text) }
                if thenHalfClose { try await connection.endSending() }
                try await connection.read()
                return connection.received
            }
        }
    }
}
