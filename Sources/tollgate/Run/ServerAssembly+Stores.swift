// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Authorization
internal import Connectors
internal import Essentials
internal import HTTPService
internal import Logging
internal import Metrics
internal import RuntimeState

extension ServerAssembly {
    /// The operator's in a sidecar, else the database that replicas share where one is named, else the file of the data directory.
    static func openStores(
        _ settings: TollgateSettings, _ authentication: AuthenticationSettings, source: ObjectSource,
        link: UpstreamLink?, clock: any WallClock, random: any RandomSource, logger: Logger, metrics: PrometheusRegistry
    ) async throws -> StoreSet {
        if let link { return try StoreSet.upstream(link, settings, clock: clock) }
        if settings.process.isDevnet { return try StoreSet.memory(clock: clock) }
        guard let server = settings.database.server else {
            return try StoreSet.embedded(settings, authentication, clock: clock, logger: logger)
        }
        let gate = DatabaseGate(
            settings: server, administrator: settings.database.administrator, probes: settings.httpSettings.probes,
            logger: logger, metrics: metrics)
        var ownFiles: String?
        if case .manifests = source, settings.process.role != .worker { ownFiles = settings.embeddedStorePath }
        return try await StoreSet.shared(
            try await gate.open(), authentication, ownFiles: ownFiles, clock: clock, random: random, logger: logger,
            metrics: metrics)
    }
}

/// What a replica holds in memory of its stores, and how it hears of what others change in them.
struct StoredBooks: Sendable {
    let tokens: ServiceTokenRegistry
    let keys: APIKeyRegistry
    /// Nil in a sidecar: shares come with its operator's document.
    let projects: ProjectRegistry?
    /// Roles that replicas share; nil where this process is the only one.
    let policy: SharedPolicySource?
    /// Nil where this process is the only one.
    let follower: ChangeFollower?

    init(
        _ stores: StoreSet, tokens: ServiceTokenRegistry, keys: APIKeyRegistry, projects: ProjectRegistry?,
        policy: SharedPolicySource?, redis: RedisParts?, clock: any WallClock, logger: Logger,
        metrics: PrometheusRegistry
    ) {
        self.tokens = tokens
        self.keys = keys
        self.projects = projects
        self.policy = policy
        guard let shared = stores.shared else {
            follower = nil
            return
        }
        // Roles first: a key is never in force under older roles than those that came with it.
        var books: [any FollowedBook] = policy.map { [$0] } ?? []
        if shared.hasTokens { books.append(tokens) }
        books.append(keys)
        if let projects { books.append(projects) }
        var signals = shared.signals
        if let redis {
            shared.observe { redis.changes.announce() }
            signals.append(redis.changes)
        }
        let follower = ChangeFollower(
            ChangeFollower.Parts(
                feed: shared.feed, signals: signals, books: books,
                heard: { now in
                    if shared.hasTokens { tokens.table.heard(at: now) }
                    keys.table.heard(at: now)
                }),
            wall: clock, clock: SystemMonotonicClock(), logger: logger, metricsFactory: metrics)
        self.follower = follower
        metrics.onScrape { follower.recordSilence() }
    }

    /// Reads everything once: what is stored is in force before the first request is decided. Where the database is shared and away, it
    /// waits for it.
    func load() async throws {
        if let follower {
            try await follower.start()
            if !tokens.isShared { try await tokens.load() }
            return
        }
        try await tokens.load()
        try await keys.load()
        do {
            try await projects?.load()
        } catch {
            throw StartupProblem("the shares between projects cannot be read: \(error). Check TOLLGATE_DATA_DIR.")
        }
    }

    /// Lines of `/readyz?verbose`. A store that is away closes what needs it and leaves everything else open, on every replica at once: so
    /// where it is shared, or the operator's, it is no reason not to be ready.
    func checks(_ now: Timestamp) -> [ReadinessCheck] {
        let isFresh = tokens.table.isFresh(at: now) && keys.table.isFresh(at: now)
        guard projects != nil else {
            return [
                ReadinessCheck(
                    name: "token_store", status: isFresh ? .ok : .degraded,
                    detail: isFresh ? "" : "credentials of the operator are refused: it has said nothing for too long")
            ]
        }
        guard let follower else {
            return [
                ReadinessCheck(
                    name: "token_store", status: isFresh ? .ok : .failed,
                    detail: isFresh ? "" : "the store has not answered for 60 s")
            ]
        }
        let status = follower.status
        let silence = status.heardAt.map { max(0, now.seconds - $0.seconds) } ?? 0
        let signals =
            status.signals.isEmpty ? "no signal is connected" : status.signals.sorted().joined(separator: ", ")
        var detail = "heard of \(silence) s ago; \(signals)"
        if let fault = status.fault { detail += "; \(fault.prefix(512))" }
        if !isFresh { detail = "credentials of the store are refused: " + detail }
        let isWell = isFresh && status.fault == nil && !status.signals.isEmpty
        return [ReadinessCheck(name: "token_store", status: isWell ? .ok : .degraded, detail: detail)]
    }
}
