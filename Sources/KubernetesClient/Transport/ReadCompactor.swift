// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import NIOSSL

/// Passes on what was read in memory of just its size.
///
/// The TLS handler decrypts into one buffer, which grows to a megabyte, and passes on slices of it. A slice that waits to be read keeps all of
/// that alive, and the next read takes another megabyte: dozens of watches that list at once would hold hundreds of them.
final class ReadCompactor: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private init() {}

    /// Begins to copy on a connection that is set up; one without TLS is left as it is.
    static func add(to channel: any Channel) -> EventLoopFuture<Void> {
        channel.eventLoop.submit {
            let pipeline = channel.pipeline.syncOperations
            // Without TLS there is no such handler, and nothing to do.
            guard let decryption = try? pipeline.handler(type: NIOSSLClientHandler.self) else { return }
            try pipeline.addHandler(ReadCompactor(), position: .after(decryption))
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let read = unwrapInboundIn(data)
        var own = context.channel.allocator.buffer(capacity: read.readableBytes)
        own.writeImmutableBuffer(read)
        context.fireChannelRead(wrapInboundOut(own))
    }
}
