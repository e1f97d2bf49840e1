// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Dispatch
internal import Essentials
internal import Logging
internal import Metrics
internal import Persistence
internal import TestSupport
internal import Testing

extension StoresInPostgreSQL {
    /// The audit trail in PostgreSQL.
    @Suite struct AuditIndexTests {
        private static func withIndex(
            rows: Int = 1_000_000, _ body: (PostgreSQLAuditIndex, TestDatabase) async throws -> Void
        ) async throws {
            let database = try await DatabaseSupport.migrated()
            try await DatabaseSupport.withPool(database.url) { pool in
                try await body(PostgreSQLAuditIndex(pool, examinedRows: rows), database)
            }
        }

        private static func trail(_ directory: String, _ index: any AuditIndexing) -> AuditLog {
            AuditLog(
                settings: AuditSettings(directory: directory, writer: "w1"), index: index, clock: ManualClock(),
                random: SeededRandom(seed: 1), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
                metricsFactory: NOOPMetricsHandler.instance)
        }

        @Test(arguments: AuditIndexContract.behaviours)
        func keepsTheContract(_ behaviour: AuditIndexContract.Behaviour) async throws {
            try await AuditIndexContract.check(behaviour) { rows, body in
                try await Self.withIndex(rows: rows) { index, _ in try await body(index) }
            }
        }

        /// Queries may take as long as a statement may; others need connections meanwhile.
        @Test func queriesLeaveConnectionsToOthers() async throws {
            let database = try await DatabaseSupport.migrated()
            try await DatabaseSupport.withPool(database.url, change: { $0.poolSize = 4 }) { pool in
                let index = PostgreSQLAuditIndex(pool)
                try await DatabaseSupport.withAdministration(database.adminURL) { administration in
                    let (held, mayEnd) = (Noted<Bool>(), DispatchSemaphore(value: 0))
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        group.addTask {
                            try await administration.transaction(.none) { transaction in
                                try transaction.execute("LOCK TABLE tollgate.audit_entries IN ACCESS EXCLUSIVE MODE")
                                held.note(true)
                                mayEnd.wait()
                            }
                        }
                        try await Eventually.holds("the table to be locked") { !held.all.isEmpty }
                        for _ in 0..<8 {
                            group.addTask {
                                _ = try await index.rows(AuditIndexRequest(query: AuditQuery(), after: nil, limit: 2))
                            }
                        }
                        do {
                            for _ in 0..<20 { try await pool.ping() }
                        } catch {
                            mayEnd.signal()
                            throw error
                        }
                        mayEnd.signal()
                        try await group.waitForAll()
                    }
                }
            }
        }

        @Test func whatIsDurableIsThereWhenItIsAcknowledged() async throws {
            try await Self.withIndex { index, database in
                let directory = try TemporaryDirectory()
                let log = Self.trail(directory.path, index)
                try log.open()
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 0..<100 {
                        group.addTask {
                            try await log.record(AuditIndexContract.draft(number))
                            var query = AuditQuery()
                            query.resource = "r\(number)"
                            let rows = try await index.rows(AuditIndexRequest(query: query, after: nil, limit: 2))
                            #expect(rows.count == 1)
                        }
                    }
                    try await group.waitForAll()
                }
                #expect(try await index.lastSequence(writer: "w1") == 100)
                // As many as before: they came in a few transactions.
                let transactions = try await database.run(
                    "SELECT count(DISTINCT xmin::text) FROM tollgate.audit_entries")
                #expect((Int(transactions) ?? .max) < 100)
                await log.close()
            }
        }

        @Test func nothingDurableIsAcknowledgedWhileTheDatabaseIsAway() async throws {
            try await PostgreSQLServer.with { server in
                let database = try await server.makeDatabase()
                try await DatabaseSupport.migrate(database)
                try await DatabaseSupport.withPool(database.url, change: { $0.connectTimeout = .seconds(2) }) { pool in
                    let directory = try TemporaryDirectory()
                    let index = PostgreSQLAuditIndex(pool)
                    let log = Self.trail(directory.path, index)
                    try log.open()
                    try await log.record(AuditIndexContract.draft(1))
                    try log.checkWritable()
                    await server.stop()
                    await #expect { try await log.record(AuditIndexContract.draft(2)) } throws: {
                        ($0 as? Refusal)?.code == .auditUnavailable
                    }
                    #expect(throws: Refusal.self) { try log.checkWritable() }
                    // What only has to be queued goes on.
                    #expect(log.acceptNow(AuditIndexContract.draft(3)))
                    try await server.start()
                    try await Eventually.holds("the index to take entries again") {
                        log.tick()
                        return (try? await log.record(AuditIndexContract.draft(4))) != nil
                    }
                    try log.checkWritable()
                    #expect(try await index.lastSequence(writer: "w1") >= 4)
                    await log.close()
                }
            }
        }

        /// The disk of a replica is lost, and another begins with its name: nothing of the first is.
        @Test func aLostDiskLosesNoAcknowledgedEntry() async throws {
            try await Self.withIndex { index, _ in
                for round in 1...3 {
                    let directory = try TemporaryDirectory()
                    let log = Self.trail(directory.path, index)
                    try log.open()
                    for number in 0..<5 { try await log.record(AuditIndexContract.draft(round * 10 + number)) }
                    await log.close()
                }
                let rows = try await index.rows(AuditIndexRequest(query: AuditQuery(), after: nil, limit: 100))
                #expect(rows.count == 15)
                #expect(Set(rows.map(\.writer)) == ["w1", "w1~1", "w1~2"])
            }
        }

        @Test func theServerCannotChangeEntries() async throws {
            try await Self.withIndex { index, database in
                try await index.add(AuditIndexContract.rows(3))
                try await DatabaseSupport.withPool(database.url) { pool in
                    for sql in ["UPDATE audit_entries SET actor = 'x'", "DELETE FROM audit_entries"] {
                        await #expect {
                            try await pool.transaction(.tenant("acme")) { try $0.execute(sql) }
                        } throws: {
                            ($0 as? PostgreSQLError)?.code == .insufficientPrivilege
                        }
                    }
                }
                // Where somebody gave the right away, the trigger is still there.
                try await database.run("GRANT UPDATE, DELETE ON tollgate.audit_entries TO tollgate_app")
                try await DatabaseSupport.withPool(database.url) { pool in
                    _ = await #expect {
                        try await pool.transaction(.tenant("acme")) { try $0.execute("DELETE FROM audit_entries") }
                    } throws: {
                        ($0 as? PostgreSQLError)?.sqlState == "42501"
                    }
                }
                try await database.run("DELETE FROM tollgate.audit_entries WHERE sequence = 1")
                #expect(try await index.rows(AuditIndexRequest(query: AuditQuery(), after: nil, limit: 10)).count == 2)
            }
        }

        @Test func allReplicasSignCursorsAlike() async throws {
            try await Self.withIndex { index, _ in
                let first = try await index.cursorKey(random: SeededRandom(seed: 1))
                let second = try await index.cursorKey(random: SeededRandom(seed: 2))
                #expect(first.revealed == second.revealed && first.revealed.count == 32)
            }
        }

        /// An entry is kept whatever it says.
        @Test func keepsEntriesWithStrangeTexts() async throws {
            try await Self.withIndex { index, _ in
                let drafts = ["", "_platform", String(repeating: "x", count: 300), "a\u{0}b"].map { text in
                    AuditDraft(
                        actor: "\u{0}\"\\{},'", action: "a", resource: "r\u{0}", outcome: .denied, tenant: text)
                }
                let lines = SegmentText.lines(
                    writer: "w1", created: Timestamp(seconds: 1), firstSequence: 1, previousSegment: nil,
                    previousHash: ChainHasher.zeros,
                    entries: drafts.enumerated().map { number, draft in
                        let at = Timestamp(seconds: Int64(number))
                        return (UUIDv7.make(at: at), at, draft)
                    }, closed: nil)
                let rows = lines.dropFirst().compactMap { AuditRow(line: $0, writer: "w1") }
                try await index.add(rows)
                var query = AuditQuery()
                query.actor = "\u{0}\"\\{},'"
                let found = try await index.rows(AuditIndexRequest(query: query, after: nil, limit: 10))
                #expect(found.map(\.line) == rows.reversed().map(\.line))
            }
        }
    }
}
