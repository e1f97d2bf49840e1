// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import HTTPService
internal import Logging
internal import Metrics
internal import Persistence

extension StoreSet {
    /// Everything in a PostgreSQL database, which other replicas use as well.
    ///
    /// - Parameter ownFiles: where statuses of objects in files are kept: they tell of texts that this process alone has written. Nil where an
    ///   API server keeps them.
    static func shared(
        _ database: PostgreSQLDatabase, _ authentication: AuthenticationSettings, ownFiles: String?,
        clock: any WallClock, random: any RandomSource, logger: Logger, metrics: PrometheusRegistry
    ) async throws -> StoreSet {
        let unreadable = Counter(label: "tollgate_store_unreadable_total", factory: metrics)
        let stores = PostgreSQLStores(
            database, random: random,
            unreadable: { error in
                unreadable.increment()
                logger.error(
                    "what the store has cannot be read: it is out of force", metadata: [LogKeys.error: "\(error)"])
            })
        let embedded = try ownFiles.map { try SQLiteStore(path: $0, clock: clock) }
        let statuses: any ObjectStatusStore = if let embedded { embedded } else { stores.statuses }
        let own = try ownTokens(authentication, hasDatabase: true, clock: clock, logger: logger)
        return StoreSet(
            tokens: own ?? stores.serviceTokens, keys: stores.apiKeys, projects: stores.projects,
            idempotency: stores.idempotency, statuses: statuses,
            audit: try await SharedAudit(database, random: random, logger: logger),
            healing: PostgreSQLHealingStore(database), ledger: PostgreSQLBillingLedger(database),
            shared: SharedStore(
                feed: PostgreSQLChangeFeed(database),
                signals: [PostgreSQLChangeSignal(PostgreSQLListener(database.settings, logger: logger))],
                policies: PostgreSQLPolicyDocumentStore(database), hasTokens: own == nil,
                observe: { database.observeAnnouncements($0) }),
            close: {
                await database.shutdown()
                try embedded?.close()
            })
    }
}
