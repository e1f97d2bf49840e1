// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Persistence
internal import TestSupport
internal import Testing

extension StoresInPostgreSQL {
    /// The stores in PostgreSQL do what every store must do, as the role that the server works as and with row-level security.
    @Suite struct ContractTests {
        @Test(arguments: StoreContract.behaviours)
        func keepsTheContract(_ behaviour: StoreContract.Behaviour) async throws {
            try await StoreContract.check(behaviour, on: PostgreSQLHost())
        }

        /// Without the database's own policies every statement still stays in its tenant.
        @Test(arguments: StoreContract.records)
        func keepsTheContractWithoutPolicies(_ behaviour: StoreContract.Behaviour) async throws {
            try await StoreContract.check(behaviour, on: PostgreSQLHost(hasRowSecurity: false))
        }
    }
}

/// A database of its own for each test, in the server that all tests share; each replica has connections of its own.
struct PostgreSQLHost: StoreHost {
    var hasRowSecurity = true

    func withStores(
        replicas: Int, clock: ManualClock, _ body: @Sendable ([StoreSet]) async throws -> Void
    ) async throws {
        let database = try await PostgreSQLServer.shared().makeDatabase()
        try await DatabaseSupport.migrate(database, installsRowSecurity: hasRowSecurity)
        try await withPools(replicas, database, []) { pools in
            try await body(
                pools.enumerated().map { number, pool in
                    let stores = PostgreSQLStores(pool, clock: clock, random: SeededRandom(seed: UInt64(number)))
                    return StoreSet(
                        tokens: stores.serviceTokens, keys: stores.apiKeys, projects: stores.projects,
                        idempotency: stores.idempotency, statuses: stores.statuses,
                        healing: PostgreSQLHealingStore(pool))
                })
        }
    }

    private func withPools(
        _ count: Int, _ database: TestDatabase, _ pools: [PostgreSQLDatabase],
        _ body: @Sendable ([PostgreSQLDatabase]) async throws -> Void
    ) async throws {
        guard pools.count < count else { return try await body(pools) }
        try await DatabaseSupport.withPool(
            database.url, change: { $0.isRowSecurityEnabled = hasRowSecurity }
        ) { pool in
            try await withPools(count, database, pools + [pool], body)
        }
    }
}
