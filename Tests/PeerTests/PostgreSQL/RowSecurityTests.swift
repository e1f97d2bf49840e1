// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Persistence
internal import TestSupport
internal import Testing

/// Tenants are kept apart by the database itself. The connections of these tests are of an ordinary login.
@Suite(.timeLimit(.minutes(10))) struct RowSecurityTests {
    /// Runs the body over two rows: `a` of acme and `b` of beta.
    private static func withTwoTenants(_ body: (PostgreSQLDatabase) async throws -> Void) async throws {
        let database = try await DatabaseSupport.withNotes()
        try await DatabaseSupport.withPool(database.url, change: { $0.poolSize = 1 }) { pool in
            for (tenant, id) in [("acme", "a"), ("beta", "b")] {
                _ = try await pool.transaction(.tenant(tenant)) {
                    try $0.execute("INSERT INTO notes (id, tenant_id) VALUES ($1, $2)", [.text(id), .text(tenant)])
                }
            }
            try await body(pool)
        }
    }

    private static func seen(_ pool: PostgreSQLDatabase, _ scope: TenantScope) async throws -> [String] {
        try await pool.query(scope, "SELECT id FROM notes ORDER BY id").map { try $0.text(0) }
    }

    @Test func seesItsOwnRowsOnly() async throws {
        try await Self.withTwoTenants { pool in
            for (scope, rows) in [
                (TenantScope.tenant("acme"), ["a"]), (.tenant("beta"), ["b"]), (.tenant("nobody"), []), (.platform, []),
            ] {
                let seen = try await Self.seen(pool, scope)
                #expect(seen == rows)
            }
        }
    }

    @Test func changesAndDeletesItsOwnRowsOnly() async throws {
        try await Self.withTwoTenants { pool in
            let counts = try await pool.transaction(.tenant("acme")) { transaction in
                [
                    try transaction.execute("UPDATE notes SET body = 'x' WHERE id = 'b'"),
                    try transaction.execute("DELETE FROM notes WHERE id = 'b'"),
                    try transaction.execute("UPDATE notes SET body = 'x' WHERE id = 'a'"),
                ]
            }
            #expect(counts == [0, 0, 1])
            #expect(try await pool.query(.tenant("beta"), "SELECT body FROM notes")[0].text(0) == "")
        }
    }

    @Test(arguments: [
        "INSERT INTO notes (id, tenant_id) VALUES ('c', 'beta')",
        "INSERT INTO notes (id, tenant_id) VALUES ('a', 'beta') ON CONFLICT (id) DO UPDATE SET tenant_id = 'beta'",
        "UPDATE notes SET tenant_id = 'beta' WHERE id = 'a'",
        "UPDATE notes SET tenant_id = '_platform'",
    ])
    func refusesAnotherTenantsRow(sql: String) async throws {
        try await Self.withTwoTenants { pool in
            let error = try await #require(throws: PostgreSQLError.self) {
                try await pool.transaction(.tenant("acme")) { try $0.execute(sql) }
            }
            #expect(error.code == .insufficientPrivilege)
            #expect(error.sqlState == "42501")
            #expect(try await Self.seen(pool, .tenant("acme")) == ["a"])
            #expect(try await Self.seen(pool, .tenant("beta")) == ["b"])
        }
    }

    @Test func seesAndWritesNothingWithoutContext() async throws {
        try await Self.withTwoTenants { pool in
            #expect(try await Self.seen(pool, .none) == [])
            let changed = try await pool.transaction(.none) { transaction in
                try transaction.execute("UPDATE notes SET body = 'x'") + transaction.execute("DELETE FROM notes")
            }
            #expect(changed == 0)
            for tenant in ["'acme'", "''", "'_platform'"] {
                let error = try await #require(throws: PostgreSQLError.self) {
                    try await pool.transaction(.none) {
                        try $0.execute("INSERT INTO notes (id, tenant_id) VALUES ('c', \(tenant))")
                    }
                }
                #expect(error.sqlState == "42501")
            }
        }
    }

    @Test func switchesWhatItSeesWithTheContext() async throws {
        try await Self.withTwoTenants { pool in
            let seen = try await pool.transaction(.tenant("acme")) { transaction in
                var seen: [[String]] = []
                for scope in [nil, TenantScope.tenant("beta"), TenantScope.none, .tenant("acme"), .platform] {
                    if let scope { try transaction.enter(scope) }
                    seen.append(try transaction.query("SELECT id FROM notes").map { try $0.text(0) })
                }
                return seen
            }
            #expect(seen == [["a"], ["b"], [], ["a"], []])
        }
    }

    /// A query whose tenant predicate was forgotten, on one connection that has just served another tenant.
    @Test func forgivesAForgottenPredicate() async throws {
        try await Self.withTwoTenants { pool in
            let broken = "SELECT id FROM notes WHERE id = ANY($1::text[])"
            let whole = broken + " AND tenant_id = $2"
            for (tenant, own) in [("acme", "a"), ("beta", "b"), ("acme", "a")] {
                let ids: PostgreSQLValue = .texts(["a", "b"])
                let right = try await pool.query(.tenant(tenant), whole, [ids, .text(tenant)])
                let forgotten = try await pool.query(.tenant(tenant), broken, [ids])
                #expect(try right.map { try $0.text(0) } == [own])
                #expect(forgotten == right)
            }
            #expect(try await pool.query(.none, broken, [.texts(["a", "b"])]).isEmpty)
        }
    }

    @Test func keepsThePlatformsOwnRowsApart() async throws {
        try await Self.withTwoTenants { pool in
            try await pool.transaction(.platform) {
                try $0.execute("INSERT INTO notes (id, tenant_id) VALUES ('p', '_platform')")
            }
            #expect(try await Self.seen(pool, .platform) == ["p"])
            #expect(try await Self.seen(pool, .tenant("acme")) == ["a"])
            for (tenant, code) in [("_platform", PostgreSQLError.Code.reservedTenant), ("", .missingTenant)] {
                let error = try await #require(throws: PostgreSQLError.self) {
                    try await Self.seen(pool, .tenant(tenant))
                }
                #expect(error.code == code)
            }
        }
    }

    /// What the transaction before left behind, on the one connection there is.
    @Test func leavesNoContextBehind() async throws {
        struct Broken: Error {}
        try await Self.withTwoTenants { pool in
            func context() async throws -> String? {
                let rows = try await pool.query(
                    .none, "SELECT get_current_tenant_id(), pg_backend_pid()::text, count(*) FROM notes")
                #expect(try rows[0].integer(2) == 0)
                return try rows[0].optionalText(0)
            }
            _ = try await Self.seen(pool, .tenant("acme"))
            #expect(try await context() == nil, "after a commit")
            await #expect(throws: Broken.self) {
                try await pool.transaction(.tenant("acme")) { transaction in
                    _ = try transaction.query("SELECT 1")
                    throw Broken()
                }
            }
            #expect(try await context() == nil, "after a rollback")
            await #expect(throws: PostgreSQLError.self) {
                try await pool.query(.tenant("acme"), "SELECT 1 / (SELECT 0)")
            }
            #expect(try await context() == nil, "after an error")
            await #expect(throws: PostgreSQLError.self) {
                try await pool.transaction(.tenant("acme")) { transaction in
                    // An error that the body hides does not get committed either.
                    do { _ = try transaction.query("SELECT nonsense") } catch {}
                }
            }
            #expect(try await context() == nil, "after a hidden error")
            try await pool.transaction(.tenant("acme")) { try $0.enter(.tenant("beta")) }
            #expect(try await context() == nil, "after a transaction that did nothing")
        }
    }

    @Test func showsTheStateOfEveryTable() async throws {
        let database = try await DatabaseSupport.withNotes()
        try await DatabaseSupport.withPool(database.url) { pool in
            let rows = try await pool.query(
                .none, "SELECT schemaname, tablename, rls_enabled, rls_forced FROM rls_status WHERE tablename = 'notes'"
            )
            #expect(rows.count == 1)
            #expect(try rows[0].text(0) == "tollgate")
            #expect(try rows[0].boolean(2) && rows[0].boolean(3))
            let unprotected = try await pool.query(
                .none, "SELECT tablename FROM rls_status WHERE NOT rls_enabled OR NOT rls_forced")
            #expect(unprotected.isEmpty)
            let policies = try await pool.query(
                .none, "SELECT policyname FROM pg_policies WHERE tablename = 'notes' ORDER BY 1")
            let names = try policies.map { try $0.text(0) }
            #expect(names == ["delete", "insert", "select", "update"].map { "tenant_isolation_notes_\($0)" })
        }
    }
}
