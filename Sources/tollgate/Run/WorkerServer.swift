// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Billing
internal import Connectors
internal import Essentials
internal import HTTPService
internal import Logging
internal import Metrics
internal import ServiceLifecycle
internal import UnixSignals

/// A process of role `worker`: the work of accounts in the background, health and metrics, and nothing else.
struct WorkerServer {
    private let settings: TollgateSettings
    private let logger: Logger
    private let stores: StoreSet
    private let limits: LimitParts
    private let redis: RedisParts?
    private let billing: BillingParts
    private let readiness: WorkerReadiness
    private let metrics = PrometheusRegistry()
    private let clock = SystemWallClock()

    init(_ settings: TollgateSettings, logger: Logger) async throws {
        self.settings = settings
        self.logger = logger
        let random = SystemRandomSource()
        let authentication = try settings.authenticationSettings()
        stores = try await ServerAssembly.openStores(
            settings, authentication, source: .manifests([]), link: nil, clock: clock, random: random, logger: logger,
            metrics: metrics)
        redis = try RedisParts(
            settings.redis, limits: authentication.limits, clock: clock, random: random, logger: logger,
            metrics: metrics)
        limits = try LimitParts(settings.plans, redis: nil, logger: logger, metrics: metrics)
        guard let ledger = stores.ledger else { throw StartupProblem("TOLLGATE_ROLE: worker needs a database") }
        let readiness = WorkerReadiness(redis: redis?.client)
        self.readiness = readiness
        billing = try BillingParts(
            BillingParts.World(
                settings: settings, ledger: ledger, plans: limits.plans, prices: limits.prices,
                egress: try EgressRules(allowing: authentication.egressAllow), clock: clock, random: random,
                logger: logger, metrics: metrics, queue: redis.map { RedisUsageQueue($0.client) },
                ended: { readiness.ended($0, $1) }))
        try await billing.workers.start()
        ProcessMetrics.register(in: metrics, startedAt: clock.now())
        Gauge(label: "tollgate_devnet", factory: metrics).record(0)
    }

    /// Works until the process is told to stop, or a service fails.
    func run() async throws {
        typealias Entry = ServiceGroupConfiguration.ServiceConfiguration
        let services = (redis.map { [$0.connection] } ?? []) + limits.services + billing.services
        // The group stops them from the last to the first: probes are answered as long as anything works.
        var entries = [Entry(service: probes)]
        entries += services.map { Entry(service: $0, successTerminationBehavior: .ignore) }
        let (readiness, logger) = (readiness, logger)
        let drain = DrainNotice {
            logger.notice("draining")
            readiness.drain()
        }
        entries.append(Entry(service: drain, successTerminationBehavior: .ignore))
        var configuration = ServiceGroupConfiguration(
            services: entries, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        configuration.maximumGracefulShutdownDuration = settings.grace + .seconds(10)
        try await ServiceGroup(configuration: configuration).run()
        try await stores.close()
    }

    private var probes: any Service {
        let (address, readiness, logger) = (settings.listeners.probes, readiness, logger)
        let answers = StartupProbes(readiness: readiness, metrics: metrics, isStarting: false, clock: clock)
        return answers.listener(.init(host: address.host, port: address.port), logger: logger) { port in
            logger.notice(
                "listening",
                metadata: [
                    "listener": "probes", LogKeys.address: "http://\(address.host):\(port ?? address.port)",
                ])
            readiness.listening()
        }
    }
}

/// The first thing to happen when the process is told to stop.
private struct DrainNotice: Service {
    let begins: @Sendable () -> Void

    func run() async throws {
        try await gracefulShutdown()
        begins()
    }
}
