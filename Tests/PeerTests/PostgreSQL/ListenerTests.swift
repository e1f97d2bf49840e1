// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Logging
internal import Persistence
internal import Synchronization
internal import TestSupport
internal import Testing

/// Announcements of other sessions, and what becomes of them when the connection is lost.
@Suite(.timeLimit(.minutes(10))) struct ListenerTests {
    /// What a listener has told so far.
    private final class Told: Sendable {
        struct Counts: Equatable {
            var notices = 0
            var ups = 0
            var downs = 0
        }
        let counts = Mutex(Counts())

        func wait(_ what: String, _ holds: @escaping (Counts) -> Bool) async throws {
            try await Eventually.holds(what) { counts.withLock { holds($0) } }
        }
    }

    private static func withListener(_ url: String, _ body: (Told) async throws -> Void) async throws {
        var settings = PostgreSQLSettings(address: try PostgreSQLAddress(url))
        settings.statementTimeout = .seconds(2)
        settings.networkGrace = .seconds(1)
        settings.connectTimeout = .seconds(2)
        let listener = PostgreSQLListener(settings, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let told = Told()
        try await withThrowingTaskGroup { group in
            group.addTask {
                await listener.run(
                    channel: PostgreSQLTransaction.changesChannel,
                    onNotice: { told.counts.withLock { $0.notices += 1 } },
                    onUp: { told.counts.withLock { $0.ups += 1 } },
                    onDown: { _ in told.counts.withLock { $0.downs += 1 } })
            }
            try await body(told)
            group.cancelAll()
        }
    }

    @Test func hearsWhatWasCommitted() async throws {
        let database = try await DatabaseSupport.migrated()
        try await Self.withListener(database.url) { told in
            try await told.wait("the listener to be up") { $0.ups == 1 }
            try await DatabaseSupport.withPool(database.url) { pool in
                struct Broken: Error {}
                await #expect(throws: Broken.self) {
                    try await pool.transaction(.none) { transaction in
                        try transaction.announce(kind: "project", key: "p")
                        throw Broken()
                    }
                }
                #expect(told.counts.withLock(\.notices) == 0)
                try await pool.transaction(.tenant("acme")) { transaction in
                    try transaction.announce(kind: "project", key: "acme/p")
                }
                try await told.wait("a notice") { $0.notices == 1 }
                let rows = try await pool.query(.none, "SELECT kind, key, xid IS NOT NULL FROM changes")
                #expect(rows.count == 1)
                #expect(try rows[0].text(0) == "project")
                #expect(try rows[0].text(1) == "acme/p")
            }
        }
    }

    @Test func tellsThatItWasDownAndIsUpAgain() async throws {
        let database = try await DatabaseSupport.migrated()
        try await Self.withListener(database.url) { told in
            try await told.wait("the listener to be up") { $0.ups == 1 }
            try await database.run(
                """
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND application_name = 'tollgate listener'
                """)
            try await told.wait("the listener to be up again") { $0.downs >= 1 && $0.ups == 2 }
            try await database.run("NOTIFY tollgate_changes")
            try await told.wait("a notice") { $0.notices >= 1 }
        }
    }

    @Test func noticesASilentNetwork() async throws {
        let database = try await DatabaseSupport.migrated()
        try await CuttingProxy.with(to: database.server.port) { proxy in
            let url = database.server.url(user: "gate", database: database.name, port: proxy.port)
            try await Self.withListener(url) { told in
                try await told.wait("the listener to be up") { $0.ups >= 1 }
                // On a slow machine the first try may have failed already.
                let downs = told.counts.withLock(\.downs)
                proxy.stall()
                try await told.wait("the listener to be down") { $0.downs > downs }
                let ups = told.counts.withLock(\.ups)
                proxy.resume()
                try await told.wait("the listener to be up again") { $0.ups > ups }
            }
        }
    }
}
