// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import NIOCore

/// Stands in front of the decoder and says when bytes come, so that the time of a request runs from its first byte.
final class FirstByteWatch: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let onBytes: () -> Void

    init(onBytes: @escaping () -> Void) { self.onBytes = onBytes }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        onBytes()
        context.fireChannelRead(data)
    }
}

@available(*, unavailable)
extension FirstByteWatch: Sendable {}
