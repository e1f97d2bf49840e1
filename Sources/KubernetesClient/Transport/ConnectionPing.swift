// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import NIOHTTP2

/// Asks the server for a sign of life at regular intervals and closes a connection on which none comes.
///
/// All calls share one HTTP/2 connection. One that went silent, where something between still acknowledges every byte, would hold
/// each of them until its own limit, and the next one after it, for ever.
final class ConnectionPing: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame
    typealias InboundOut = HTTP2Frame
    typealias OutboundOut = HTTP2Frame

    /// How often the server is asked, and how long it may take to say anything at all.
    struct Rhythm: Sendable {
        var interval: Duration
        var patience: Duration
    }

    private let rhythm: Rhythm
    private var next: Scheduled<Void>?
    /// Whether anything came since the last question.
    private var hasHeard = true

    private init(_ rhythm: Rhythm) { self.rhythm = rhythm }

    /// Begins to ask on a connection that is set up.
    static func add(to channel: any Channel, _ rhythm: Rhythm) -> EventLoopFuture<Void> {
        channel.eventLoop.submit {
            let pipeline = channel.pipeline.syncOperations
            let frames = try pipeline.handler(type: NIOHTTP2Handler.self)
            try pipeline.addHandler(ConnectionPing(rhythm), position: .after(frames))
        }
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { schedule(rhythm.interval, context) { $0.ask($1) } }
    }

    func handlerRemoved(context: ChannelHandlerContext) { next?.cancel() }

    func channelInactive(context: ChannelHandlerContext) {
        next?.cancel()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        hasHeard = true
        context.fireChannelRead(data)
    }

    private func ask(_ context: ChannelHandlerContext) {
        hasHeard = false
        let frame = HTTP2Frame(streamID: .rootStream, payload: .ping(HTTP2PingData(withInteger: 1), ack: false))
        context.writeAndFlush(wrapOutboundOut(frame), promise: nil)
        schedule(rhythm.patience, context) { $0.judge($1) }
    }

    private func judge(_ context: ChannelHandlerContext) {
        guard hasHeard else { return context.close(promise: nil) }
        schedule(rhythm.interval, context) { $0.ask($1) }
    }

    private func schedule(
        _ delay: Duration, _ context: ChannelHandlerContext,
        _ body: @escaping (ConnectionPing, ChannelHandlerContext) -> Void
    ) {
        next = context.eventLoop.assumeIsolated().scheduleTask(in: delay.timeAmount) { body(self, context) }
    }
}
