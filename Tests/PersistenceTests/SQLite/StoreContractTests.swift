// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Authorization
internal import Essentials
internal import Persistence
internal import TestSupport
internal import Testing

/// The store in a file, and the stores in memory that tests use in its place, do what every store must do.
@Suite struct StoreContractTests {
    @Test(arguments: StoreContract.behaviours)
    func sqliteKeepsTheContract(_ behaviour: StoreContract.Behaviour) async throws {
        try await StoreContract.check(behaviour, on: SQLiteHost())
    }

    @Test(arguments: StoreContract.behaviours)
    func sqliteInMemoryKeepsTheContract(_ behaviour: StoreContract.Behaviour) async throws {
        try await StoreContract.check(behaviour, on: SQLiteMemoryHost())
    }

    @Test(arguments: StoreContract.records)
    func memoryKeepsTheContract(_ behaviour: StoreContract.Behaviour) async throws {
        try await StoreContract.check(behaviour, on: MemoryHost())
    }
}

/// One file, which only one process may open: all replicas are the same stores.
struct SQLiteHost: StoreHost {
    func withStores(
        replicas: Int, clock: ManualClock, _ body: @Sendable ([StoreSet]) async throws -> Void
    ) async throws {
        let directory = try TemporaryDirectory()
        let store = try SQLiteStore(path: directory.path("store.sqlite"), clock: clock)
        let stores = StoreSet(
            tokens: store, keys: SQLiteAPIKeyStore(store), projects: store, idempotency: store, statuses: store,
            healing: store)
        try await body(Array(repeating: stores, count: replicas))
        try store.close()
    }
}

/// A database in memory, as a development server has it.
struct SQLiteMemoryHost: StoreHost {
    func withStores(
        replicas: Int, clock: ManualClock, _ body: @Sendable ([StoreSet]) async throws -> Void
    ) async throws {
        let store = try SQLiteStore(inMemory: clock)
        let stores = StoreSet(
            tokens: store, keys: SQLiteAPIKeyStore(store), projects: store, idempotency: store, statuses: store,
            healing: store)
        try await body(Array(repeating: stores, count: replicas))
        try store.close()
    }
}

/// What ends with the process.
struct MemoryHost: StoreHost {
    func withStores(
        replicas: Int, clock: ManualClock, _ body: @Sendable ([StoreSet]) async throws -> Void
    ) async throws {
        let stores = StoreSet(
            tokens: InMemoryTokenStore(), keys: InMemoryAPIKeyStore(), projects: InMemoryProjectStore())
        try await body(Array(repeating: stores, count: replicas))
    }
}
