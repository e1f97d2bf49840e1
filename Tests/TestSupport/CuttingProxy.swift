// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// Passes TCP connections on to a port of 127.0.0.1, cuts them when it is told to, or stops passing anything on.
package final class CuttingProxy: Sendable {
    /// Where it listens.
    package let port: Int
    private let listener: any Channel
    private let links: ProxyLinks

    private init(listener: any Channel, links: ProxyLinks) {
        self.listener = listener
        self.links = links
        port = listener.localAddress?.port ?? 0
    }

    /// Runs `body` while it listens; every connection ends with it.
    package static func with<Value>(
        to target: Int, _ body: (CuttingProxy) async throws -> Value
    ) async throws -> Value {
        let links = ProxyLinks()
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 64)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { client in links.join(client, to: target) }
            .bind(host: "127.0.0.1", port: 0).get()
        let proxy = CuttingProxy(listener: listener, links: links)
        do {
            let value = try await body(proxy)
            try await proxy.close()
            return value
        } catch {
            // The first fault is the one to tell about.
            try? await proxy.close()
            throw error
        }
    }

    /// How many connections are open at this moment.
    package var open: Int { links.open }

    /// Ends every connection; new ones are passed on as before.
    package func cut() { links.cut() }

    /// Passes nothing on until `resume`, neither on the connections that are open nor on new ones. They stay open.
    package func stall() { links.flow(false) }

    /// Passes nothing on any more on the connections that are open now, which stay open; new ones are passed on.
    package func freeze() { links.freeze() }

    /// Goes on where `stall` stopped: nothing that was sent is lost.
    package func resume() { links.flow(true) }

    private func close() async throws {
        try await listener.close()
        links.cut()
    }
}

/// The two ends of every connection.
private final class ProxyLinks: Sendable {
    private struct State {
        var channels: [ObjectIdentifier: any Channel] = [:]
        var frozen: Set<ObjectIdentifier> = []
        var clients = 0
        var flows = true
    }

    private let state = Mutex(State())

    var open: Int { state.withLock(\.clients) }

    /// Connects a client to the target; it is read from when both ends are there.
    func join(_ client: any Channel, to target: Int) -> EventLoopFuture<Void> {
        ClientBootstrap(group: client.eventLoop)
            .channelOption(.autoRead, value: false)
            .connect(host: "127.0.0.1", port: target)
            .flatMapThrowing { upstream in
                try client.pipeline.syncOperations.addHandler(Relay(to: upstream))
                try upstream.pipeline.syncOperations.addHandler(Relay(to: client))
                self.add(upstream, isClient: false)
                self.add(client, isClient: true)
                // Asked again, so that a client that went away in between takes the other end with it.
                client.closeFuture.whenComplete { _ in upstream.close(promise: nil) }
                upstream.closeFuture.whenComplete { _ in client.close(promise: nil) }
            }
    }

    func cut() {
        for channel in state.withLock({ Array($0.channels.values) }) { channel.close(promise: nil) }
    }

    func freeze() {
        let channels = state.withLock { state in
            defer { state.frozen.formUnion(state.channels.keys) }
            return Array(state.channels.values)
        }
        for channel in channels { channel.setOption(.autoRead, value: false).whenComplete { _ in } }
    }

    func flow(_ flows: Bool) {
        let channels = state.withLock { state in
            state.flows = flows
            return state.channels.filter { !state.frozen.contains($0.key) }.map(\.value)
        }
        for channel in channels { channel.setOption(.autoRead, value: flows).whenComplete { _ in } }
    }

    private func add(_ channel: any Channel, isClient: Bool) {
        let flows = state.withLock { state in
            state.channels[ObjectIdentifier(channel)] = channel
            if isClient { state.clients += 1 }
            return state.flows
        }
        channel.closeFuture.whenComplete { _ in
            self.state.withLock { state in
                state.channels[ObjectIdentifier(channel)] = nil
                state.frozen.remove(ObjectIdentifier(channel))
                if isClient { state.clients -= 1 }
            }
        }
        channel.setOption(.autoRead, value: flows).whenComplete { _ in }
    }
}

/// Hands what arrives at one end to the other.
private final class Relay: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let other: any Channel

    init(to other: any Channel) { self.other = other }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        other.writeAndFlush(unwrapInboundIn(data), promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
