// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import NIOHTTP1

/// One request that waits for its answer, and the connection it came on.
///
/// Everything is handed over to the connection's event loop, also there: whoever answers holds the server's lock, and a write that fails
/// at once would ask for it a second time.
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
        send([
            .head(HTTPResponseHead(version: .http1_1, status: HTTPResponseStatus(statusCode: status), headers: lines))
        ])
    }

    func write(_ bytes: some Sequence<UInt8>) { send([.body(.byteBuffer(ByteBuffer(bytes: bytes)))]) }

    /// Each byte as a chunk.
    func writeBytewise(_ bytes: some Sequence<UInt8>) {
        send(bytes.map { .body(.byteBuffer(ByteBuffer(bytes: CollectionOfOne($0)))) })
    }

    func end() { send([.end(nil)]) }

    /// Closes the connection as it is.
    func cut() { channel.eventLoop.execute { [channel] in channel.close(promise: nil) } }

    /// Runs something on the connection's event loop after a while.
    func schedule(in seconds: Int, _ action: @escaping @Sendable () -> Void) {
        channel.eventLoop.scheduleTask(in: .seconds(Int64(seconds)), action)
    }

    private func send(_ parts: [HTTPServerResponsePart]) {
        channel.eventLoop.execute { [channel] in
            for part in parts { channel.writeAndFlush(part, promise: nil) }
        }
    }
}
