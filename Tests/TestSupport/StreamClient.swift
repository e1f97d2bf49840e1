// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// A client of a stream that does not end by itself: sends bytes as they are, and keeps what comes.
package final class StreamClient: Sendable {
    /// A frame of a WebSocket as the server sends it.
    package struct Frame: Sendable, Hashable {
        package var opcode: UInt8
        package var payload: [UInt8]

        package init(opcode: UInt8, payload: [UInt8]) {
            self.opcode = opcode
            self.payload = payload
        }

        package var text: String { String(decoding: payload, as: UTF8.self) }
        /// Of a close frame.
        package var closeCode: Int? { payload.count < 2 ? nil : Int(payload[0]) << 8 | Int(payload[1]) }
        package var closeReason: String { String(decoding: payload.dropFirst(2), as: UTF8.self) }
    }

    private let channel: any Channel
    private let kept: Kept

    private init(_ channel: any Channel, _ kept: Kept) {
        self.channel = channel
        self.kept = kept
    }

    /// Connects and sends a request.
    package static func open(port: Int, _ request: String) async throws -> StreamClient {
        let kept = Kept()
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connectTimeout(.seconds(60))
            // A small window: what the client does not read soon waits at the server.
            .channelOption(.socketOption(.so_rcvbuf), value: 16_384)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Keeper(kept)) }
            }
            .connect(host: "127.0.0.1", port: port).get()
        let client = StreamClient(channel, kept)
        try await client.send(Array(request.utf8))
        return client
    }

    /// Connects and runs the body; the connection is closed afterwards.
    package static func with<Value>(
        port: Int, _ request: String, _ body: (StreamClient) async throws -> Value
    ) async throws -> Value {
        let client = try await open(port: port, request)
        do {
            let value = try await body(client)
            // It may be closed already.
            try? await client.close()
            return value
        } catch {
            // As above; what happened in the body is what counts.
            try? await client.close()
            throw error
        }
    }

    /// The head of a request for server-sent events.
    package static func events(_ target: String, _ headers: [(String, String)] = []) -> String {
        "GET \(target) HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            + headers.map { "\($0.0): \($0.1)\r\n" }.joined() + "\r\n"
    }

    /// The head of a request for a WebSocket.
    package static func socket(_ target: String, _ headers: [(String, String)] = []) -> String {
        events(
            target,
            [
                ("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13"),
                ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ] + headers)
    }

    package func send(_ bytes: [UInt8]) async throws {
        try await channel.writeAndFlush(ByteBuffer(bytes: bytes)).get()
    }

    /// Reads nothing any more, until `read` is called.
    package func stall() async throws { try await channel.setOption(.autoRead, value: false).get() }

    /// Reads again.
    package func read() async throws { try await channel.setOption(.autoRead, value: true).get() }

    /// Ends the connection.
    package func close() async throws { try await channel.close().get() }

    /// Everything that came.
    package var text: String { String(decoding: kept.bytes, as: UTF8.self) }

    /// Whether the other side has ended the connection.
    package var hasEnded: Bool { kept.hasEnded }

    /// The ids of the events that came, in order.
    package var ids: [String] { fields("id: ") }

    /// The data of the events that came, in order, those of control messages among them.
    package var data: [String] { fields("data: ") }

    /// The names of the control messages that came, in order.
    package var names: [String] { fields("event: ") }

    /// How often a text came, as bytes: for much that comes fast.
    package func count(of text: String) -> Int { kept.count(of: Array(text.utf8)) }

    private func fields(_ name: String) -> [String] {
        // As bytes: CR and LF are one character. The last line may be incomplete.
        kept.bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast()
            .filter { $0.starts(with: name.utf8) }
            .map { String(decoding: $0.dropFirst(name.utf8.count), as: UTF8.self) }
    }

    /// The frames that came whole, in order.
    package var frames: [Frame] {
        let bytes = kept.bytes
        guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8))?.upperBound else { return [] }
        var frames: [Frame] = []
        var position = end
        while bytes.count - position >= 2 {
            var length = Int(bytes[position + 1] & 0x7F)
            var start = position + 2
            let extended = length == 126 ? 2 : length == 127 ? 8 : 0
            guard bytes.count >= start + extended else { break }
            if extended > 0 { length = bytes[start..<start + extended].reduce(0) { $0 << 8 | Int($1) } }
            start += extended
            guard bytes.count >= start + length else { break }
            frames.append(Frame(opcode: bytes[position] & 0x0F, payload: Array(bytes[start..<start + length])))
            position = start + length
        }
        return frames
    }

    /// The texts among the frames that came.
    package var texts: [String] { frames.filter { $0.opcode == 1 }.map(\.text) }

    /// A frame as a client sends it.
    package static func frame(
        _ opcode: UInt8, _ payload: [UInt8], isFinal: Bool = true, mask: [UInt8]? = [0x37, 0xFA, 0x21, 0x3D]
    ) -> [UInt8] {
        var bytes = [opcode | (isFinal ? 0x80 : 0)]
        let flag: UInt8 = mask == nil ? 0 : 0x80
        if payload.count < 126 {
            bytes.append(UInt8(payload.count) | flag)
        } else if payload.count < 65_536 {
            bytes += [126 | flag, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)]
        } else {
            bytes.append(127 | flag)
            bytes += (0..<8).map { UInt8(truncatingIfNeeded: payload.count >> (56 - $0 * 8)) }
        }
        guard let mask else { return bytes + payload }
        return bytes + mask + payload.enumerated().map { $1 ^ mask[$0 & 3] }
    }

    /// Sends a text frame.
    package func say(_ text: String) async throws { try await send(Self.frame(1, Array(text.utf8))) }

    private final class Kept: Sendable {
        private let state = Mutex((bytes: [UInt8](), hasEnded: false))

        var bytes: [UInt8] { state.withLock(\.bytes) }
        var hasEnded: Bool { state.withLock(\.hasEnded) }

        func count(of text: [UInt8]) -> Int {
            let bytes = self.bytes
            guard bytes.count >= text.count, let first = text.first else { return 0 }
            var count = 0
            for index in 0...(bytes.count - text.count) where bytes[index] == first {
                if bytes[index..<index + text.count].elementsEqual(text) { count += 1 }
            }
            return count
        }

        func append(_ bytes: some Sequence<UInt8>) { state.withLock { $0.bytes += bytes } }
        func end() { state.withLock { $0.hasEnded = true } }
    }

    private final class Keeper: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let kept: Kept

        init(_ kept: Kept) { self.kept = kept }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            kept.append(unwrapInboundIn(data).readableBytesView)
        }

        func channelInactive(context: ChannelHandlerContext) { kept.end() }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            kept.end()
            context.close(promise: nil)
        }
    }
}
