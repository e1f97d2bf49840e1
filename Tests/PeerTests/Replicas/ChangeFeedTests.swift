// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import Persistence
internal import Synchronization
internal import TestSupport
internal import Testing

/// The feed over a real database.
@Suite(.timeLimit(.minutes(10))) struct ChangeFeedTests {
    private static func with(
        _ body: (TestDatabase, PostgreSQLDatabase, PostgreSQLChangeFeed) async throws -> Void
    ) async throws {
        let database = try await DatabaseSupport.migrated()
        try await DatabaseSupport.withPool(database.url) { pool in
            try await body(database, pool, PostgreSQLChangeFeed(pool))
        }
    }

    private static func announce(_ pool: PostgreSQLDatabase, _ changes: (StoreChange.Kind, String)...) async throws {
        let texts = changes.map { ($0.0.rawValue, $0.1) }
        try await pool.transaction(.none) { transaction in
            for (kind, key) in texts { try transaction.announce(kind: kind, key: key) }
        }
    }

    /// Follows a feed from where it stands.
    private final class Reader {
        let feed: PostgreSQLChangeFeed
        var position: ChangePosition

        init(_ feed: PostgreSQLChangeFeed) async throws {
            self.feed = feed
            position = try await feed.position()
        }

        /// What changed since the last call.
        func news() async throws -> [String] {
            guard case .changed(let changes, let next, _) = try await feed.changes(since: position) else {
                throw PeerFault(message: "the feed lost its place")
            }
            position = next
            return changes.map { "\($0.kind.rawValue) \($0.key)" }
        }
    }

    @Test func tellsEachEntityOnceAndNothingTwice() async throws {
        try await Self.with { _, pool, feed in
            try await Self.announce(pool, (.serviceToken, "before"))
            let reader = try await Reader(feed)
            #expect(try await reader.news().isEmpty)
            try await Self.announce(pool, (.serviceToken, "b"), (.apiKey, "a"), (.serviceToken, "b"))
            try await Self.announce(pool, (.serviceToken, "b"))
            #expect(try await reader.news() == ["service_token b", "api_key a"])
            #expect(try await reader.news().isEmpty)
            // What a newer version tells of is passed over.
            try await pool.transaction(.none) { try $0.announce(kind: "invention", key: "x") }
            #expect(try await reader.news().isEmpty)
        }
    }

    /// As after a recovery, when numbers are given out again that a position has seen the end of.
    @Test func whatIsWrittenLaterIsToldWhateverItsNumber() async throws {
        try await Self.with { _, pool, feed in
            let words = try await feed.position().text.split(separator: " ")
            let future = (Int64(words[2].split(separator: ":").last ?? "") ?? 0) + 1_000_000
            let position = ChangePosition("\(words[0]) \(words[1]) \(future):\(future):")
            try await Self.announce(pool, (.serviceToken, "revoked"))
            guard case .changed(let changes, _, _) = try await feed.changes(since: position) else {
                throw PeerFault(message: "the feed lost its place")
            }
            #expect(changes == [StoreChange(.serviceToken, "revoked")])
        }
    }

    @Test func aTransactionUnderWayIsToldWhenItHasEnded() async throws {
        try await Self.with { _, pool, feed in
            let reader = try await Reader(feed)
            let (began, mayEnd) = (Flag(), DispatchSemaphore(value: 0))
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await pool.transaction(.none) { transaction in
                        try transaction.announce(kind: "service_token", key: "slow")
                        began.raise()
                        // On the connection's own thread.
                        mayEnd.wait()
                    }
                }
                try await Eventually.holds("the transaction to begin") { began.isRaised }
                try await Self.announce(pool, (.serviceToken, "fast"))
                #expect(try await reader.news() == ["service_token fast"])
                try await Self.announce(pool, (.serviceToken, "faster"))
                #expect(try await reader.news() == ["service_token faster"])
                mayEnd.signal()
                try await group.waitForAll()
            }
            #expect(try await reader.news() == ["service_token slow"])
            #expect(try await reader.news().isEmpty)
        }
    }

    @Test func whatIsTakenBackIsNotTold() async throws {
        try await Self.with { _, pool, feed in
            let reader = try await Reader(feed)
            struct Stop: Error {}
            await #expect(throws: Stop.self) {
                try await pool.transaction(.none) { transaction in
                    try transaction.announce(kind: "service_token", key: "never")
                    throw Stop()
                }
            }
            #expect(try await reader.news().isEmpty)
        }
    }

    @Test func saysWhenItCannotTell() async throws {
        try await Self.with { database, _, feed in
            let position = try await feed.position()
            let parts = position.text.split(separator: " ").map(String.init)
            let old = ChangePosition("\(parts[0]) \((Int64(parts[1]) ?? 0) - 1_900_000_000) \(parts[2])")
            #expect(try await feed.changes(since: old) == .lost(.pruned))
            let other = ChangePosition("\((Int64(parts[0]) ?? 0) - 1) \(parts[1]) \(parts[2])")
            #expect(try await feed.changes(since: other) == .lost(.restarted))
            try await database.run(
                "INSERT INTO tollgate.changes (kind, key) SELECT 'service_token', n::text FROM generate_series(1, 5001) n"
            )
            #expect(try await feed.changes(since: position) == .lost(.tooMany))
        }
    }

    @Test func forgetsWhatIsOld() async throws {
        try await Self.with { database, _, feed in
            try await database.run(
                """
                INSERT INTO tollgate.changes (kind, key, at)
                SELECT 'service_token', n::text, now() - interval '61 minutes' FROM generate_series(1, 20) n;
                INSERT INTO tollgate.changes (kind, key, at) VALUES ('service_token', 'young', now() - interval '59 minutes')
                """)
            try await feed.prune()
            #expect(try await database.run("SELECT string_agg(key, ',') FROM tollgate.changes") == "young")
        }
    }

    @Test func refusesWhatIsNoPosition() async throws {
        try await Self.with { _, _, feed in
            let good = try await feed.position().text
            let random = SeededRandom(seed: 7)
            var texts = ["", " ", "1 2", "1 2 3 4", "x 2 3:4:", "1 2 3:4:'; DROP TABLE changes", "1 2 "]
            for _ in 0..<FuzzCases.count(40) {
                var bytes = Array(good.utf8)
                bytes[random.below(bytes.count)] = UInt8(32 + random.below(95))
                texts.append(String(decoding: bytes, as: UTF8.self))
            }
            for text in texts {
                // Every answer is good but a crash, an injection or silence about a place that is none.
                do throws(ChangeFeedError) {
                    _ = try await feed.changes(since: ChangePosition(text))
                } catch {
                    #expect([.unreadable, .unavailable].contains(error.code), "\(text)")
                }
            }
            #expect(try await feed.position().text.isEmpty == false)
        }
    }

    @Test func aServerThatWasStartedAgainHasLostThePlace() async throws {
        try await PostgreSQLServer.with { server in
            let database = try await server.makeDatabase()
            try await DatabaseSupport.migrate(database)
            try await DatabaseSupport.withPool(database.url) { pool in
                let feed = PostgreSQLChangeFeed(pool)
                let position = try await feed.position()
                await server.stop()
                await #expect(throws: ChangeFeedError.self) { try await feed.changes(since: position) }
                try await server.start()
                let report = try await Eventually.value("an answer of the server") {
                    // It may still be starting.
                    try? await feed.changes(since: position)
                }
                #expect(report == .lost(.restarted))
            }
        }
    }
}

/// Raised once.
private final class Flag: Sendable {
    private let state = Mutex(false)
    var isRaised: Bool { state.withLock(\.self) }
    func raise() { state.withLock { $0 = true } }
}
