// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL
internal import Synchronization

/// One connection with one request and its answer.
final class ReplicaExchange: Sendable {
    typealias Outcome = Result<ReplicaAnswer, ReplicaError>

    private enum State {
        case idle
        case running(CheckedContinuation<Outcome, Never>, (any Channel)?)
        case ended
    }

    private let limit: TimeAmount
    private let maximumBytes: Int
    private let state = Mutex(State.idle)

    init(limit: TimeAmount, maximumBytes: Int) {
        self.limit = limit
        self.maximumBytes = maximumBytes
    }

    /// Sends the call and waits for its end; once only.
    func run(
        _ call: ReplicaCall, to address: ReplicaAddress, trust: ReplicaTrust?, connect: Duration
    ) async -> Outcome {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state -> Bool in
                if case .ended = state { return true }
                state = .running(continuation, nil)
                return false
            }
            guard !isOver else { return continuation.resume(returning: .failure(Self.cancelled)) }
            begin(call, to: address, trust: trust, connect: connect)
        }
    }

    /// Ends it at once.
    func cancel() { end(.failure(Self.cancelled)) }

    private static let cancelled = ReplicaError(.unreachable, "the call was given up")

    private func begin(_ call: ReplicaCall, to address: ReplicaAddress, trust: ReplicaTrust?, connect: Duration) {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        loop.scheduleTask(in: limit) { [weak self] in
            self?.end(.failure(ReplicaError(.timedOut, "\(address) did not answer in time")))
        }
        let maximumBytes = maximumBytes
        ClientBootstrap(group: loop)
            .connectTimeout(.microseconds(connect.wholeMicroseconds))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let operations = channel.pipeline.syncOperations
                    if let trust { try operations.addHandler(trust.handler()) }
                    try operations.addHTTPClientHandlers()
                    try operations.addHandler(NIOHTTPClientResponseAggregator(maxContentLength: maximumBytes))
                    try operations.addHandler(
                        ReplicaChannelHandler(address: address) { [weak self] in self?.end($0) })
                }
            }
            .connect(host: "\(address.address)", port: address.port)
            .whenComplete { result in
                switch result {
                case .success(let channel): self.send(call, to: address, over: channel)
                case .failure: self.end(.failure(ReplicaError(.unreachable, "\(address) cannot be reached")))
                }
            }
    }

    private func send(_ call: ReplicaCall, to address: ReplicaAddress, over channel: any Channel) {
        let isOver = state.withLock { state -> Bool in
            guard case .running(let continuation, _) = state else { return true }
            state = .running(continuation, channel)
            return false
        }
        guard !isOver else { return channel.close(promise: nil) }
        var head = HTTPRequestHead(version: .http1_1, method: .init(rawValue: call.method), uri: call.target)
        for field in call.headers.fields { head.headers.add(name: field.name, value: field.value) }
        head.headers.add(name: "host", value: address.authority)
        head.headers.add(name: "connection", value: "close")
        if !call.body.isEmpty { head.headers.add(name: "content-length", value: "\(call.body.count)") }
        channel.write(HTTPClientRequestPart.head(head), promise: nil)
        if !call.body.isEmpty {
            channel.write(HTTPClientRequestPart.body(.byteBuffer(ByteBuffer(bytes: call.body))), promise: nil)
        }
        channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
    }

    private func end(_ outcome: Outcome) {
        let (waiter, channel) = state.withLock {
            state -> (CheckedContinuation<Outcome, Never>?, (any Channel)?) in
            defer { state = .ended }
            guard case .running(let continuation, let channel) = state else { return (nil, nil) }
            return (continuation, channel)
        }
        channel?.close(promise: nil)
        waiter?.resume(returning: outcome)
    }
}

/// Hands on the answer, or why there is none.
private final class ReplicaChannelHandler: ChannelInboundHandler {
    typealias InboundIn = NIOHTTPClientResponseFull

    private let address: ReplicaAddress
    private let end: @Sendable (ReplicaExchange.Outcome) -> Void

    init(address: ReplicaAddress, end: @escaping @Sendable (ReplicaExchange.Outcome) -> Void) {
        self.address = address
        self.end = end
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let answer = unwrapInboundIn(data)
        end(
            .success(
                ReplicaAnswer(
                    status: Int(answer.head.status.code),
                    headers: HeaderList(answer.head.headers.map { ($0.name, $0.value) }),
                    body: answer.body.map { Array($0.readableBytesView) } ?? [])))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let fault: ReplicaError
        switch error {
        case is NIOSSLError, is NIOSSLExtraError, is BoringSSLError:
            fault = ReplicaError(.untrusted, "\(address) does not serve the certificate of this replica")
        case is HTTPParserError, is NIOHTTPObjectAggregatorError:
            fault = ReplicaError(.badAnswer, "\(address) gave an answer that cannot be read")
        default: fault = ReplicaError(.unreachable, "the connection to \(address) was lost: \(error)")
        }
        end(.failure(fault))
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        end(.failure(ReplicaError(.unreachable, "the connection to \(address) was lost")))
        context.fireChannelInactive()
    }
}
