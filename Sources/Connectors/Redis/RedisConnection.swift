// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import NIOCore
internal import NIOPosix
internal import NIOSSL
internal import Synchronization

/// One connection. Any number of callers share it: their commands follow one another without waiting for replies (implicit pipelining).
package final class RedisConnection: Sendable {
    /// Where it leads.
    package let endpoint: RedisEndpoint
    private let channel: any Channel
    private let outbox: RedisOutbox
    private let ended = Signal()

    private init(endpoint: RedisEndpoint, channel: any Channel, outbox: RedisOutbox) {
        self.endpoint = endpoint
        self.channel = channel
        self.outbox = outbox
        channel.closeFuture.whenComplete { [ended] _ in ended.call() }
    }

    /// Connects; nothing is sent yet.
    ///
    /// - Parameters:
    ///   - tls: how TLS is spoken; nil for plain text.
    ///   - onMessage: takes messages of subscribed channels, on the connection's own thread.
    /// - Throws: `connect`.
    static func open(
        _ endpoint: RedisEndpoint, tls: NIOSSLContext?, timeout: Duration, maximumWaiting: Int,
        onMessage: (@Sendable (String, [UInt8]) -> Void)? = nil
    ) async throws(RedisError) -> RedisConnection {
        let outbox = RedisOutbox(maximumWaiting: maximumWaiting)
        do {
            let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connectTimeout(.microseconds(timeout.wholeMicroseconds))
                .channelOption(.socketOption(.so_keepalive), value: 1)
                .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let operations = channel.pipeline.syncOperations
                        if let tls {
                            // An address has no place in the handshake's server name; it is checked against the certificate all the same.
                            let isAddress = IPAddress(endpoint.host) != nil
                            try operations.addHandler(
                                NIOSSLClientHandler(context: tls, serverHostname: isAddress ? nil : endpoint.host))
                        }
                        try operations.addHandler(RedisChannelHandler(outbox: outbox, onMessage: onMessage))
                    }
                }
                .connect(host: endpoint.host, port: endpoint.port).get()
            return RedisConnection(endpoint: endpoint, channel: channel, outbox: outbox)
        } catch {
            throw RedisError(.connect, "\(endpoint) cannot be reached: \(error)")
        }
    }

    /// Sends commands in one piece and waits for all their replies; an error reply is a reply.
    ///
    /// - Throws: `timeout`, `lost`, `malformed`, `overloaded`.
    package func send(_ commands: [RedisCommand], within limit: Duration) async throws(RedisError) -> [RESPValue] {
        try await send(commands, replies: commands.count, within: limit)
    }

    /// Sends commands that are answered with so many replies altogether.
    func send(_ commands: [RedisCommand], replies: Int, within limit: Duration) async throws(RedisError)
        -> [RESPValue]
    {
        var bytes = ByteBuffer()
        for command in commands { command.write(to: &bytes) }
        let deadline = NIODeadline.now() + .microseconds(limit.wholeMicroseconds)
        let result = await withCheckedContinuation { continuation in
            let call = RedisCall(bytes: bytes, replies: replies, deadline: deadline, waiter: continuation)
            switch outbox.add(call) {
            case .first: channel.writeAndFlush(RedisOutbox.Wake(), promise: nil)
            case .more: break
            case .refused(let error): continuation.resume(returning: .failure(error))
            }
        }
        return try result.get()
    }

    /// Sends one command and waits for its reply.
    ///
    /// - Throws: as above, and `refused` or `authentication` when the reply is an error.
    package func send(_ command: RedisCommand, within limit: Duration) async throws(RedisError) -> RESPValue {
        let reply = try await send([command], replies: 1, within: limit)[0]
        if case .failure(let failure) = reply { throw RedisError(failure) }
        return reply
    }

    /// As `send`, for a command that Redis may hold back: it ends at once when the task is cancelled, and the connection with it.
    package func wait(_ command: RedisCommand, within limit: Duration) async throws(RedisError) -> RESPValue {
        let result = await withTaskCancellationHandler {
            do throws(RedisError) {
                return Result<RESPValue, RedisError>.success(try await send(command, within: limit))
            } catch {
                return .failure(error)
            }
        } onCancel: {
            close()
        }
        return try result.get()
    }

    /// Whether it has ended.
    package var isClosed: Bool { outbox.end != nil || !channel.isActive }

    /// Ends it; who waits for a reply hears that it was lost.
    package func close() { channel.close(promise: nil) }

    /// Waits until it has ended, or the task is cancelled. One task waits at a time.
    package func waitUntilClosed() async { if channel.isActive { await ended.wait() } }
}
