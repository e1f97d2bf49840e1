// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import NIOHTTP1

/// One request that waits for its answer, and the connection it came on.
final class Exchange: Sendable {
    private let channel: any Channel

    init(channel: any Channel) { self.channel = channel }

    /// A whole answer.
    func answer(_ status: Int, headers: [(String, String)] = [], body: [UInt8], type: String = "application/json") {
        begin(status, headers: headers + [("content-length", "\(body.count)")], type: type)
        write(body)
        end()
    }

    /// Status and headers; without a length the body comes in chunks.
    func begin(_ status: Int, headers: [(String, String)] = [], type: String = "application/json") {
        var lines = HTTPHeaders(headers)
        lines.add(name: "content-type", value: type)
        let head = HTTPResponseHead(
            version: .http1_1, status: HTTPResponseStatus(statusCode: status), headers: lines)
        channel.writeAndFlush(HTTPServerResponsePart.head(head), promise: nil)
    }

    func write(_ bytes: some Sequence<UInt8>) {
        channel.writeAndFlush(HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(bytes: bytes))), promise: nil)
    }

    /// Each byte as a chunk.
    func writeBytewise(_ bytes: some Sequence<UInt8>) { for byte in bytes { write(CollectionOfOne(byte)) } }

    func end() { channel.writeAndFlush(HTTPServerResponsePart.end(nil), promise: nil) }

    /// Closes the connection as it is.
    func cut() { channel.close(promise: nil) }

    /// Runs something on the connection's event loop after a while.
    func schedule(in seconds: Int, _ action: @escaping @Sendable () -> Void) {
        channel.eventLoop.scheduleTask(in: .seconds(Int64(seconds)), action)
    }
}
