// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import Foundation
internal import GRDB
internal import Persistence
internal import TestSupport
internal import Testing

@Suite struct SQLiteStoreTests {
    private let directory: TemporaryDirectory
    private let clock = ManualClock()

    init() throws { directory = try TemporaryDirectory() }

    private func open(_ name: String = "store.sqlite") throws -> SQLiteStore {
        try SQLiteStore(path: directory.path(name), clock: clock)
    }

    @Test func survivesPowerCuts() async throws {
        let store = try open()
        let durability = try await store.durability()
        #expect(durability.journalMode == "wal")
        #expect(durability.synchronous == 2)
    }

    @Test func isForTheOwnerOnly() throws {
        _ = try open("below/here/store.sqlite")
        let manager = FileManager.default
        for (name, mode) in [("below/here/store.sqlite", 0o600), ("below/here", 0o700)] {
            let attributes = try manager.attributesOfItem(atPath: directory.path(name))
            #expect(attributes[.posixPermissions] as? Int == mode, "\(name)")
        }
    }

    /// The files as a killed process leaves them hold everything that was acknowledged.
    @Test func survivesAKill() async throws {
        let store = try open()
        for index in 0..<20 { try await store.write([.insert(StoreRecords.token("t\(index)"))]) }
        for ending in ["", "-wal"] {
            try FileManager.default.copyItem(
                atPath: directory.path("store.sqlite\(ending)"), toPath: directory.path("killed.sqlite\(ending)"))
        }
        let again = try open("killed.sqlite")
        #expect(try await again.loadServiceTokens().count == 20)
    }

    @Test func refusesANewerSchema() async throws {
        try open().close()
        let queue = try DatabaseQueue(path: directory.path("store.sqlite"))
        try await queue.write { db in try db.execute(sql: "PRAGMA user_version = 999") }
        try queue.close()
        let error = #expect(throws: SQLiteStoreError.self) { _ = try open() }
        #expect(error?.code == .schemaTooNew)
    }

    @Test func refusesTheDatabaseOfAnother() async throws {
        let queue = try DatabaseQueue(path: directory.path("store.sqlite"))
        try await queue.write { db in try db.execute(sql: "CREATE TABLE t (a)") }
        try queue.close()
        let error = #expect(throws: SQLiteStoreError.self) { _ = try open() }
        #expect(error?.code == .foreignDatabase)
    }

    @Test func refusesWhatIsNoDatabase() throws {
        try Data(repeating: 0x41, count: 8192).write(to: directory.url.appending(path: "store.sqlite"))
        let error = #expect(throws: SQLiteStoreError.self) { _ = try open() }
        #expect(error?.code == .cannotOpen)
    }

    @Test func refusesARecordItCannotRead() async throws {
        let store = try open()
        try await store.write([.insert(StoreRecords.token("a"))])
        try store.close()
        let queue = try DatabaseQueue(path: directory.path("store.sqlite"))
        try await queue.write { db in
            try db.execute(
                sql: "UPDATE service_tokens SET record = replace(record, '\"expires_at\":null', '\"expires_at\":\"x\"')"
            )
        }
        try queue.close()
        let again = try open()
        let error = await #expect(throws: ServiceTokenStoreError.self) { _ = try await again.loadServiceTokens() }
        #expect(error?.code == .corrupt)
    }

    @Test func doesNotWaitForEachWriteAlone() async throws {
        let store = try open()
        let count = 500
        let watch = Stopwatch()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<count {
                group.addTask { try await store.write([.insert(StoreRecords.token("t\(index)"))]) }
            }
            try await group.waitForAll()
        }
        print("sqlite: \(count) durable writes in \(watch.nanoseconds / 1000) us")
        #expect(try await store.loadServiceTokens().count == count)
    }

    /// Processes of two roles that are started together make the file together.
    @Test func isMadeOnceByManyAtOnce() async throws {
        let clock = clock
        for round in 0..<10 {
            let path = directory.path("fresh\(round).sqlite")
            let stores = try await withThrowingTaskGroup(of: SQLiteStore.self) { group in
                for _ in 0..<4 { group.addTask { try SQLiteStore(path: path, clock: clock) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            for (index, store) in stores.enumerated() {
                try await store.write([.insert(StoreRecords.token("t\(index)"))])
            }
            #expect(try await stores[0].loadServiceTokens().count == stores.count)
            for store in stores { try store.close() }
        }
    }

    @Test func forgetsEverythingInMemory() async throws {
        let store = try SQLiteStore(inMemory: clock)
        try await store.write([.insert(StoreRecords.token("t"))])
        #expect(try await store.loadServiceTokens().count == 1)
        #expect(try await SQLiteStore(inMemory: clock).loadServiceTokens().isEmpty)
    }

    // MARK: - Idempotency

    /// A worker that is started over the file of an api must not let its calls run twice.
    @Test func leavesReservationsToWhoAnswers() async throws {
        let store = try open()
        let caller = IdempotencyCaller(tenantID: nil, name: "c")
        #expect(try await store.begin(key: "k", caller: caller, digest: "d") == .new)
        let worker = try SQLiteStore(path: directory.path("store.sqlite"), answers: false, clock: clock)
        for each in [store, worker] {
            let refusal = await #expect(throws: Refusal.self) {
                try await each.begin(key: "k", caller: caller, digest: "d")
            }
            #expect(refusal?.code == .requestIdempotencyMismatch)
            #expect(refusal?.message == "The first request with this idempotency key is still running")
        }
        try await store.finish(key: "k", caller: caller, digest: "d", answer: StoredAnswer(status: 201, body: []))
        #expect(
            try await worker.begin(key: "k", caller: caller, digest: "d")
                == .answered(StoredAnswer(status: 201, body: [])))
    }

    @Test func answersTheSameAfterARestart() async throws {
        let store = try open()
        let caller = IdempotencyCaller(tenantID: nil, name: "c")
        let answer = StoredAnswer(status: 201, body: Array(#"{"secret":null}"#.utf8))
        try await store.finish(key: "k", caller: caller, digest: "d", answer: answer)
        #expect(try await store.begin(key: "l", caller: caller, digest: "d") == .new)
        try store.close()
        let again = try open()
        #expect(try await again.begin(key: "k", caller: caller, digest: "d") == .answered(answer))
        // A reservation that a dead process left is nobody's.
        #expect(try await again.begin(key: "l", caller: caller, digest: "d") == .new)
    }
}
