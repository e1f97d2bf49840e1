// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import NIOHTTPTypes

/// Stands where HTTP was, once a connection has become a WebSocket: bytes are the parts of a body in both directions, whose end closes the
/// connection.
final class WebSocketBridge: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = ByteBuffer

    private var isClosing = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isClosing else { return }
        context.fireChannelRead(wrapInboundOut(.body(unwrapInboundIn(data))))
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head: promise?.fail(ChannelError.operationUnsupported)
        case .body(let bytes): context.write(wrapOutboundOut(bytes), promise: promise)
        case .end:
            promise?.succeed()
            closeLingering(context)
        }
    }

    /// Ends our side at once and the connection a second later, so that a client that is still sending can read the last frame.
    private func closeLingering(_ context: ChannelHandlerContext) {
        guard !isClosing else { return }
        isClosing = true
        context.flush()
        context.close(mode: .output, promise: nil)
        context.eventLoop.assumeIsolated().scheduleTask(in: .seconds(1)) { context.close(promise: nil) }
    }
}

@available(*, unavailable)
extension WebSocketBridge: Sendable {}
