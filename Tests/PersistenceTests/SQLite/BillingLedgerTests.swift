// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import Foundation
internal import GRDB
internal import Persistence
internal import TestSupport
internal import Testing

/// The ledger in a file does what every ledger must do, and what only a file can show.
@Suite struct BillingLedgerTests {
    private let directory: TemporaryDirectory
    private let clock = ManualClock()

    init() throws { directory = try TemporaryDirectory() }

    private func open(_ name: String = "store.sqlite") throws -> SQLiteStore {
        try SQLiteStore(path: directory.path(name), clock: clock)
    }

    @Test(arguments: BillingLedgerContract.behaviours)
    func keepsTheContract(_ behaviour: BillingLedgerContract.Behaviour) async throws {
        try await BillingLedgerContract.check(behaviour, on: SQLiteLedgerHost())
    }

    @Test(arguments: BillingLedgerContract.behaviours)
    func keepsTheContractInMemory(_ behaviour: BillingLedgerContract.Behaviour) async throws {
        try await BillingLedgerContract.check(behaviour, on: MemoryFileHost())
    }

    private static func entry(_ sequence: Int64) -> LedgerEntry {
        LedgerEntry(
            sequence: sequence, id: "e\(sequence)", key: "k\(sequence)", kind: .grant,
            at: Timestamp(seconds: sequence), recordedAt: Timestamp(seconds: sequence),
            legs: [.init(.issued, -1), .init(.grant("g"), 1)], balanceAfter: sequence)
    }

    /// The files as a killed process leaves them hold everything that was acknowledged, and nothing by half.
    @Test func survivesAKill() async throws {
        let store = try open()
        let ledger = SQLiteBillingLedger(store)
        for round in 0..<3 as Range<Int64> {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for account in 0..<10 {
                    group.addTask {
                        try await ledger.transact("a\(account)") { transaction in
                            try transaction.append([Self.entry(round * 2 + 1), Self.entry(round * 2 + 2)])
                            try transaction.put(
                                AccountRow(account: "a\(account)", version: round, document: "{}", dueAt: nil))
                        }
                    }
                }
                try await group.waitForAll()
            }
            for ending in ["", "-wal"] {
                try FileManager.default.copyItem(
                    atPath: directory.path("store.sqlite\(ending)"),
                    toPath: directory.path("killed\(round).sqlite\(ending)"))
            }
            let killed = try open("killed\(round).sqlite")
            for account in 0..<10 {
                let (version, entries) = try await SQLiteBillingLedger(killed).read("a\(account)") {
                    (try $0.accountVersion(), try $0.entries(before: nil, limit: 99))
                }
                #expect(version == round + 1)
                #expect(entries.map(\.sequence) == (1...(round + 1) * 2).reversed())
            }
            try killed.close()
        }
        try store.close()
    }

    @Test(arguments: [
        "UPDATE billing_entries SET balance_after = 0", "UPDATE billing_entries SET id = id + 7 WHERE account = 1",
        "DELETE FROM billing_entries", "DELETE FROM billing_entries WHERE kind = 'grant'",
    ])
    func ledgerEntriesStay(sql: String) async throws {
        let store = try open()
        try await SQLiteBillingLedger(store).transact("acme") { try $0.append([Self.entry(1)]) }
        try store.close()
        let queue = try DatabaseQueue(path: directory.path("store.sqlite"))
        let error = await #expect(throws: DatabaseError.self) {
            try await queue.write { db in try db.execute(sql: sql) }
        }
        #expect(error?.message?.hasPrefix("ledger entries are never") == true)
        let kept = try await queue.read { db in try Int.fetchOne(db, sql: "SELECT count(*) FROM billing_entries") }
        #expect(kept == 1)
    }

    @Test func refusesWhatItCannotRead() async throws {
        let store = try open()
        let ledger = SQLiteBillingLedger(store)
        try await ledger.transact("acme") { transaction in
            try transaction.put(ReservationRow(id: "r", key: "k", document: "", endsAt: .latest, createdAt: .latest))
            try transaction.put(
                ProviderEventRow(
                    id: "e", type: "t", created: .latest, state: .done, subscription: "sub", document: "",
                    receivedAt: .latest))
        }
        let queue = try DatabaseQueue(path: directory.path("store.sqlite"))
        try await queue.write { db in
            try db.execute(sql: "UPDATE billing_reservations SET id = x'00ff', key = x'01'")
            try db.execute(sql: "UPDATE billing_provider_events SET state = 'other'")
        }
        try queue.close()
        let event = await #expect(throws: BillingStoreError.self) {
            try await ledger.read("acme") { _ = try $0.providerEvents(subscription: "sub") }
        }
        #expect(event?.code == .unreadable)
        #expect(event?.description == "An event of the provider has the state 'other'")
        let reservation = await #expect(throws: BillingStoreError.self) {
            try await ledger.read("acme") { _ = try $0.endedReservations(at: .latest, limit: 9) }
        }
        #expect(reservation?.code == .unreadable)
        #expect(reservation?.description == "A packed text cannot be read")
        try store.close()
    }

    @Test func tellsThatItIsClosed() async throws {
        let store = try open()
        let ledger = SQLiteBillingLedger(store)
        try store.close()
        let error = await #expect(throws: BillingStoreError.self) {
            try await ledger.transact("acme") { try $0.append([Self.entry(1)]) }
        }
        #expect(error?.code == .unavailable)
    }

    private static func usage(_ model: String) -> UsageRow {
        UsageRow(
            kind: "tokens", source: "from \(model)", id: "e", digest: "", at: .latest, receivedAt: .latest,
            dimensions: UsageDimensions(model: model), amounts: UsageAmounts())
    }

    /// What a transaction gave numbers to that was taken back has no number, and gets another one.
    @Test func forgetsNumbersThatWereTakenBack() async throws {
        let store = try open()
        let ledger = SQLiteBillingLedger(store)
        await #expect(throws: CancellationError.self) {
            try await ledger.transact("acme") { transaction in
                try transaction.record([Self.usage("one")])
                throw CancellationError()
            }
        }
        try await ledger.transact("globex") { try $0.record([Self.usage("two")]) }
        try await ledger.transact("acme") { try $0.record([Self.usage("one")]) }
        for (account, model) in [("globex", "two"), ("acme", "one")] {
            let rows = try await ledger.read(account) { try $0.usage(UsageQuery(limit: 9)) }
            #expect(rows == [Self.usage(model)])
        }
        try store.close()
    }

    /// A text has one number, however long it is and however often it comes.
    @Test func keepsTextsOfEveryLength() async throws {
        let store = try open()
        let ledger = SQLiteBillingLedger(store)
        let rows = [1, 128, 129, 5000].map { Self.usage(String(repeating: "m", count: $0)) }
        for account in ["acme", "globex"] {
            for row in rows { try await ledger.transact(account) { try $0.record([row]) } }
            let found = try await ledger.read(account) { try $0.usage(UsageQuery(limit: 9)) }
            #expect(found == rows.reversed())
        }
        try store.close()
    }

    /// Values that were forgotten with their day are counted anew when they come again.
    @Test func notesAgainWhatItForgot() async throws {
        let store = try open()
        let ledger = SQLiteBillingLedger(store)
        let day = Timestamp(seconds: 86_400)
        let window = UsageWindowDelta(
            granularity: .day, start: day, dimensions: UsageDimensions(model: "m"), amounts: UsageAmounts())
        for _ in 0..<2 {
            try await ledger.transact("acme") { try $0.add([window]) }
            let values = try await ledger.read("acme") { try $0.dimensionValues(.model, day: day) }
            #expect(values == ["m"])
            while try await ledger.prune(BillingRetention(days: day.adding(seconds: 1)), limit: 9) {}
            let (count, starts) = try await ledger.read("acme") { reader in
                (
                    try reader.dimensionValues(.model, day: day, among: ["m"]).count,
                    try reader.windows(.day, from: day, to: .latest, by: [])
                )
            }
            #expect(count == 0)
            #expect(starts == [])
        }
        try store.close()
    }

    /// Pages of records do not get slower with what lies behind them: each is found where the last one ended.
    @Test func readsNoMoreThanItNeeds() async throws {
        let store = try open()
        try await SQLiteBillingLedger(store).transact("acme") { try $0.append([Self.entry(1)]) }
        try store.close()
        let queue = try DatabaseQueue(path: directory.path("store.sqlite"))
        let plans = try await queue.read { db in
            try [
                "SELECT * FROM billing_usage u WHERE u.account = 1 AND (u.at, u.id) < (5, 6) ORDER BY u.at DESC, u.id DESC",
                "SELECT * FROM billing_usage u WHERE u.account = 1 AND u.at >= 3 AND u.at < 9 ORDER BY u.at DESC, u.id DESC",
                "SELECT * FROM billing_entries WHERE id > 5 AND id < 9 ORDER BY id DESC",
                """
                SELECT * FROM billing_usage u WHERE u.account = 1 AND u.model = 2 AND u.is_quarantined = 1
                    AND (u.at, u.id) > (5, 6) ORDER BY u.at, u.id
                """,
                "SELECT * FROM billing_reservations WHERE account = 1 AND ends_at <= 5 ORDER BY ends_at, id",
                "SELECT account FROM billing_accounts WHERE due_at <= 5 ORDER BY due_at, id",
                "SELECT sum(input) FROM billing_windows WHERE account = 1 AND granularity = 1 AND start >= 5 AND start < 9",
                "SELECT id FROM billing_deliveries WHERE next_at <= 5 ORDER BY next_at, id",
            ].map { sql in
                try Row.fetchAll(db, sql: "EXPLAIN QUERY PLAN \(sql)").map { $0["detail"] as String }
                    .joined(separator: "; ")
            }
        }
        for plan in plans {
            #expect(plan.hasPrefix("SEARCH"), "\(plan)")
            #expect(!plan.contains("TEMP B-TREE"), "\(plan)")
        }
    }

    // MARK: - Migration

    /// A file of each earlier version becomes one of the present, with what was in it.
    @Test(arguments: [1, 2, 3, 4, 5])
    func migratesEachEarlierVersion(_ version: Int) async throws {
        try open().close()
        let queue = try DatabaseQueue(path: directory.path("store.sqlite"))
        try await queue.write { db in
            // The file as it was before the later steps.
            let later = try String.fetchAll(
                db, sql: "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
            let kept = Self.tables.prefix(version).joined()
            for table in later where !kept.contains(where: table.hasPrefix) || table == "billing_purchases" {
                try db.execute(sql: "DROP TABLE \(table)")
            }
            try db.execute(sql: "ALTER TABLE idempotency_keys DROP COLUMN fields")
            try db.execute(sql: "INSERT INTO object_statuses VALUES ('k', 'n', 'o', '{}')")
            if version == 5 {
                try db.execute(
                    sql: """
                        INSERT INTO billing_accounts (id, account) VALUES (1, 'acme'), (2, 'other');
                        INSERT INTO billing_documents (account, kind, name, document) VALUES
                            (2, 'provider_payment', 'pi_1', '{"key":"cs:b"}'),
                            (1, 'provider_payment', 'pi_1', '{"key":"cs:a"}'),
                            (2, 'provider_payment', 'pi_2', '{"key":"pi:pi_2"}'), (1, 'meter_report', 'm', '{}');
                        """)
            }
            try db.execute(sql: "PRAGMA user_version = \(version)")
        }
        try queue.close()
        let store = try open()
        let ledger = SQLiteBillingLedger(store)
        try await ledger.transact("acme") { try $0.append([Self.entry(1)]) }
        if version == 5 {
            // Of two accounts that had used one payment, the first has it.
            for (account, purchase, key, isOwn) in [
                ("acme", "pi:pi_1", "cs:a", true), ("other", "pi:pi_1", "cs:b", false),
                ("other", "pi:pi_2", "pi:pi_2", true), ("acme", "pi:pi_2", "pi:pi_2", false),
            ] {
                #expect(try await ledger.transact(account) { try $0.tie(purchases: [purchase], to: key) } == isOwn)
            }
        }
        try store.close()
        let again = try DatabaseQueue(path: directory.path("store.sqlite"))
        let (present, statuses, documents) = try await again.read { db in
            (
                try Int.fetchOne(db, sql: "PRAGMA user_version"),
                try Int.fetchOne(db, sql: "SELECT count(*) FROM object_statuses"),
                try String.fetchAll(db, sql: "SELECT kind FROM billing_documents")
            )
        }
        #expect(present == 6)
        #expect(statuses == 1)
        #expect(documents == (version == 5 ? ["meter_report"] : []))
    }

    /// What the names of the tables that each version added begin with.
    private static let tables = [
        ["service_tokens", "idempotency_keys", "object_statuses"], ["projects", "project_access"],
        ["api_keys", "api_key_usage", "owner_roles"], ["healing_books", "notices"], ["billing_"],
    ]
}

/// One file, opened as often as there are processes.
/// One database in memory: nobody else sees it, so all ledgers are over it.
struct MemoryFileHost: BillingLedgerHost {
    func withLedgers(_ count: Int, _ body: @Sendable ([any BillingLedger]) async throws -> Void) async throws {
        let store = try SQLiteStore(inMemory: ManualClock())
        try await body(Array(repeating: SQLiteBillingLedger(store), count: count))
        try store.close()
    }
}

struct SQLiteLedgerHost: BillingLedgerHost {
    func withLedgers(_ count: Int, _ body: @Sendable ([any BillingLedger]) async throws -> Void) async throws {
        let directory = try TemporaryDirectory()
        let stores = try (0..<count).map { _ in
            try SQLiteStore(path: directory.path("store.sqlite"), clock: ManualClock())
        }
        try await body(stores.map { SQLiteBillingLedger($0) })
        for store in stores { try store.close() }
    }
}
