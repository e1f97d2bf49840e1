// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
package import Logging
package import Metrics
internal import Synchronization

/// Redis, wherever and however it stands: one server, a master that sentinels watch, or a cluster.
///
/// Nobody waits for a connection: while Redis is away every call fails at once, and `run` goes on trying. A call that Redis does not answer ends
/// with its time; a few of them in a row, and the connection is given up.
package final class RedisClient: Sendable {
    /// How Redis stands.
    package struct Status: Sendable, Hashable {
        /// Where it is, without user and password.
        package var address: String
        package var isUp: Bool
        /// Why it is away; nil while it is there.
        package var fault: String?
    }

    private enum Servers: Sendable {
        case one(RedisNode)
        case cluster(RedisCluster)
    }

    /// Joins what the servers report to what is told: each change once.
    private final class Standing: Sendable {
        let address: String
        let logger: Logger
        let metrics: RedisMetrics
        let state = Mutex<(isUp: Bool?, fault: String?, observers: [@Sendable (Bool) -> Void])>((nil, nil, []))

        init(address: String, logger: Logger, metrics: RedisMetrics) {
            self.address = address
            self.logger = logger
            self.metrics = metrics
        }

        func set(_ fault: RedisError?) {
            let isUp = fault == nil
            let (changed, wasUp, observers) = state.withLock { state in
                let wasUp = state.isUp
                state.isUp = isUp
                state.fault = fault?.message
                return (wasUp != isUp, wasUp == true, state.observers)
            }
            guard changed else { return }
            metrics.isUp(isUp)
            if isUp {
                logger.notice("Redis answers", metadata: [LogKeys.address: "\(address)"])
            } else {
                if wasUp { metrics.lost() }
                logger.warning(
                    "Redis is away: what it shares among replicas is kept by each of them alone",
                    metadata: [LogKeys.address: "\(address)", LogKeys.reason: "\(fault?.message ?? "")"])
            }
            for observer in observers { observer(isUp) }
        }
    }

    package let settings: RedisSettings
    private let keyPrefix: String
    private let dialer: RedisDialer
    private let servers: Servers
    private let standing: Standing
    private let metrics: RedisMetrics
    private let time: any MonotonicClock
    private let random: any RandomSource

    /// - Throws: `connect` when the authorities of the settings cannot be read.
    package init(
        _ settings: RedisSettings, time: any MonotonicClock = SystemMonotonicClock(),
        random: any RandomSource = SystemRandomSource(), logger: Logger, metricsFactory: any MetricsFactory
    ) throws(RedisError) {
        self.settings = settings
        keyPrefix = settings.keyPrefix
        self.time = time
        self.random = random
        let dialer = try RedisDialer(settings)
        self.dialer = dialer
        metrics = RedisMetrics(factory: metricsFactory)
        let standing = Standing(address: settings.address.shown, logger: logger, metrics: metrics)
        self.standing = standing
        switch settings.address.topology {
        case .cluster(let seeds):
            servers = .cluster(
                RedisCluster(seeds: seeds, dialer: dialer, time: time, random: random) { standing.set($0) })
        case .single, .sentinel:
            servers = .one(
                RedisNode(
                    settings: settings, time: time, random: random,
                    connect: { () async throws(RedisError) in
                        try await dialer.dial(try await dialer.master(), for: .master)
                    },
                    onEvent: { event in
                        switch event {
                        case .up: standing.set(nil)
                        case .down(let fault): standing.set(fault)
                        }
                    }))
        }
    }

    /// Keeps the connections until it is cancelled.
    package func run() async {
        switch servers {
        case .one(let node): await node.run()
        case .cluster(let cluster): await cluster.run()
        }
    }

    package var status: Status {
        let (isUp, fault) = standing.state.withLock { ($0.isUp, $0.fault) }
        return Status(
            address: standing.address, isUp: isUp == true,
            fault: isUp == true ? nil : fault ?? "it was not reached yet")
    }

    /// Has the body told of every change from now on: whether Redis is there.
    package func observe(_ body: @escaping @Sendable (Bool) -> Void) {
        standing.state.withLock { $0.observers.append(body) }
    }

    /// The name of a key with the prefix of the settings.
    package func key(_ name: String) -> String { keyPrefix + name }

    /// The same connections with another prefix of keys.
    package func sharing(prefix: String) -> RedisClient { RedisClient(self, keyPrefix: prefix) }

    private init(_ other: RedisClient, keyPrefix: String) {
        settings = other.settings
        self.keyPrefix = keyPrefix
        dialer = other.dialer
        servers = other.servers
        standing = other.standing
        metrics = other.metrics
        time = other.time
        random = other.random
    }

    /// Sends commands about one key (or keys of one slot) in one piece; an error reply is a reply.
    ///
    /// - Parameters:
    ///   - key: decides which server of a cluster is asked.
    ///   - limit: how long it may take; without one as long as an ordinary command.
    /// - Throws: every code but `connect` and `refused`.
    package func send(
        _ commands: [RedisCommand], key: String, within limit: Duration? = nil
    ) async throws(RedisError) -> [RESPValue] {
        let limit = limit ?? settings.commandTimeout
        let watch = Stopwatch()
        do throws(RedisError) {
            let replies =
                switch servers {
                case .one(let node): try await node.send(commands, within: limit)
                case .cluster(let cluster): try await cluster.send(commands, slot: RedisSlot.of(key), within: limit)
                }
            metrics.answered(nil, nanoseconds: watch.nanoseconds)
            return replies
        } catch {
            metrics.answered(error.code, nanoseconds: watch.nanoseconds)
            throw error
        }
    }

    /// Sends one command.
    ///
    /// - Throws: as above, and `refused` or `authentication` when the reply is an error.
    package func send(_ command: RedisCommand, key: String, within limit: Duration? = nil) async throws(RedisError)
        -> RESPValue
    {
        let reply = try await send([command], key: key, within: limit)[0]
        if case .failure(let failure) = reply { throw RedisError(failure) }
        return reply
    }

    /// Runs a script by its name, and with its text where Redis does not know the name (any more).
    ///
    /// - Parameter keys: at least one; in a cluster all of one slot.
    package func evaluate(
        _ script: RedisScript, keys: [String], arguments: [String], within limit: Duration? = nil
    ) async throws(RedisError) -> RESPValue {
        let start = time.now()
        let limit = limit ?? settings.commandTimeout
        let byName = script.command(keys: keys, arguments: arguments, withSource: false)
        let reply = try await send([byName], key: keys.first ?? "", within: limit)[0]
        guard case .failure(let failure) = reply else { return reply }
        guard failure.code == "NOSCRIPT" else { throw RedisError(failure) }
        let withText = script.command(keys: keys, arguments: arguments, withSource: true)
        return try await send(withText, key: keys.first ?? "", within: max(.zero, limit - (time.now() - start)))
    }

    /// A connection of one's own, for commands that Redis holds back. It is not made again when it ends.
    ///
    /// - Parameters:
    ///   - key: what it is about.
    ///   - onMessage: takes messages of subscribed channels, on the connection's own thread.
    package func dedicated(
        key: String, onMessage: (@Sendable (_ channel: String, _ payload: [UInt8]) -> Void)? = nil
    ) async throws(RedisError) -> RedisConnection {
        switch servers {
        case .one: return try await dialer.dial(try await dialer.master(), for: .master, onMessage: onMessage)
        case .cluster(let cluster):
            let endpoint = try cluster.endpoint(ofSlot: RedisSlot.of(key))
            return try await dialer.dial(endpoint, for: .clusterNode, onMessage: onMessage)
        }
    }

    /// Pauses between attempts of work that has a connection of its own.
    func pause(afterFailures failures: Int) async throws {
        try await time.pause(for: settings.pause(afterFailures: failures, random: random))
    }

    /// The clock of the connections.
    var clock: any MonotonicClock { time }
}

extension RedisDialer {
    /// The server that takes writes.
    func master() async throws(RedisError) -> RedisEndpoint {
        switch settings.address.topology {
        case .single(let endpoint): endpoint
        case .sentinel(let sentinels, let name): try await master(sentinels, name: name)
        case .cluster(let seeds): seeds[0]
        }
    }
}
