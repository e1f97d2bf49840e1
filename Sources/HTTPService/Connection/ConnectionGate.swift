// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import HTTPTypes
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTPTypes
internal import NIOHTTPTypesHTTP1

/// Sits between the HTTP/1.1 decoder and the server: bounds the time a request may take to arrive, answers what cannot be read with the
/// error envelope, answers `Expect: 100-continue`, and closes where an answer or an `Upgrade` header says that this was the last one.
///
/// The decoder stops behind a request with an `Upgrade` header, so that its answer, an ordinary one, ends the connection. When the answer is
/// that the connection is a WebSocket now, HTTP is taken out of it.
///
/// In an HTTP/2 stream it does the same for that stream, and takes out headers that HTTP/2 forbids.
final class ConnectionGate: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let readTimeout: TimeAmount
    private let clock: any WallClock
    private var state = RequestReadStateMachine()
    private var timer: Scheduled<Void>?
    /// The answer in work ends the connection.
    private var closesAfterAnswer = false
    /// The request in work has an `Upgrade` header.
    private var upgradeAsked = false
    /// The request in work asks for a WebSocket.
    private var socketAsked = false
    /// Its end has come and is kept back: what follows may be bytes of the WebSocket, which belong to it.
    private var endIsKept = false
    /// Whether this is an HTTP/2 stream, where there is no decoder of text.
    private var isStream = false

    init(readTimeout: Duration, clock: any WallClock) {
        self.readTimeout = .init(readTimeout)
        self.clock = clock
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let operations = context.pipeline.syncOperations
        // The look-up fails where there is no decoder: in an HTTP/2 stream, whose head comes whole.
        guard let decoder = try? operations.context(handlerType: ByteToMessageHandler<HTTPRequestDecoder>.self) else {
            isStream = true
            return
        }
        // The gate knows nothing of the watch, so that neither keeps the other alive beyond the pipeline.
        let watch = FirstByteWatch { self.state.bytesArrived(at: NIODeadline.now().uptimeNanoseconds) }
        // Adding fails only on a channel that is closed already.
        try? operations.addHandler(watch, position: .before(decoder.handler))
    }

    func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        timer = nil
        context.fireChannelInactive()
    }

    // MARK: Requests

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !state.isClosing else { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            state.headRead(at: NIODeadline.now().uptimeNanoseconds)
            upgradeAsked = !isStream && head.headerFields.contains(.upgrade)
            socketAsked =
                upgradeAsked && head.method == .get
                && head.headerFields[.upgrade].map { ASCII.lowercased($0).contains("websocket") } == true
            if head.headerFields[.expect].map({ ASCII.lowercased($0) }) == "100-continue" {
                context.writeAndFlush(wrapOutboundOut(.head(HTTPResponse(status: .continue))), promise: nil)
            }
            context.fireChannelRead(data)
        case .body(let bytes):
            guard state.bodyRead(bytes.readableBytes, maximumUnwanted: HTTPLimits.bodyBytes) else {
                closeLingering(context)
                return
            }
            context.fireChannelRead(data)
        case .end:
            state.endRead()
            guard !socketAsked else {
                endIsKept = true
                return
            }
            context.fireChannelRead(data)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if timer == nil, !state.isClosing, let since = state.readingSince { schedule(context, since: since) }
        context.fireChannelReadComplete()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let refusal = Self.refusal(for: error) else { return context.fireErrorCaught(error) }
        answer(context, refusal)
        context.fireErrorCaught(HTTPParserError.invalidEOFState)
    }

    /// What a client is told about a request that cannot be read; nil where there is nobody to tell.
    private static func refusal(for error: any Error) -> Refusal? {
        switch error {
        case HTTPParserError.invalidEOFState: nil
        case HTTPParserError.headerOverflow: Refusal(.requestHeadersTooLarge)
        case is HTTPParserError, is HTTP1TypeConversionError: Refusal(.requestMalformed)
        default: nil
        }
    }

    // MARK: Time

    private func schedule(_ context: ChannelHandlerContext, since: UInt64) {
        let deadline = NIODeadline.uptimeNanoseconds(since) + readTimeout
        timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) {
            self.timer = nil
            self.timeIsUp(context)
        }
    }

    private func timeIsUp(_ context: ChannelHandlerContext) {
        guard !state.isClosing, let since = state.readingSince else { return }
        guard NIODeadline.uptimeNanoseconds(since) + readTimeout <= .now() else {
            return schedule(context, since: since)
        }
        answer(context, Refusal(.requestTimeout))
        context.fireErrorCaught(HTTPParserError.invalidEOFState)
    }

    // MARK: Answers

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard !state.isClosing else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        switch unwrapOutboundIn(data) {
        case .head(var head):
            if socketAsked, head.status == .switchingProtocols {
                context.writeAndFlush(data, promise: promise)
                return becomeSocket(context)
            }
            guard head.status.kind != .informational else { return context.write(data, promise: promise) }
            state.answerHeadWritten()
            if isStream {
                head.headerFields[.connection] = nil
                return context.write(wrapOutboundOut(.head(head)), promise: promise)
            }
            if head.headerFields[.connection].map({ ASCII.lowercased($0) }) == "close" { closesAfterAnswer = true }
            guard upgradeAsked else { return context.write(data, promise: promise) }
            closesAfterAnswer = true
            head.headerFields[.connection] = "close"
            context.write(wrapOutboundOut(.head(head)), promise: promise)
            socketAsked = false
            if endIsKept {
                endIsKept = false
                context.fireChannelRead(wrapInboundOut(.end(nil)))
                context.fireChannelReadComplete()
            }
        case .body: context.write(data, promise: promise)
        case .end:
            state.answerEndWritten()
            guard closesAfterAnswer else { return context.write(data, promise: promise) }
            context.writeAndFlush(data, promise: promise)
            closeLingering(context)
        }
    }

    /// Takes HTTP out of the connection.
    private func becomeSocket(_ context: ChannelHandlerContext) {
        let operations = context.pipeline.syncOperations
        do {
            try operations.addHandler(WebSocketBridge(), position: .after(self))
            for old in [
                try operations.context(handlerType: HTTPResponseEncoder.self),
                try operations.context(handlerType: HTTP1ToHTTPServerCodec.self),
                try operations.context(handlerType: ByteToMessageHandler<HTTPRequestDecoder>.self),
                try operations.context(handlerType: FirstByteWatch.self), context,
            ] { operations.removeHandler(context: old, promise: nil) }
        } catch {
            // Without HTTP's own handlers there is nothing to say it with.
            context.close(promise: nil)
        }
    }

    /// Answers in the server's place and ends the connection.
    private func answer(_ context: ChannelHandlerContext, _ refusal: Refusal) {
        guard state.mayAnswer else {
            state.close()
            context.close(promise: nil)
            return
        }
        let requestID = UUIDv7.make(at: clock.now())
        let body = refusal.envelope(requestID: requestID).encoded()
        var fields = HTTPFields()
        fields[.contentType] = "application/json"
        fields[.contentLength] = String(body.count)
        fields[.requestID] = requestID
        fields[.cacheControl] = "no-store"
        if !isStream { fields[.connection] = "close" }
        context.write(
            wrapOutboundOut(.head(HTTPResponse(status: .init(code: refusal.status), headerFields: fields))),
            promise: nil)
        context.write(wrapOutboundOut(.body(ByteBuffer(bytes: body))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        closeLingering(context)
    }

    /// Ends our side at once and the connection a second later, so that a client that is still sending can read the answer.
    private func closeLingering(_ context: ChannelHandlerContext) {
        guard !state.isClosing else { return }
        state.close()
        guard !isStream else { return context.close(promise: nil) }
        context.close(mode: .output, promise: nil)
        timer?.cancel()
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: .seconds(1)) { context.close(promise: nil) }
    }
}

@available(*, unavailable)
extension ConnectionGate: Sendable {}
