// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Dispatch
internal import Essentials
internal import Metrics
internal import MetricsTestKit
internal import Persistence
internal import TestSupport
internal import Testing

/// Connections of a real server: what they carry, how many there are, who waits for them.
@Suite(.timeLimit(.minutes(10))) struct PoolTests {
    @Test func bindsEveryKindOfValue() async throws {
        let database = try await PostgreSQLServer.shared().makeDatabase()
        try await DatabaseSupport.withPool(database.url) { pool in
            let text = #"it's "quoted" \ {,} 🐘 $1"#
            let rows = try await pool.query(
                .none,
                """
                SELECT $1::text, $2::bigint, $3::boolean, $4::bytea, $5::text[] = ARRAY['a"', NULL, '\\', ''],
                    $6::bigint[] = ARRAY[1, NULL, -2]::bigint[], $7::boolean[] = ARRAY[true, false], $8::text
                """,
                [
                    .text(text), 42, true, .bytes([0, 1, 0xff]), .texts(["a\"", nil, "\\", ""]),
                    .integers([1, nil, -2]), .booleans([true, false]), nil,
                ])
            #expect(try rows[0].text(0) == text)
            #expect(try rows[0].integer(1) == 42)
            #expect(try rows[0].boolean(2))
            #expect(try rows[0].bytes(3) == [0, 1, 0xff])
            #expect(try rows[0].boolean(4) && rows[0].boolean(5) && rows[0].boolean(6))
            #expect(try rows[0].optionalText(7) == nil)
        }
    }

    /// A server that lets fewer in than the pool would like serves all the same.
    @Test func threadsWithoutAConnectionLeaveTheWorkToTheOthers() async throws {
        try await PostgreSQLServer.with { server in
            let database = try await server.makeDatabase()
            try await server.run("ALTER ROLE gate CONNECTION LIMIT 2")
            try await DatabaseSupport.withPool(database.url, change: { $0.poolSize = 6 }) { pool in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<200 { group.addTask { try await pool.ping() } }
                    try await group.waitForAll()
                }
            }
        }
    }

    /// Whatever the texts are, they come back as they were, alone and in lists.
    @Test func givesBackEveryText() async throws {
        let database = try await PostgreSQLServer.shared().makeDatabase()
        let random = SeededRandom(seed: 61)
        let alphabet: [Character] = Array(#"ab'"\{},()$1;-- NULL%é🐘"#) + ["\n", "\t", "\u{1}"]
        let texts = (0..<400).map { _ in
            String((0..<random.below(13)).map { _ in alphabet[random.below(alphabet.count)] })
        }
        try await DatabaseSupport.withPool(database.url) { pool in
            let rows = try await pool.query(
                .none, "SELECT value FROM unnest($1::text[]) WITH ORDINALITY AS t (value, place) ORDER BY place",
                [.texts(texts)])
            #expect(try rows.map { try $0.text(0) } == texts)
            for text in texts.prefix(50) {
                #expect(try await pool.query(.none, "SELECT $1::text", [.text(text)])[0].text(0) == text)
            }
        }
    }

    @Test func refusesTextThatTheServerCannotHold() async throws {
        let database = try await PostgreSQLServer.shared().makeDatabase()
        try await DatabaseSupport.withPool(database.url, change: { $0.poolSize = 1 }) { pool in
            let error = try await #require(throws: PostgreSQLError.self) {
                try await pool.transaction(.none) { transaction in
                    _ = try transaction.query("SELECT 1")
                    _ = try transaction.query("SELECT $1::text", ["a\0b"])
                }
            }
            #expect(error.code == .invalidValue)
            try await pool.ping()
        }
    }

    @Test func doesNothingOfABatchInWhichOneStatementFails() async throws {
        let database = try await DatabaseSupport.withNotes()
        try await DatabaseSupport.withPool(database.url, change: { $0.poolSize = 1 }) { pool in
            @Sendable func insert(_ id: String) -> PostgreSQLStatement {
                PostgreSQLStatement("INSERT INTO notes (id, tenant_id) VALUES ($1, 'acme')", [.text(id)])
            }
            let error = try await #require(throws: PostgreSQLError.self) {
                try await pool.transaction(.tenant("acme")) { try $0.run([insert("a"), insert("a"), insert("b")]) }
            }
            #expect(error.code == .uniqueViolation)
            #expect(error.sqlState == "23505")
            #expect(try await pool.query(.tenant("acme"), "SELECT id FROM notes").isEmpty)
            let affected = try await pool.transaction(.tenant("acme")) { transaction in
                try transaction.run([insert("a"), insert("b"), PostgreSQLStatement("DELETE FROM notes")]).map(
                    \.affected)
            }
            #expect(affected == [1, 1, 2])
        }
    }

    @Test func refusesWritesWhereItOnlyReads() async throws {
        let database = try await DatabaseSupport.withNotes()
        try await DatabaseSupport.withPool(database.url) { pool in
            let error = try await #require(throws: PostgreSQLError.self) {
                try await pool.query(
                    .tenant("acme"), "INSERT INTO notes (id, tenant_id) VALUES ('a', 'acme') RETURNING id")
            }
            #expect(error.sqlState == "25006")
        }
    }

    @Test func givesUpWhatTakesTooLong() async throws {
        let database = try await PostgreSQLServer.shared().makeDatabase()
        let quick: (inout PostgreSQLSettings) -> Void = {
            $0.poolSize = 1
            $0.statementTimeout = .seconds(3)
            $0.networkGrace = .seconds(60)
        }
        try await DatabaseSupport.withPool(database.url, change: quick) { pool in
            let error = try await #require(throws: PostgreSQLError.self) {
                try await pool.query(.none, "SELECT pg_sleep(300)::text")
            }
            #expect(error.code == .timeout)
            #expect(error.sqlState == "57014")
            try await pool.ping()
        }
    }

    /// One connection, which a transaction keeps while others wait for it.
    @Test func boundsWhoWaitsAndHowLong() async throws {
        let database = try await PostgreSQLServer.shared().makeDatabase()
        let metrics = TestMetrics()
        let narrow: (inout PostgreSQLSettings) -> Void = {
            $0.poolSize = 1
            $0.maximumWaiting = 1
            $0.waitTimeout = .milliseconds(300)
        }
        try await DatabaseSupport.withPool(database.url, metrics: metrics, change: narrow) { pool in
            try await pool.ping()
            let holds = Shared(false)
            let release = DispatchSemaphore(value: 0)
            try await withThrowingTaskGroup { group in
                group.addTask {
                    try await pool.transaction(.none) { transaction in
                        _ = try transaction.query("SELECT 1")
                        holds.change { $0 = true }
                        release.wait()
                    }
                }
                try await Eventually.holds("the connection to be taken") { holds.value }
                let errors = Shared<[PostgreSQLError.Code]>([])
                await withTaskGroup { waiting in
                    for _ in 0..<2 {
                        waiting.addTask {
                            do {
                                try await pool.ping()
                            } catch {
                                errors.change { $0.append((error as? PostgreSQLError)?.code ?? .unreadable) }
                            }
                        }
                    }
                }
                #expect(errors.value.sorted { $0.rawValue < $1.rawValue } == [.overloaded, .timeout])
                #expect(try metrics.expectGauge("tollgate_postgresql_connections_in_use").lastValue == 1)
                release.signal()
                try await group.waitForAll()
            }
            try await pool.ping()
            try await Eventually.holds("nobody to use a connection") {
                try metrics.expectGauge("tollgate_postgresql_connections_in_use").lastValue == 0
            }
            #expect(try metrics.expectGauge("tollgate_postgresql_connections_open").lastValue == 1)
            #expect(try metrics.expectGauge("tollgate_postgresql_pool_size").lastValue == 1)
        }
    }

    @Test func servesManyFromFew() async throws {
        let database = try await DatabaseSupport.withNotes()
        try await DatabaseSupport.withPool(database.url) { pool in
            let tenants = ["acme", "beta", "gamma"]
            try await withThrowingTaskGroup { group in
                for number in 0..<300 {
                    group.addTask {
                        let tenant = tenants[number % 3]
                        try await pool.transaction(.tenant(tenant)) {
                            try $0.execute(
                                "INSERT INTO notes (id, tenant_id) VALUES ($1, get_current_tenant_id())",
                                [.text("n\(number)")])
                        }
                        let others = try await pool.query(
                            .tenant(tenant), "SELECT count(*) FROM notes WHERE tenant_id <> $1", [.text(tenant)])
                        #expect(try others[0].integer(0) == 0)
                    }
                }
                try await group.waitForAll()
            }
            for tenant in tenants {
                #expect(try await pool.query(.tenant(tenant), "SELECT count(*) FROM notes")[0].integer(0) == 100)
            }
        }
    }

    @Test func failsWhoWaitsWhenItIsShutDown() async throws {
        let database = try await PostgreSQLServer.shared().makeDatabase()
        let holds = Shared(false)
        let release = DispatchSemaphore(value: 0)
        var settings = PostgreSQLSettings(address: try PostgreSQLAddress(database.url))
        settings.poolSize = 1
        try await DatabaseSupport.withPool(database.url, change: { $0 = settings }) { pool in
            try await withThrowingTaskGroup { group in
                group.addTask {
                    try await pool.transaction(.none) { transaction in
                        let value = try transaction.query("SELECT 7")[0].integer(0)
                        holds.change { $0 = true }
                        release.wait()
                        return value
                    }
                }
                try await Eventually.holds("the connection to be taken") { holds.value }
                group.addTask {
                    await pool.shutdown()
                    return 0
                }
                try await Eventually.holds("others to be refused") {
                    do {
                        try await pool.ping()
                    } catch let error as PostgreSQLError {
                        return error.code == .closed
                    }
                    return false
                }
                release.signal()
                var values: Set<Int64> = []
                for try await value in group { values.insert(value) }
                #expect(values == [0, 7], "what was under way is finished")
            }
        }
    }
}
