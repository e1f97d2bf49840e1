// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
package import ResourceModel
internal import Synchronization

/// A Kubernetes API server for tests: what Tollgate uses of one, over plain HTTP on 127.0.0.1, and every fault on request.
///
/// It is no model of a cluster: nothing runs, nothing is scheduled, and garbage is collected only when a test says so.
package final class FakeAPIServer: Sendable {
    /// Who a token belongs to.
    package struct TokenUser: Sendable {
        package var name: String
        package var uid: String
        package var groups: [String]
        package var audiences: [String]
        package var extra: [String: [String]]

        package init(
            name: String, uid: String = "", groups: [String] = [], audiences: [String] = [],
            extra: [String: [String]] = [:]
        ) {
            self.name = name
            self.uid = uid
            self.groups = groups
            self.audiences = audiences
            self.extra = extra
        }
    }

    struct Watch {
        let route: RequestRoute
        let selector: ObjectSelector
        let isMetadataOnly: Bool
        let wantsBookmarks: Bool
        let stream: WatchStream
        let connection: Int
    }

    struct Page {
        let version: Int
        let items: [JSONValue]
    }

    struct State {
        var cluster: ClusterState
        var watches: [Int: Watch] = [:]
        var nextWatch = 0
        var records: [APIRequestRecord] = []
        /// Lists that are being paged through, by their token's name.
        var pages: [String: Page] = [:]
        var tokens: [String: TokenUser] = [:]
        /// Bearers that are let in; nil = everybody.
        var bearers: Set<String>?
        var groups: [String: [String]]
        var budget: String?
        var listener: (any Channel)?
        var connections: [Int: any Channel] = [:]
        var nextConnection = 0
        var accepted = 0
    }

    /// The faults that wait for their requests.
    package let faults = APIFaults()
    /// The same after `stop` and `start`.
    package let port: Int
    let clock: any WallClock
    let state: Mutex<State>

    /// Takes a port of its own; does not listen yet.
    ///
    /// - Parameter namespaces: namespaces that are there from the start.
    package init(
        namespaces: [String] = ["default", "acme"], serving served: [ServedResource] = ServedResource.usual,
        clock: any WallClock = SystemWallClock()
    ) throws {
        port = try FreePort.next()
        self.clock = clock
        var groups: [String: [String]] = ["policy": ["v1"]]
        for resource in served where groups[resource.group]?.contains(resource.resource.version) != true {
            groups[resource.group, default: []].append(resource.resource.version)
        }
        state = Mutex(State(cluster: ClusterState(served: served), groups: groups))
        for name in namespaces {
            _ = try add(["apiVersion": "v1", "kind": "Namespace", "metadata": ["name": .string(name)]])
        }
    }

    /// `http://127.0.0.1:port`
    package var url: String { "http://127.0.0.1:\(port)" }

    /// Serves for the time of the body.
    package static func with<Result: Sendable>(
        namespaces: [String] = ["default", "acme"], serving served: [ServedResource] = ServedResource.usual,
        clock: any WallClock = SystemWallClock(), _ body: (FakeAPIServer) async throws -> Result
    ) async throws -> Result {
        let server = try FakeAPIServer(namespaces: namespaces, serving: served, clock: clock)
        try await server.start()
        do {
            let result = try await body(server)
            await server.stop()
            return result
        } catch {
            await server.stop()
            throw error
        }
    }

    /// Listens; also again after `stop`, with everything it held.
    package func start() async throws {
        let channel = try await listen()
        state.withLock { $0.listener = channel }
    }

    private func listen() async throws -> any Channel {
        try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { [self] channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(FakeAPIHandler(server: self))
                }
            }
            .bind(host: "127.0.0.1", port: port).get()
    }

    /// Closes the listener and every connection, as a crash does.
    package func stop() async {
        let channels = state.withLock { state in
            defer {
                state.listener = nil
                state.watches = [:]
            }
            return [state.listener].compactMap(\.self) + Array(state.connections.values)
        }
        for channel in channels {
            // Closed already is as good.
            try? await channel.close().get()
        }
    }

    // MARK: What it was asked

    /// Every request so far, in order.
    package var requests: [APIRequestRecord] { state.withLock(\.records) }

    /// The requests for a resource.
    package func requests(_ verb: RequestRoute.Verb? = nil, _ resource: APIResource? = nil) -> [APIRequestRecord] {
        requests.filter { record in
            guard let route = record.route else { return false }
            return (verb == nil || route.verb == verb) && (resource == nil || route.resource.resource == resource)
        }
    }

    /// Forgets what it was asked.
    package func forgetRequests() { state.withLock { $0.records = [] } }

    /// The rights that the requests so far needed, each once: `patch tollgate.dev authconfigs/status`.
    package var usedRights: Set<String> { Set(requests.compactMap { $0.route?.right }) }

    /// How many watches are open, of one resource or of all.
    package func openWatches(of resource: APIResource? = nil) -> Int {
        state.withLock { state in
            state.watches.values.count {
                !$0.stream.isOver && (resource == nil || $0.route.resource.resource == resource)
            }
        }
    }

    /// How many connections are open.
    package var openConnections: Int { state.withLock { $0.connections.count } }

    /// How many connections were made so far.
    package var acceptedConnections: Int { state.withLock(\.accepted) }
}

// MARK: - Connections

extension FakeAPIServer {
    func opened(_ channel: any Channel) -> Int {
        state.withLock { state in
            state.nextConnection += 1
            state.accepted += 1
            state.connections[state.nextConnection] = channel
            return state.nextConnection
        }
    }

    func closed(_ connection: Int) {
        state.withLock { state in
            state.connections[connection] = nil
            state.watches = state.watches.filter { $0.value.connection != connection }
        }
    }
}

/// Collects one request at a time.
private final class FakeAPIHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart

    private let server: FakeAPIServer
    private var connection = 0
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []

    init(server: FakeAPIServer) { self.server = server }

    func channelActive(context: ChannelHandlerContext) {
        connection = server.opened(context.channel)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        server.closed(connection)
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body = []
        case .body(let buffer): body.append(contentsOf: buffer.readableBytesView)
        case .end:
            guard let head else { return }
            server.receive(
                head.method.rawValue, head.uri, head.headers.map { ($0.name.lowercased(), $0.value) }, body,
                Exchange(channel: context.channel), connection)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
