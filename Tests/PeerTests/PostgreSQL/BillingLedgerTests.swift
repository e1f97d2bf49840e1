// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import Persistence
internal import TestSupport
internal import Testing

extension StoresInPostgreSQL {
    /// The ledger in PostgreSQL does what every ledger must do, as the role that the server works as.
    @Suite struct LedgerTests {
        @Test(arguments: BillingLedgerContract.behaviours)
        func keepsTheContract(_ behaviour: BillingLedgerContract.Behaviour) async throws {
            try await BillingLedgerContract.check(behaviour, on: PostgreSQLLedgerHost())
        }

        /// Without the database's own policies every statement still stays in its tenant.
        @Test(arguments: BillingLedgerContract.behaviours)
        func keepsTheContractWithoutPolicies(_ behaviour: BillingLedgerContract.Behaviour) async throws {
            try await BillingLedgerContract.check(behaviour, on: PostgreSQLLedgerHost(hasRowSecurity: false))
        }

        private static let entry = LedgerEntry(
            sequence: 1, id: "e", key: "k", kind: .grant, at: Timestamp(seconds: 1),
            recordedAt: Timestamp(seconds: 1), legs: [.init(.issued, -1), .init(.grant("g"), 1)], balanceAfter: 1)

        @Test(arguments: [
            "UPDATE billing_entries SET balance_after = 0", "DELETE FROM billing_entries", "TRUNCATE billing_entries",
        ])
        func ledgerEntriesStay(sql: String) async throws {
            let database = try await DatabaseSupport.migrated()
            try await DatabaseSupport.withPool(database.url) { pool in
                try await PostgreSQLBillingLedger(pool).transact("acme") { try $0.append([Self.entry]) }
                let error = await #expect(throws: PostgreSQLError.self) {
                    try await pool.transaction(.tenant("acme")) { try $0.execute(sql) }
                }
                #expect(error?.sqlState == "42501")
            }
            // Not even who owns the table.
            let refusal = await #expect(throws: PostgreSQLError.self) {
                try await DatabaseSupport.withAdministration(database.adminURL) { pool in
                    try await pool.transaction(.none) { transaction in
                        try transaction.execute("SET LOCAL ROLE tollgate_admin")
                        try transaction.execute(sql)
                    }
                }
            }
            #expect(refusal?.sqlState == "42501")
            #expect(refusal?.message.contains("ledger entries are never changed") == true)
            #expect(try await database.run("SELECT count(*) FROM tollgate.billing_entries") == "1")
        }

        /// A row of one account is never seen or written in the scope of another.
        @Test func keepsAccountsApartInTheDatabase() async throws {
            let database = try await DatabaseSupport.migrated()
            try await DatabaseSupport.withPool(database.url) { pool in
                let ledger = PostgreSQLBillingLedger(pool)
                try await ledger.transact("acme") { transaction in
                    try transaction.append([Self.entry])
                    try transaction.put(AccountRow(account: "acme", version: 0, document: "{}", dueAt: nil))
                    try transaction.link(customer: "cus")
                }
                for table in ["billing_entries", "billing_accounts", "billing_customers"] {
                    let seen = try await pool.query(.tenant("beta"), "SELECT count(*) FROM \(table)")[0].integer(0)
                    #expect(seen == 0)
                }
                let error = await #expect(throws: PostgreSQLError.self) {
                    try await pool.transaction(.tenant("beta")) {
                        try $0.execute("INSERT INTO billing_customers (tenant_id, customer) VALUES ('acme', 'x')")
                    }
                }
                #expect(error?.sqlState == "42501")
            }
        }

        @Test(arguments: ["", "_platform", "a\0b", String(repeating: "x", count: 257)])
        func refusesAnAccountThatIsNoTenant(name: String) async throws {
            let database = try await DatabaseSupport.migrated()
            try await DatabaseSupport.withPool(database.url) { pool in
                let ledger = PostgreSQLBillingLedger(pool)
                let written = await #expect(throws: BillingStoreError.self) {
                    try await ledger.transact(name) { try $0.append([Self.entry]) }
                }
                #expect(written?.code == .constraint)
                let read = await #expect(throws: BillingStoreError.self) {
                    try await ledger.read(name) { _ = try $0.account() }
                }
                #expect(read?.code == .constraint)
            }
        }

        /// Once the server is gone every call says so.
        @Test func tellsThatItIsAway() async throws {
            let database = try await DatabaseSupport.migrated()
            try await DatabaseSupport.withPool(database.url) { pool in
                let ledger = PostgreSQLBillingLedger(pool)
                await pool.shutdown()
                let error = await #expect(throws: BillingStoreError.self) {
                    try await ledger.transact("acme") { try $0.append([Self.entry]) }
                }
                #expect(error?.code == .unavailable)
            }
        }
    }
}

/// A database of its own for each test; each process has connections of its own.
struct PostgreSQLLedgerHost: BillingLedgerHost {
    var hasRowSecurity = true

    func withLedgers(_ count: Int, _ body: @Sendable ([any BillingLedger]) async throws -> Void) async throws {
        let database = try await PostgreSQLServer.shared().makeDatabase()
        try await DatabaseSupport.migrate(database, installsRowSecurity: hasRowSecurity)
        try await withPools(count, database, []) { pools in
            try await body(pools.map { PostgreSQLBillingLedger($0) })
        }
    }

    private func withPools(
        _ count: Int, _ database: TestDatabase, _ pools: [PostgreSQLDatabase],
        _ body: @Sendable ([PostgreSQLDatabase]) async throws -> Void
    ) async throws {
        guard pools.count < count else { return try await body(pools) }
        try await DatabaseSupport.withPool(
            database.url, change: { $0.isRowSecurityEnabled = hasRowSecurity }
        ) { pool in
            try await withPools(count, database, pools + [pool], body)
        }
    }
}
