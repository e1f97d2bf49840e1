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
        for index in 0..<20 { try await store.write([.insert(ServiceTokenStoreTests.record("t\(index)"))]) }
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
        try await store.write([.insert(ServiceTokenStoreTests.record("a"))])
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
                group.addTask { try await store.write([.insert(ServiceTokenStoreTests.record("t\(index)"))]) }
            }
            try await group.waitForAll()
        }
        print("sqlite: \(count) durable writes in \(watch.nanoseconds / 1000) us")
        #expect(try await store.loadServiceTokens().count == count)
    }

    // MARK: - Idempotency

    @Test func answersTheSameAgain() async throws {
        let store = try open()
        let answer = StoredAnswer(status: 201, body: Array(#"{"secret":null}"#.utf8))
        #expect(try await store.begin(key: "k", caller: "c", digest: "d") == .new)
        try await store.finish(key: "k", caller: "c", digest: "d", answer: answer)
        #expect(try await store.begin(key: "k", caller: "c", digest: "d") == .answered(answer))
        #expect(try await store.begin(key: "k", caller: "c", digest: "other") == .mismatch)
        #expect(try await store.begin(key: "k", caller: "somebody", digest: "other") == .new)
        try store.close()
        let again = try open()
        #expect(try await again.begin(key: "k", caller: "c", digest: "d") == .answered(answer))
        clock.advance(seconds: 86_400)
        #expect(try await again.begin(key: "k", caller: "c", digest: "other") == .new)
    }

    @Test func letsOneRunAtATime() async throws {
        let store = try open()
        #expect(try await store.begin(key: "k", caller: "c", digest: "d") == .new)
        let refusal = await #expect(throws: Refusal.self) {
            _ = try await store.begin(key: "k", caller: "c", digest: "d")
        }
        #expect(refusal?.retryAfterSeconds == 1)
        await store.abandon(key: "k", caller: "c")
        #expect(try await store.begin(key: "k", caller: "c", digest: "d") == .new)
        clock.advance(seconds: 60)
        #expect(try await store.begin(key: "k", caller: "c", digest: "d") == .new)
        try store.close()
        #expect(try await open().begin(key: "k", caller: "c", digest: "d") == .new)
    }

    @Test func abandoningKeepsAnswers() async throws {
        let store = try open()
        let answer = StoredAnswer(status: 204, body: [])
        try await store.finish(key: "k", caller: "c", digest: "d", answer: answer)
        await store.abandon(key: "k", caller: "c")
        #expect(try await store.begin(key: "k", caller: "c", digest: "d") == .answered(answer))
    }

    // MARK: - Statuses

    @Test func keepsStatuses() async throws {
        let store = try open()
        var record = ObjectStatusRecord(kind: "AuthConfig", namespace: "a", name: "n", status: ["generation": 1])
        try await store.saveStatus(record)
        record.status = ["generation": 2]
        try await store.saveStatus(record)
        #expect(try await store.loadStatuses() == [record])
        try await store.removeStatus(kind: "AuthConfig", namespace: "a", name: "n")
        #expect(try await store.loadStatuses().isEmpty)
    }
}
