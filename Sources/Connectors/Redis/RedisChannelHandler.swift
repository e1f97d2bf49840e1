// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import NIOCore

/// The last handler of a connection: writes commands, and gives each reply to whoever waits for it, in the order of sending.
///
/// A call whose time is over is answered at once, but keeps its place: its replies, should they come, belong to nobody else.
final class RedisChannelHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = RedisOutbox.Wake
    typealias OutboundOut = ByteBuffer

    private struct Waiting {
        var missing: Int
        var replies: [RESPValue] = []
        let deadline: NIODeadline
        var waiter: CheckedContinuation<Result<[RESPValue], RedisError>, Never>?
    }

    /// How often it is looked for calls whose time is over, while some wait.
    private static let tick = TimeAmount.milliseconds(5)
    /// Above this a read buffer is not kept.
    private static let keptBytes = 1 << 20

    private let outbox: RedisOutbox
    /// Takes messages of subscribed channels; nil where there are none.
    private let onMessage: (@Sendable (_ channel: String, _ payload: [UInt8]) -> Void)?
    private var decoder = RESPDecoder()
    private var received = ByteBuffer()
    private var waiting = CircularBuffer<Waiting>()
    private var isTicking = false
    private var fault: RedisError?

    init(outbox: RedisOutbox, onMessage: (@Sendable (String, [UInt8]) -> Void)?) {
        self.outbox = outbox
        self.onMessage = onMessage
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let calls = outbox.takeAll()
        guard !calls.isEmpty else {
            promise?.succeed()
            return
        }
        var bytes = calls[0].bytes
        for call in calls.dropFirst() { bytes.writeImmutableBuffer(call.bytes) }
        for call in calls {
            waiting.append(Waiting(missing: call.replies, deadline: call.deadline, waiter: call.waiter))
        }
        context.write(wrapOutboundOut(bytes), promise: promise)
        tick(context)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var piece = unwrapInboundIn(data)
        if received.readableBytes == 0 { received = piece } else { received.writeBuffer(&piece) }
        do throws(RedisError) {
            while let reply = try decoder.next(&received) { try take(reply) }
        } catch {
            fault = error
            context.close(promise: nil)
            return
        }
        if received.readableBytes == 0 {
            received = ByteBuffer()
        } else if received.readerIndex > Self.keptBytes {
            received.discardReadBytes()
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        end(with: fault ?? RedisError(.lost, "the connection to Redis ended"))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if fault == nil { fault = RedisError(.lost, "the connection to Redis broke: \(error)") }
        context.close(promise: nil)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        end(with: fault ?? RedisError(.lost, "the connection to Redis ended"))
    }

    private func take(_ reply: RESPValue) throws(RedisError) {
        if let onMessage, case .array(let members) = reply, members.count == 3, members[0].text == "message",
            let channel = members[1].text, let payload = members[2].bytes
        {
            return onMessage(channel, payload)
        }
        guard var first = waiting.popFirst() else {
            throw RedisError(.malformed, "Redis sent a reply that nobody asked for")
        }
        outbox.answered(1)
        first.missing -= 1
        if first.waiter != nil { first.replies.append(reply) }
        guard first.missing == 0 else {
            waiting.prepend(first)
            return
        }
        first.waiter?.resume(returning: .success(first.replies))
    }

    private func end(with error: RedisError) {
        for call in outbox.close(error) { call.waiter.resume(returning: .failure(error)) }
        while let call = waiting.popFirst() { call.waiter?.resume(returning: .failure(error)) }
    }

    /// Looks for calls whose time is over, again and again while some wait.
    private func tick(_ context: ChannelHandlerContext) {
        guard !isTicking, !waiting.isEmpty else { return }
        isTicking = true
        // A whole pipeline may not be there any more when the time has come.
        context.eventLoop.assumeIsolated().scheduleTask(in: Self.tick) { [weak self] in
            guard let self else { return }
            isTicking = false
            let now = NIODeadline.now()
            for index in waiting.indices where waiting[index].deadline <= now {
                waiting[index].waiter?.resume(
                    returning: .failure(RedisError(.timeout, "Redis did not answer in time")))
                waiting[index].waiter = nil
            }
            if context.channel.isActive { tick(context) }
        }
    }
}
