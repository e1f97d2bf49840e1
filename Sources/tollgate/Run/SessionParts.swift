// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Connectors
internal import Essentials
internal import HTTPService
internal import Logging
internal import Metrics

/// Sessions of browsers: in the process, and in Redis where replicas share it and there is a key to seal them with.
struct SessionParts: Sendable {
    let keeper: SessionKeeper
    private let shared: (backend: SharedSessionBackend, redis: RedisSessionBackend, client: RedisClient)?
    /// Whether there is a Redis.
    private let isMeantToShare: Bool
    private let clock: any WallClock
    /// How often it is looked whether Redis is back.
    private static let restoreInterval = Duration.seconds(2)

    /// - Parameter keys: seal what is in Redis; nil = sessions stay in the process, sealed with a key of its own.
    init(
        keys: Redacted<[[UInt8]]>?, redis: RedisClient?, clock: any WallClock, random: any RandomSource,
        logger: Logger, metrics: PrometheusRegistry
    ) throws(StartupProblem) {
        let own = [random.bytes(32)]
        guard let seal = SessionSeal(keys: redis == nil ? own : keys?.revealed ?? own) else {
            throw StartupProblem("TOLLGATE_SESSION_KEY: expected keys of 32 bytes")
        }
        var backend: any SessionBackend = MemorySessionBackend()
        if let redis, keys != nil {
            let remote = RedisSessionBackend(redis)
            let both = SharedSessionBackend(shared: remote, logger: logger, metricsFactory: metrics)
            shared = (both, remote, redis)
            backend = both
        } else {
            shared = nil
            Gauge(label: "tollgate_session_store_degraded", factory: metrics).record(0)
            if redis != nil {
                logger.warning(
                    "setting",
                    metadata: [
                        LogKeys.setting: "TOLLGATE_SESSION_KEY",
                        LogKeys.reason: "without it sessions are not shared through Redis: each replica knows its own",
                    ])
            }
        }
        isMeantToShare = redis != nil
        self.clock = clock
        keeper = SessionKeeper(
            store: SessionStore(
                backend: backend, seal: seal, clock: clock, time: SystemMonotonicClock(), random: random),
            clock: clock, random: random)
    }

    /// A line of `/readyz?verbose` where sessions are meant to be shared: without that they live in the process, which goes on.
    func checks() -> [ReadinessCheck] {
        guard isMeantToShare else { return [] }
        guard let shared else {
            let detail = "each replica knows its own: TOLLGATE_SESSION_KEY is not set"
            return [ReadinessCheck(name: "sessions", status: .ok, detail: detail)]
        }
        guard shared.backend.isDegraded || shared.client.status.fault != nil else {
            return [ReadinessCheck(name: "sessions", status: .ok)]
        }
        return [ReadinessCheck(name: "sessions", status: .degraded, detail: "kept in memory while Redis is away")]
    }

    /// What has to run as long as the server does.
    var services: [ClosureService] {
        guard let shared else { return [] }
        let clock = clock
        return [
            ClosureService(name: "ends of sessions") {
                let (ended, heard) = AsyncStream.makeStream(of: String.self, bufferingPolicy: .bufferingNewest(1024))
                await withTaskGroup(of: Void.self) { group in
                    group.addTask { await shared.redis.follow { heard.yield($0) } }
                    group.addTask { for await key in ended { await shared.backend.forget(key) } }
                    await group.next()
                    group.cancelAll()
                }
            },
            ClosureService(name: "sessions for Redis") {
                let time = SystemMonotonicClock()
                // Ends by being cancelled.
                while (try? await time.pause(for: Self.restoreInterval)) != nil {
                    guard shared.backend.isDegraded, shared.client.status.fault == nil else { continue }
                    _ = await shared.backend.restore(at: clock.now())
                }
            },
        ]
    }
}
