// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import RuntimeState
internal import TestSupport
internal import Testing

@Suite struct SnapshotDeskTests {
    private struct Desk {
        let world: SidecarWorld
        let time = ManualMonotonicClock()
        let desk: SnapshotDesk

        init(room: SnapshotDesk.Room = .init()) throws {
            let world = try SidecarWorld()
            self.world = world
            desk = SnapshotDesk(
                .init(
                    snapshots: world.upstream.snapshots, tokens: world.upstream.registry.table,
                    keys: world.upstream.keys.table, prefixes: TokenPrefixes(), clock: world.upstream.clock
                ) { _ in true }, room: room, clock: time, metricsFactory: world.upstream.metrics)
        }

        /// The tag of what is in force.
        func tag(_ scope: SnapshotScope = .installation) async throws -> String {
            guard case .document(let document) = try await desk.answer(for: ["acme/shop"], scope: scope, tags: [])
            else {
                return ""
            }
            return document.entityTag
        }

        func running(_ body: @Sendable () async throws -> Void) async throws {
            try await withThrowingTaskGroup(of: Void.self) { [desk] group in
                group.addTask { await desk.run() }
                try await body()
                group.cancelAll()
            }
        }
    }

    private static func text(_ answer: SnapshotAnswer) -> String {
        switch answer {
        case .document: "document"
        case .unchanged(_, let isClosing): isClosing ? "closing" : "unchanged"
        }
    }

    @Test func answersAtOnceWhoHasSomethingElse() async throws {
        let desk = try Desk()
        for tags in [[], ["\"old\""]] as [Set<String>] {
            let answer = try await desk.desk.answer(for: ["acme/shop"], scope: .installation, tags: tags)
            #expect(Self.text(answer) == "document")
        }
        #expect(desk.time.asked.isEmpty)
    }

    /// What a thousand callers are answered who have that tag; `meanwhile` runs beside them.
    private static func answers(
        _ desk: Desk, tag: String, meanwhile: @escaping @Sendable () async throws -> Void = {}
    ) async throws -> [String: Int] {
        try await withThrowingTaskGroup(of: String?.self) { group in
            for _ in 0..<1000 {
                group.addTask {
                    text(try await desk.desk.answer(for: ["acme/shop"], scope: .tenant("acme"), tags: [tag]))
                }
            }
            group.addTask {
                try await meanwhile()
                return nil
            }
            var counts: [String: Int] = [:]
            for try await answer in group { if let answer { counts[answer, default: 0] += 1 } }
            return counts
        }
    }

    @Test func wakesAThousandWaitersOnceAndOnlyForNews() async throws {
        let desk = try Desk()
        let tag = try await desk.tag()
        try await desk.running {
            // The tenant's document is another one than the installation's: the first answer comes at once.
            #expect(try await Self.answers(desk, tag: tag) == ["document": 1000])
            let own = try await desk.tag(.tenant("acme"))
            let counts = try await Self.answers(desk, tag: own) {
                try await Eventually.holds("all of them to wait") { desk.desk.waitingCallers == 1000 }
                // Somebody else's token is no news for them.
                _ = try await desk.world.upstream.token("x", .init(tenantID: "globex"))
                try await Eventually.holds("the wake-up to pass") { desk.time.asked.contains(SnapshotFeed.spacing) }
                #expect(desk.desk.waitingCallers == 1000)
                _ = try await desk.world.upstream.token("y", .init(tenantID: "acme"))
                // In small steps: the wake-ups are spaced, and nobody's patience may run out.
                try await Eventually.holds("all of them to be answered") {
                    desk.time.advance(by: .milliseconds(5))
                    return desk.desk.waitingCallers == 0
                }
            }
            #expect(counts == ["document": 1000])
        }
        #expect(desk.desk.waitingCallers == 0)
    }

    @Test func sendsAwayAfterHalfAMinute() async throws {
        let desk = try Desk()
        let tag = try await desk.tag()
        async let answer = desk.desk.answer(for: ["acme/shop"], scope: .installation, tags: [tag])
        try await Eventually.holds("the caller to wait") { desk.time.asked.contains(SnapshotDesk.patience) }
        desk.time.advance(by: SnapshotDesk.patience)
        #expect(Self.text(try await answer) == "unchanged")
    }

    @Test func doesNotSayThatNothingChangedWhenItHasNotHeardOfItsStore() async throws {
        let desk = try Desk()
        let tag = try await desk.tag()
        let refused = await withTaskGroup(of: Refusal?.self) { group in
            group.addTask {
                do throws(Refusal) {
                    _ = try await desk.desk.answer(for: ["acme/shop"], scope: .installation, tags: [tag])
                    return nil
                } catch {
                    return error
                }
            }
            // A failure to wait shows as an answer without a refusal.
            try? await Eventually.holds("the caller to wait") { desk.time.asked.contains(SnapshotDesk.patience) }
            desk.world.upstream.clock.advance(seconds: 61)
            desk.time.advance(by: SnapshotDesk.patience)
            return await group.next() ?? nil
        }
        #expect(refused?.code == .authStoreUnavailable)
    }

    @Test func endsEveryWaitWhenItCloses() async throws {
        let desk = try Desk()
        let tag = try await desk.tag()
        async let answer = desk.desk.answer(for: ["acme/shop"], scope: .installation, tags: [tag])
        try await Eventually.holds("the caller to wait") { desk.time.asked.contains(SnapshotDesk.patience) }
        desk.desk.close()
        #expect(Self.text(try await answer) == "closing")
        do throws(Refusal) {
            _ = try await desk.desk.answer(for: ["acme/shop"], scope: .installation, tags: [])
            Issue.record("it was answered")
        } catch {
            #expect(error.code == .decisionNotReady && error.retryAfterSeconds == 1)
        }
    }

    @Test func doesNotSayThatNothingChangedWhenItClosesWithoutHavingHeardOfItsStore() async throws {
        let desk = try Desk()
        let tag = try await desk.tag()
        let refused = await withTaskGroup(of: Refusal?.self) { group in
            group.addTask { await Self.refusal(desk, tag) }
            try? await Eventually.holds("the caller to wait") { desk.time.asked.contains(SnapshotDesk.patience) }
            desk.world.upstream.clock.advance(seconds: 61)
            desk.desk.close()
            return await group.next() ?? nil
        }
        #expect(refused?.code == .authStoreUnavailable)
    }

    private static func refusal(_ desk: Desk, _ tag: String) async -> Refusal? {
        do throws(Refusal) {
            _ = try await desk.desk.answer(for: ["acme/shop"], scope: .installation, tags: [tag])
            return nil
        } catch {
            return error
        }
    }

    @Test func saysAtOnceThatNothingChangedWhereThereIsNoRoomToWait() async throws {
        let desk = try Desk(room: .init(all: 3, ofScope: 2))
        let (own, all) = (try await desk.tag(.tenant("acme")), try await desk.tag())
        func ask(_ scope: SnapshotScope, _ tag: String) async throws -> String {
            Self.text(try await desk.desk.answer(for: ["acme/shop"], scope: scope, tags: [tag]))
        }
        try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<2 { group.addTask { try await ask(.tenant("acme"), own) } }
            try await Eventually.holds("two of a tenant to wait") { desk.desk.waitingCallers == 2 }
            #expect(try await ask(.tenant("acme"), own) == "unchanged")
            // Who has something else is not one who waits, and others have room still.
            #expect(try await ask(.tenant("acme"), all) == "document")
            group.addTask { try await ask(.installation, all) }
            try await Eventually.holds("one more to wait") {
                desk.time.asked.count { $0 == SnapshotDesk.patience } == 3
            }
            #expect(try await ask(.installation, all) == "unchanged")
            desk.time.advance(by: SnapshotDesk.patience)
            for try await answer in group { #expect(answer == "unchanged") }
        }
        #expect(desk.desk.waitingCallers == 0)
        // A word about what was revoked all the same.
        desk.world.upstream.clock.advance(seconds: 61)
        #expect(await Self.refusal(desk, all)?.code == .authStoreUnavailable)
    }

    @Test func tellsNothingToWhoLostTheRightWhileWaiting() async throws {
        let desk = try Desk()
        let tag = try await desk.tag()
        try await desk.running {
            let refused = await withTaskGroup(of: Refusal?.self) { group in
                group.addTask {
                    do throws(Refusal) {
                        _ = try await desk.desk.answer(for: ["acme/shop"], scope: .installation, tags: [tag]) {
                            () throws(Refusal) in throw Refusal(.authTokenRevoked)
                        }
                        return nil
                    } catch {
                        return error
                    }
                }
                // Not until it waits: the answer must come from the wake-up.
                try? await Eventually.holds("the caller to wait") { desk.desk.waitingCallers == 1 }
                _ = try? await desk.world.upstream.token("y", .init(tenantID: "acme"))
                return await group.next() ?? nil
            }
            #expect(refused?.code == .authTokenRevoked)
        }
    }
}
