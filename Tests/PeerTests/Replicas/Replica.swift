// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Authorization
internal import Essentials
internal import Logging
internal import Metrics
internal import Persistence
internal import Synchronization
internal import TestSupport

/// What one replica holds of a real database, and its reader at work.
struct Replica: Sendable {
    let tokens: ServiceTokenRegistry
    let keys: APIKeyRegistry
    let keeper: APIKeyKeeper
    let projects: ProjectRegistry
    let follower: ChangeFollower
    let clock: ManualClock
    private let published: PublishedTable

    var shares: ShareTable { published.table }

    static let root = TokenCaller(
        principal: AdminCredential(token: Redacted("admin-secret-of-the-replicas"), isGenerated: false).principal,
        admin: true
    ) { _ in true }

    /// Runs `body` with that many replicas which follow the database, each with connections of its own.
    ///
    /// - Parameter url: the address for the replica of that number.
    static func with<Value>(
        _ count: Int, url: (Int) -> String, rhythm: ChangeFollowerStateMachine.Rhythm = .init(),
        _ body: ([Replica]) async throws -> Value
    ) async throws -> Value {
        try await with(count, url: url, rhythm: rhythm, [], body)
    }

    private static func with<Value>(
        _ count: Int, url: (Int) -> String, rhythm: ChangeFollowerStateMachine.Rhythm, _ replicas: [Replica],
        _ body: ([Replica]) async throws -> Value
    ) async throws -> Value {
        guard replicas.count < count else { return try await body(replicas) }
        return try await DatabaseSupport.withPool(url(replicas.count)) { pool in
            let replica = Replica(pool, number: replicas.count, rhythm: rhythm)
            try await replica.follower.start()
            return try await withThrowingTaskGroup(of: Void.self, returning: Value.self) { group in
                group.addTask { await replica.follower.run() }
                group.addTask { await replica.keeper.shareOwners() }
                defer { group.cancelAll() }
                return try await with(count, url: url, rhythm: rhythm, replicas + [replica], body)
            }
        }
    }

    private init(_ pool: PostgreSQLDatabase, number: Int, rhythm: ChangeFollowerStateMachine.Rhythm) {
        let clock = ManualClock()
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        let random = SystemRandomSource()
        let stores = PostgreSQLStores(pool, random: random)
        let tokens = ServiceTokenRegistry(
            table: ServiceTokenTable(heardAt: Timestamp(seconds: 0)), store: stores.serviceTokens, clock: clock,
            random: random, logger: logger, isShared: true)
        let keys = APIKeyRegistry(
            table: APIKeyTable(heardAt: Timestamp(seconds: 0)), store: stores.apiKeys, prefixes: TokenPrefixes(),
            rules: APIKeyRules(catalogue: { APIKeyCatalogue() }) { _, _ in
                APIKeyAllowance(plan: "pro", limit: nil) { _ in .null }
            }, clock: clock, random: random, logger: logger, isShared: true)
        let published = PublishedTable()
        projects = ProjectRegistry(
            store: stores.projects, clock: clock, random: random, publish: { published.put($0) }, report: { _ in })
        follower = ChangeFollower(
            ChangeFollower.Parts(
                feed: PostgreSQLChangeFeed(pool),
                signals: [PostgreSQLChangeSignal(PostgreSQLListener(pool.settings, logger: logger))],
                books: [tokens, keys, projects],
                heard: { now in
                    tokens.table.heard(at: now)
                    keys.table.heard(at: now)
                }), rhythm: rhythm, wall: clock, clock: SystemMonotonicClock(), logger: logger,
            metricsFactory: NOOPMetricsHandler.instance)
        keeper = APIKeyKeeper(registry: keys, metricsFactory: NOOPMetricsHandler.instance)
        self.tokens = tokens
        self.keys = keys
        self.clock = clock
        self.published = published
    }

    /// Whether the token is in force here.
    func isRevoked(_ identifier: String) -> Bool? {
        tokens.table.entry(identifier).map { $0.record.revokedAt != nil }
    }
}

/// The shares that a registry put in force last.
private final class PublishedTable: Sendable {
    private let state = Mutex(ShareTable.empty)
    var table: ShareTable { state.withLock(\.self) }
    func put(_ table: ShareTable) { state.withLock { $0 = table } }
}
