// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Synchronization

/// A connection to every server of a cluster that has slots, and the map of which has which.
final class RedisCluster: Sendable {
    private struct State {
        var map = RedisSlotMap()
        var nodes: [RedisEndpoint: RedisNode] = [:]
        var fault = RedisError(.away, "the cluster was not reached yet")
    }

    /// How many redirections of one command are followed.
    private static let maximumRedirections = 4
    /// How long a map is believed that nobody complains about.
    private static let mapLifetime = Duration.seconds(30)

    private let state = Mutex(State())
    private let seeds: [RedisEndpoint]
    private let dialer: RedisDialer
    private let time: any MonotonicClock
    private let random: any RandomSource
    private let onChange: @Sendable (RedisError?) -> Void
    private let isOutdated = Signal()
    private let fresh: AsyncStream<RedisNode>
    private let freshNodes: AsyncStream<RedisNode>.Continuation

    /// - Parameter onChange: told of every change, with a fault where the cluster is not whole.
    init(
        seeds: [RedisEndpoint], dialer: RedisDialer, time: any MonotonicClock, random: any RandomSource,
        onChange: @escaping @Sendable (RedisError?) -> Void
    ) {
        self.seeds = seeds
        self.dialer = dialer
        self.time = time
        self.random = random
        self.onChange = onChange
        // Bounded by the servers of the cluster.
        (fresh, freshNodes) = AsyncStream.makeStream()
    }

    /// Why not every slot can be reached; nil while all can.
    var fault: RedisError? {
        state.withLock { state in
            guard state.map.isComplete else { return state.fault }
            for endpoint in state.map.endpoints where state.nodes[endpoint]?.connection == nil {
                return state.nodes[endpoint]?.fault ?? RedisError(.away, "\(endpoint) was not reached yet")
            }
            return nil
        }
    }

    /// Keeps map and connections until it is cancelled.
    func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.followMap() }
            for await node in fresh { group.addTask { await node.run() } }
        }
    }

    /// Sends commands about keys of one slot, in one piece, to the server that has it.
    func send(_ commands: [RedisCommand], slot: Int, within limit: Duration) async throws(RedisError) -> [RESPValue] {
        guard var endpoint = state.withLock({ $0.map[slot] }) else {
            isOutdated.call()
            throw RedisError(.away, "no server of the cluster has slot \(slot): \(state.withLock(\.fault).message)")
        }
        var isAsking = false
        let start = time.now()
        for _ in 0...Self.maximumRedirections {
            let rest = limit - (time.now() - start)
            guard rest > .zero else { throw RedisError(.timeout, "Redis did not answer in time") }
            let node = node(at: endpoint)
            let sent = isAsking ? commands.flatMap { [RedisCommand("ASKING"), $0] } : commands
            var replies = try await node.send(sent, within: rest)
            if isAsking { replies = stride(from: 1, to: replies.count, by: 2).map { replies[$0] } }
            guard let redirect = redirect(in: replies, from: endpoint) else { return replies }
            switch redirect {
            case .moved(let slot, let next):
                state.withLock { $0.map[slot] = next }
                isOutdated.call()
                (endpoint, isAsking) = (next, false)
            case .ask(let next): (endpoint, isAsking) = (next, true)
            }
        }
        throw RedisError(.cluster, "the cluster sends a command around in circles")
    }

    /// The server that has a slot.
    func endpoint(ofSlot slot: Int) throws(RedisError) -> RedisEndpoint {
        guard let endpoint = state.withLock({ $0.map[slot] }) else {
            throw RedisError(.away, "no server of the cluster has slot \(slot)")
        }
        return endpoint
    }

    private func redirect(in replies: [RESPValue], from endpoint: RedisEndpoint) -> RedisRedirect? {
        for case .failure(let failure) in replies {
            if let redirect = RedisRedirect(failure, from: endpoint) { return redirect }
            if failure.code == "CLUSTERDOWN" { isOutdated.call() }
        }
        return nil
    }

    private func node(at endpoint: RedisEndpoint) -> RedisNode {
        state.withLock { state in
            if let node = state.nodes[endpoint] { return node }
            let node = RedisNode(
                settings: dialer.settings, time: time, random: random,
                connect: { [dialer] () async throws(RedisError) in try await dialer.dial(endpoint, for: .clusterNode) },
                onEvent: { [weak self] event in
                    if case .down = event { self?.isOutdated.call() }
                    self?.tell()
                })
            state.nodes[endpoint] = node
            freshNodes.yield(node)
            return node
        }
    }

    private func tell() { onChange(fault) }

    private func followMap() async {
        var failures = 0
        while !Task.isCancelled {
            do throws(RedisError) {
                apply(try await askForMap())
                failures = 0
                tell()
                // Whoever is cancelled leaves by the condition of the loop.
                _ = await time.limited(to: Self.mapLifetime) { [isOutdated] in await isOutdated.wait() }
            } catch {
                failures += 1
                state.withLock { $0.fault = error }
                tell()
            }
            // Many complaints are one reason to ask.
            try? await time.pause(for: dialer.settings.pause(afterFailures: max(1, failures), random: random))
        }
        freshNodes.finish()
    }

    private func askForMap() async throws(RedisError) -> RedisSlotMap {
        let known = state.withLock { $0.map.endpoints }
        var last = RedisError(.connect, "no server of the cluster is named")
        for endpoint in seeds + known.subtracting(seeds) {
            do throws(RedisError) {
                let connection = try await dialer.dial(endpoint, for: .clusterNode)
                defer { connection.close() }
                let reply = try await connection.send(
                    RedisCommand("CLUSTER", "SLOTS"), within: dialer.settings.connectTimeout)
                guard let map = RedisSlotMap(reply, asked: endpoint), !map.endpoints.isEmpty else {
                    throw RedisError(.malformed, "\(endpoint) does not tell the slots of a cluster")
                }
                return map
            } catch {
                last = error
            }
        }
        throw last
    }

    private func apply(_ map: RedisSlotMap) {
        let gone = state.withLock { state in
            state.map = map
            let gone = state.nodes.filter { !map.endpoints.contains($0.key) }
            for endpoint in gone.keys { state.nodes[endpoint] = nil }
            return Array(gone.values)
        }
        for node in gone { node.stop() }
        for endpoint in map.endpoints { _ = node(at: endpoint) }
    }
}
