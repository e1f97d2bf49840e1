// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Authorization
internal import Billing
internal import Essentials
internal import Logging
internal import Persistence

/// What a server keeps for good, whichever database it is in.
struct StoreSet: Sendable {
    var tokens: any ServiceTokenStore
    var keys: any APIKeyStore
    /// Nil where they are another's: in a sidecar.
    var projects: (any ProjectStore)?
    var idempotency: any IdempotencyStore
    var statuses: any ObjectStatusStore
    /// The trail in the database that replicas share; nil where there is none.
    var audit: SharedAudit?
    /// Books and notices of healing; nil in a sidecar.
    var healing: (any HealingStore)?
    /// Accounts and their ledger; nil in a sidecar.
    var ledger: (any BillingLedger)?
    /// What there is beside where several replicas use it; nil where this process is the only one.
    var shared: SharedStore?
    /// Whether service tokens are among what is shared: they may have a place of their own.
    var sharesTokens: Bool { shared?.hasTokens ?? false }
    /// Closes everything. Nothing may be asked of it afterwards.
    var close: @Sendable () async throws -> Void
}

/// How replicas over one database hear of each other.
struct SharedStore: Sendable {
    var feed: any ChangeFeed
    /// What wakes readers of the feed up.
    var signals: [any ChangeSignal]
    var policies: any PolicyDocumentStore
    var hasTokens = true
    /// Has the body called after each change that was committed here.
    var observe: @Sendable (@escaping @Sendable () -> Void) -> Void
}

extension StoreSet {
    /// Everything in memory: nothing survives the end of the process.
    static func memory(clock: any WallClock) throws -> StoreSet {
        let store = try SQLiteStore(inMemory: clock)
        return StoreSet(
            tokens: store, keys: SQLiteAPIKeyStore(store), projects: store, idempotency: store, statuses: store,
            audit: nil, healing: store, ledger: SQLiteBillingLedger(store), shared: nil, close: { try store.close() })
    }

    /// Everything in the SQLite file of the data directory, for the process that holds it, or one of each role.
    static func embedded(
        _ settings: TollgateSettings, _ authentication: AuthenticationSettings, clock: any WallClock, logger: Logger
    ) throws -> StoreSet {
        let answers = settings.process.role != .worker
        let store = try SQLiteStore(path: settings.embeddedStorePath, answers: answers, clock: clock)
        // A worker asks no credential of anybody.
        let tokens = answers ? try ownTokens(authentication, hasDatabase: false, clock: clock, logger: logger) : nil
        return StoreSet(
            tokens: tokens ?? store, keys: SQLiteAPIKeyStore(store), projects: store, idempotency: store,
            statuses: store, audit: nil, healing: store, ledger: SQLiteBillingLedger(store), shared: nil,
            close: { try store.close() })
    }

    /// The place of service tokens where they have one of their own.
    ///
    /// - Parameter hasDatabase: whether everything else is in a database that replicas share.
    static func ownTokens(
        _ authentication: AuthenticationSettings, hasDatabase: Bool, clock: any WallClock, logger: Logger
    ) throws -> (any ServiceTokenStore)? {
        switch authentication.tokenBackend {
        case .postgres:
            guard hasDatabase else {
                throw StartupProblem(
                    "TOLLGATE_AUTH_SERVICE_TOKEN_BACKEND: postgres needs TOLLGATE_DATABASE_URL; set it, or use sqlite or inmemory"
                )
            }
            return nil
        case .inmemory:
            logger.warning("service tokens are kept in memory and lost at the end of the process")
            return InMemoryTokenStore()
        case .sqlite where hasDatabase && authentication.tokenDatabasePath == nil:
            throw StartupProblem(
                "TOLLGATE_AUTH_SERVICE_TOKEN_BACKEND: sqlite beside TOLLGATE_DATABASE_URL needs TOLLGATE_AUTH_SERVICE_TOKEN_DB_PATH; set it, or use postgres"
            )
        case .sqlite, nil:
            guard let path = authentication.tokenDatabasePath else { return nil }
            if hasDatabase {
                logger.warning("service tokens are kept in a file of this replica: no other replica knows them")
            }
            if let slash = path.lastIndex(of: "/") { try DurableFile.makeDirectory(String(path[..<slash])) }
            return try SQLiteStore(path: path, clock: clock)
        }
    }
}

extension TollgateSettings {
    /// The SQLite file of the data directory.
    ///
    /// A controller's beside an api's holds statuses of its own: both have a database that they share.
    var embeddedStorePath: String {
        process.role == .controller ? "\(dataDirectory)/tollgate.controller.sqlite" : "\(dataDirectory)/tollgate.sqlite"
    }
}
