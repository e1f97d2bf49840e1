// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials
internal import Foundation
internal import GRDB
internal import Persistence
internal import Synchronization
internal import TestSupport
internal import Testing

/// Shares are what they were when the process begins again, however it ended.
@Suite struct ProjectRestartTests {
    private static let scope = ProjectScope(tenantID: "acme", subject: "olga")
    private static let key = ShareTable.Key(tenant: "acme", type: "agent", id: "m1", project: "apollo")

    private let directory: TemporaryDirectory
    private let clock = ManualClock()

    init() throws { directory = try TemporaryDirectory() }

    private func registry(_ store: SQLiteStore, _ table: LastTable) -> ProjectRegistry {
        ProjectRegistry(
            store: store, clock: clock, random: SeededRandom(seed: UInt64(table.seed)),
            publish: { table.put($0) }, report: { _ in })
    }

    private func open(_ name: String = "store.sqlite") throws -> SQLiteStore {
        try SQLiteStore(path: directory.path(name), clock: clock)
    }

    private func accepted(_ registry: ProjectRegistry) async throws -> String {
        for project in ["zeus", "apollo"] {
            _ = try await registry.createProject(id: project, name: project, scope: Self.scope)
        }
        let offer = ShareOffer(
            resourceType: "agent", resourceID: "m1", project: "apollo",
            terms: ShareTerms(permissions: .use, expiresAt: clock.now().adding(seconds: 100)))
        let share = try await registry.offer(offer, from: "zeus", scope: Self.scope).after
        _ = try await registry.apply(.accept, to: share.id, as: "apollo", scope: Self.scope)
        return share.id
    }

    @Test func areInForceAgainAfterARestart() async throws {
        let table = LastTable()
        var store = try open()
        let id = try await accepted(registry(store, table))
        let before = table.table.shares(Self.key)
        #expect(before.count == 1)
        try store.close()
        store = try open()
        let second = LastTable(seed: 2)
        let again = registry(store, second)
        try await again.load()
        #expect(second.table.shares(Self.key) == before)
        _ = try await again.apply(.revoke(reason: "over"), to: id, as: "apollo", scope: Self.scope)
        #expect(second.table.isEmpty)
        try store.close()
        store = try open()
        let third = LastTable(seed: 3)
        try await registry(store, third).load()
        #expect(third.table.isEmpty)
        try store.close()
    }

    @Test func whatRanOutMeanwhileIsNotInForce() async throws {
        let store = try open()
        _ = try await accepted(registry(store, LastTable()))
        clock.advance(seconds: 100)
        let table = LastTable(seed: 2)
        try await registry(store, table).load()
        #expect(table.table.isEmpty)
        try store.close()
    }

    /// The files as a process leaves them that is killed between the write and the publication.
    @Test func aKillBetweenWriteAndPublicationLosesNothing() async throws {
        let store = try open()
        let folder = directory.path("")
        let copies = Mutex(0)
        let dying = ProjectRegistry(
            store: store, clock: clock, random: SeededRandom(seed: 1),
            publish: { _ in
                let name = copies.withLock { count in
                    count += 1
                    return "killed\(count).sqlite"
                }
                for ending in ["", "-wal"] {
                    // A copy that is missing shows in the expectations below.
                    try? FileManager.default.copyItem(
                        atPath: "\(folder)/store.sqlite\(ending)", toPath: "\(folder)/\(name)\(ending)")
                }
            }, report: { _ in })
        let id = try await accepted(dying)
        _ = try await dying.apply(.revoke(reason: nil), to: id, as: "zeus", scope: Self.scope)
        #expect(copies.withLock { $0 } == 3)
        for (copy, state) in [(1, "pending"), (2, "accepted"), (3, "revoked")] {
            let killed = try open("killed\(copy).sqlite")
            let table = LastTable(seed: copy)
            let again = registry(killed, table)
            try await again.load()
            #expect(try await again.share(id, as: "zeus", scope: Self.scope).state.rawValue == state)
            #expect(table.table.shares(Self.key).count == (state == "accepted" ? 1 : 0))
            try killed.close()
        }
        try store.close()
    }

    @Test func refusesARecordItCannotRead() async throws {
        var store = try open()
        _ = try await accepted(registry(store, LastTable()))
        try store.close()
        let queue = try DatabaseQueue(path: directory.path("store.sqlite"))
        try await queue.write { db in try db.execute(sql: "UPDATE project_access SET expires_at = 'never'") }
        try queue.close()
        store = try open()
        let again = registry(store, LastTable())
        let error = await #expect(throws: ProjectStoreError.self) { try await again.load() }
        #expect(error?.code == .corrupt)
        #expect(error?.message.hasPrefix("expires_at of the share '") == true)
        try store.close()
    }
}

/// The table that was published last.
private final class LastTable: Sendable {
    let seed: Int
    private let state = Mutex(ShareTable.empty)

    init(seed: Int = 1) { self.seed = seed }

    var table: ShareTable { state.withLock { $0 } }

    func put(_ table: ShareTable) { state.withLock { $0 = table } }
}
