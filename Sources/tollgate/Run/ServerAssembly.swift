// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Authentication
internal import Authorization
internal import Connectors
internal import Essentials
internal import HTTPService
internal import Logging
internal import Pipeline
internal import Reconcilers
internal import ResourceModel
internal import RuntimeState
internal import SelfManagement
internal import ServiceLifecycle
internal import UnixSignals

/// The composition root: makes every part of a server and joins them.
struct ServerAssembly {
    private let settings: TollgateSettings
    private let logger: Logger
    private let stores: StoreSet
    private let audit: AuditLog
    private let books: StoredBooks
    private let keys: APIKeyParts
    private let keySets: RemoteKeySets
    private let policy: PolicyParts
    private let control: any ControlSide
    private let limits: LimitParts
    private let redis: RedisParts?
    private let sharing: [ClosureService]
    private let sessions: SessionParts?
    private let reviews: ReviewParts?
    private let readiness: Readiness
    private let engine: OPAClient?
    /// Nil in a sidecar.
    private let healing: HealingParts?
    /// Nil in a sidecar.
    private let billing: BillingParts?
    private let metrics: PrometheusRegistry
    private var dependencies: HTTPDependencies
    /// Answers sidecars; nil in one.
    private let desk: SnapshotDesk?
    private let live: LiveParts
    /// Accounts that a development server begins with; else none.
    private let demo: [DevnetAccount]

    init(
        _ settings: TollgateSettings, source: ObjectSource, demo: [DevnetAccount] = [], logger: Logger
    ) async throws {
        self.settings = settings
        self.demo = demo
        self.logger = logger
        let clock = SystemWallClock()
        let random = SystemRandomSource()
        let metrics = PrometheusRegistry()
        self.metrics = metrics
        let authentication = try settings.authenticationSettings()
        for warning in authentication.warnings {
            logger.warning(
                "setting", metadata: [LogKeys.setting: "\(warning.setting)", LogKeys.reason: "\(warning.message)"])
        }

        let link = settings.sidecar.map { UpstreamLink($0, clock: clock, logger: logger, metrics: metrics) }
        stores = try await Self.openStores(
            settings, authentication, source: source, link: link, clock: clock, random: random, logger: logger,
            metrics: metrics)
        audit = try Self.openAudit(
            settings, shared: stores.audit, link: link, clock: clock, random: random, logger: logger, metrics: metrics)
        let table = ServiceTokenTable(heardAt: clock.now())
        let registry = ServiceTokenRegistry(
            table: table, store: stores.tokens, clock: clock, random: random, logger: logger,
            isShared: stores.sharesTokens)

        keySets = RemoteKeySets(
            fetcher: HTTPKeySetFetcher(
                client: try GuardedHTTPClient(egress: EgressRules(allowing: authentication.egressAllow)), clock: clock),
            settings: authentication.keySets, clock: clock, random: random, logger: logger, metricsFactory: metrics)
        let snapshots = SnapshotStore(metricsFactory: metrics)
        redis = try RedisParts(
            settings.redis, limits: authentication.limits, clock: clock, random: random, logger: logger,
            metrics: metrics)
        live = LiveParts(
            settings.audit, audit: audit, shared: stores.audit, redis: redis, clock: clock, logger: logger,
            metrics: metrics)
        try await live.start()
        limits = try LimitParts(settings.plans, redis: redis?.client, logger: logger, metrics: metrics)
        billing = try stores.ledger.map { [limits, redis] ledger in
            try BillingParts(
                BillingParts.World(
                    settings: settings, ledger: ledger, plans: limits.plans, prices: limits.prices,
                    egress: try EgressRules(allowing: authentication.egressAllow), clock: clock, random: random,
                    logger: logger, metrics: metrics, queue: redis.map { RedisUsageQueue($0.client) }))
        }
        if settings.process.isDevnet {
            try await Self.seed(
                demo, settings: settings, stores: stores, limits: limits, clock: clock, logger: logger)
        }
        try await billing?.workers.start()
        keys = APIKeyParts(
            stores: stores, snapshots: snapshots, plans: limits.plans, upgradeURL: settings.plans.upgradeURL,
            prefixes: authentication.prefixes, clock: clock, random: random, logger: logger)
        books = StoredBooks(
            stores, tokens: registry, keys: keys.registry,
            projects: stores.projects.map {
                Self.projects($0, snapshots: snapshots, clock: clock, random: random, logger: logger)
            },
            policy: stores.shared.map { SharedPolicySource(over: Self.policyBase(settings), store: $0.policies) },
            redis: redis, clock: clock, logger: logger, metrics: metrics)
        try await books.load()
        let origin = try await ObjectOrigin(
            source, link: link, settings: settings, store: stores.statuses, clock: clock, random: random,
            logger: logger, metrics: metrics)
        policy = try Self.policyData(
            settings, origin: origin, shared: books.policy, snapshots: snapshots, clock: clock, logger: logger,
            metrics: metrics)
        policy.record(in: audit, logger: logger)
        let limiter = FailureLimiter(authentication.limits, sharing: redis?.failures)
        sharing = redis?.services(limiter) ?? []
        let authenticationMetrics = AuthenticationMetrics(factory: metrics)
        reviews = ReviewParts(origin, clock: clock, metrics: authenticationMetrics, logger: logger)
        if authentication.tokenReview != nil, reviews == nil { Self.warnOfTokenReview(logger) }
        let authenticator = Authenticator(
            admin: try await Self.adminCredential(
                authentication, settings: settings, origin: origin, random: random),
            bootstrap: authentication.bootstrap.map { [policy] in
                BootstrapCredential($0, adminPermissions: policy.keeper.state.policy.roles.adminPermissions)
            },
            tokens: table, keys: keys.table, jwt: JWTVerifier(remoteKeys: keySets), limiter: limiter,
            prefixes: authentication.prefixes, reviews: reviews?.reviews,
            anyGlobalCredential: authentication.configuresIssuers, metrics: authenticationMetrics, logger: logger)

        // Nobody signs in at a sidecar.
        sessions =
            link != nil
            ? nil
            : try SessionParts(
                keys: await origin.sessionKeys(settings, random: random), redis: redis?.client,
                clock: clock, random: random, logger: logger, metrics: metrics)
        healing = try stores.healing.map { [stores, audit] store in
            try HealingParts(
                HealingParts.World(
                    settings: settings, authentication: authentication, store: store,
                    idempotency: stores.idempotency, origin: origin, isShared: stores.shared != nil, audit: audit,
                    clock: clock, random: random, logger: logger, metrics: metrics))
        }
        control = try await origin.control(
            ControlParts(
                settings: settings, authentication: authentication, store: stores.statuses, registry: registry,
                keys: keys, keySets: keySets, reviewsTokens: reviews != nil, snapshots: snapshots, plans: limits.plans,
                accounts: billing?.accounts, policy: policy, audit: audit, notices: healing?.notices, clock: clock,
                random: random, logger: logger),
            metrics: metrics)

        engine = Self.policyEngine(settings, clock: clock, logger: logger, metrics: metrics)
        readiness = Readiness(
            snapshots: snapshots,
            stores: { [books, healing, sessions] now in
                books.checks(now) + (sessions?.checks() ?? []) + (healing?.checks() ?? [])
            }, audit: audit,
            keySets: keySets, engine: engine,
            maxSnapshotAge: settings.maxSnapshotAge,
            mode: (authentication.mode, settings.effectiveMode(authentication)), policy: policy.readiness,
            redis: redis, control: control, clock: clock)
        let pipeline = RequestPipeline(
            snapshots: snapshots, authenticator: authenticator, sessions: sessions?.keeper, audit: audit,
            stages: limits.stages(billing?.entitlements),
            observers: [APIKeyUsageObserver(keys: keys.table)],
            engine: engine.map(SidecarEngine.init),
            settings: PipelineSettings(
                timeout: settings.decisions.timeout, maxInFlight: settings.decisions.maxInFlight),
            clock: clock, logger: logger, metricsFactory: metrics)
        dependencies = HTTPDependencies(
            decider: pipeline, audit: audit, tokens: registry, auditTrail: audit, resources: control.catalog,
            idempotency: stores.idempotency,
            addresses: ClientAddressResolver(trusted: settings.listeners.trustedProxies),
            authBlocks: FailureLimiterBlocks(limiter: limiter, clock: clock), readiness: readiness, metrics: metrics,
            modules: [], leader: control.leader, clock: clock,
            logger: logger)
        desk =
            link != nil
            ? nil
            : Self.desk(
                snapshots: snapshots, registry: registry, keys: keys, authenticator: authenticator,
                prefixes: authentication.prefixes, clock: clock, metrics: metrics)
        if let sessions {
            dependencies.modules += [
                SessionRoutes(sessions: sessions.keeper),
                ConsoleRoutes(
                    ConsoleSettings(
                        dashboardURL: settings.console.dashboardURL?.description, version: ProductVersion.text)),
            ]
        }
        if let desk, let projects = books.projects {
            dependencies.modules += [
                ProjectRoutes(registry: projects, audit: audit), keys.routes(auditTrail: audit),
                PolicyRoutes(service: policy.keeper) { [policy, engine] in policy.report(on: engine) },
                SnapshotRoutes(desk: desk, decider: pipeline),
                SidecarRecordsRoutes(audit: audit, tokens: table, keys: keys.table, clock: clock),
                ClusterRoutes(
                    service: control.cluster
                        ?? NoCluster { body throws(Refusal) in _ = try ScaleRequest(body) }),
                StreamRoutes(
                    StreamParts(
                        hub: live.hub, decider: pipeline, audit: audit, clock: clock, time: SystemMonotonicClock(),
                        logger: logger)),
            ]
        }
        if let billing { dependencies.modules.append(billing.module) }
        if let healing {
            dependencies.webhook = healing.webhook
            dependencies.modules += healing.modules
        }
        ProcessMetrics.register(in: metrics, startedAt: clock.now())
        ScrapeGauges.register(
            on: metrics, snapshots: snapshots, objects: control.catalog, keySets: keySets, clock: clock,
            mode: (authentication.mode, settings.effectiveMode(authentication)),
            roleCheckEnabled: settings.policy.roleCheckEnabled, isDevnet: settings.process.isDevnet)
    }

    /// Serves until the process is told to stop, or a service fails.
    func run() async throws {
        let listeners = try makeListeners()
        await billing?.readAccounts()
        await control.start()
        if settings.process.isDevnet {
            try await Self.showDemoKeys(
                demo, keys: keys.registry, listen: settings.listeners.api, isTLS: settings.listeners.tls != nil)
        }
        try await recordStart()
        let readiness = readiness
        let logger = logger
        let services: [any Service] =
            [Self.serving("audit") { [audit] in await audit.run() }]
            + credentialKeepers + [
                Self.serving("store changes") { [books] in await books.follower?.run() },
                Self.serving("snapshot polls") { [desk] in await desk?.run() },
                Self.serving("key sets") { [keySets] in await keySets.run() },
                Self.serving("policy data") { [policy] in await policy.run() },
                Self.serving("policy engine") { [engine] in await engine?.watch() },
                Self.serving("first keys") { [keySets] in
                    await keySets.waitForFirstSets(atMost: .seconds(10))
                    readiness.keysSettled()
                },
            ] + live.services + control.services + (healing?.services ?? []) + (billing?.services ?? [])
            + limits.services + sharing + (sessions?.services ?? []) + (reviews?.services ?? [])
        typealias Entry = ServiceGroupConfiguration.ServiceConfiguration
        // The group stops them from the last to the first.
        var entries = services.map { Entry(service: $0, successTerminationBehavior: .ignore) }
        entries += listeners.services.map { Entry(service: $0) }
        entries += try listening(listeners).map { Entry(service: $0) }
        let drain = Drain(
            readiness: readiness, audit: audit, delay: settings.drainDelay, desk: desk, live: live.hub, logger: logger)
        entries.append(Entry(service: drain, successTerminationBehavior: .ignore))
        var configuration = ServiceGroupConfiguration(
            services: entries, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        configuration.maximumGracefulShutdownDuration = settings.drainDelay + settings.grace + .seconds(10)
        try await withThrowingTaskGroup(of: Void.self) { [configuration, control, audit] group in
            group.addTask { await control.hold() }
            try await ServiceGroup(configuration: configuration).run()
            await audit.close()
            // Last of all: another replica may act from here on.
            control.release()
        }
        try await stores.close()
    }

    /// What keeps stored credentials together with their store.
    private var credentialKeepers: [ClosureService] {
        guard !control.keepsCredentials else { return [] }
        return [
            Self.serving("tokens") { [registry = books.tokens, metrics, audit, logger] in
                await ServiceTokenKeeper(registry: registry, metricsFactory: metrics) { uses in
                    await TokenUseRecorder(audit: audit, logger: logger).record(uses)
                }.run()
            },
            Self.serving("API keys") { [keys, metrics, audit, logger] in
                await keys.keep(audit: audit, metrics: metrics, logger: logger)
            },
        ]
    }

    private func makeListeners() throws -> HTTPListeners {
        do {
            return try HTTPListeners(settings: settings.httpSettings, dependencies: dependencies)
        } catch {
            throw StartupProblem("TOLLGATE_TLS_CERT_FILE and TOLLGATE_TLS_KEY_FILE: the pair cannot be used: \(error)")
        }
    }

    /// The listeners, probes first: they stop last.
    private func listening(_ listeners: HTTPListeners) throws -> [any Service] {
        let logger = logger
        let scheme = settings.listeners.tls == nil ? "http" : "https"
        func announce(_ name: String, _ address: ListenAddress, _ scheme: String) -> @Sendable (Int?) async -> Void {
            { port in
                logger.notice(
                    "listening",
                    metadata: [
                        "listener": "\(name)", LogKeys.address: "\(scheme)://\(address.host):\(port ?? address.port)",
                    ])
            }
        }
        let readiness = readiness
        var services: [any Service] = []
        if let probes = try listeners.probes(onRunning: announce("probes", settings.listeners.probes, "http")) {
            services.append(probes)
        }
        if let own = settings.listeners.decisions, settings.process.role.decides,
            let decisions = try listeners.decisions(onRunning: announce("decisions", own, scheme))
        {
            services.append(decisions)
        }
        if let own = settings.listeners.grpc, settings.process.role.decides {
            services.append(
                try Self.grpcListener(
                    own, settings: settings, http: listeners, dependencies: dependencies, readiness: readiness,
                    onRunning: announce("grpc", own.address, scheme)))
        }
        let tell = announce("api", settings.listeners.api, scheme)
        let api = try listeners.api { port in
            await tell(port)
            readiness.listening()
        }
        services.append(api)
        return services
    }

    private func recordStart() async throws {
        do {
            try await audit.record(
                AuditDraft(
                    actor: "system", action: "system.start", resource: "tollgate", outcome: .success,
                    metadata: [
                        "version": .string(ProductVersion.text),
                        "unsafe": .strings(settings.notes.filter { $0.kind == .unsafe }.map(\.setting)),
                    ]))
        } catch {
            throw StartupProblem("the audit trail cannot be written: \(error.message). Check TOLLGATE_AUDIT_PATH.")
        }
    }

    /// A service whose work ends when the group shuts down.
    private static func serving(_ name: String, _ work: @escaping @Sendable () async throws -> Void) -> ClosureService {
        ClosureService(name: name, work: work)
    }
}
