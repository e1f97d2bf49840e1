// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Persistence
internal import TestSupport
internal import Testing

/// What the catalogue of a migrated database says about the product's own schema.
@Suite(.timeLimit(.minutes(10))) struct SchemaCatalogueTests {
    @Test func forcesEveryTableWithATenant() async throws {
        let database = try await DatabaseSupport.migrated()
        // Asked without the product's own words for it.
        let open = try await database.run(
            """
            SELECT a.attrelid::regclass FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
                JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE a.attname = 'tenant_id' AND c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
                AND (NOT c.relrowsecurity OR NOT c.relforcerowsecurity OR NOT a.attnotnull OR a.atttypid <> 'text'::regtype
                    OR (SELECT count(DISTINCT polcmd) FROM pg_policy WHERE polrelid = c.oid) <> 4)
            """)
        #expect(open == "")
        try await DatabaseSupport.withPool(database.url) { try await RowSecurity($0).check(isEnabled: true) }
    }

    @Test(arguments: [
        ("CREATE TABLE tollgate.extra (tenant_id text NOT NULL)", "tollgate.extra: row-level security is not enabled"),
        (
            "CREATE TABLE tollgate.extra (tenant_id text); ALTER TABLE tollgate.extra ENABLE ROW LEVEL SECURITY",
            "tollgate.extra: row-level security is not forced"
        ),
        ("ALTER TABLE tollgate.notes NO FORCE ROW LEVEL SECURITY", "tollgate.notes: row-level security is not forced"),
        ("ALTER TABLE tollgate.notes DISABLE ROW LEVEL SECURITY", "tollgate.notes: row-level security is not enabled"),
        (
            "DROP POLICY tenant_isolation_notes_update ON tollgate.notes",
            "policy tenant_isolation_notes_update is missing"
        ),
        (
            "ALTER POLICY tenant_isolation_notes_select ON tollgate.notes USING (true)",
            "policy tenant_isolation_notes_select is missing or not as it must be"
        ),
        ("CREATE POLICY easy ON tollgate.notes USING (true)", "policy easy is not of Tollgate"),
        ("CREATE TABLE public.users (tenant_id text NOT NULL)", "public.users: row-level security is not enabled"),
    ])
    func refusesAServerOverAnOpenTable(change: String, complaint: String) async throws {
        let database = try await DatabaseSupport.withNotes()
        try await DatabaseSupport.withPool(database.url) { pool in
            try await RowSecurity(pool).check(isEnabled: true)
            try await database.run(change)
            let error = try await #require(throws: PostgreSQLError.self) {
                try await RowSecurity(pool).check(isEnabled: true)
            }
            #expect(error.code == .unprotectedTable)
            #expect(error.message.contains(complaint), "\(error)")
        }
    }

    @Test func leavesForeignTablesAlone() async throws {
        let database = try await DatabaseSupport.withNotes()
        try await database.run(
            "CREATE SCHEMA other; CREATE TABLE other.users (tenant_id text); CREATE TABLE public.invoices (tenant_id text)"
        )
        try await DatabaseSupport.withPool(database.url) { try await RowSecurity($0).check(isEnabled: true) }
    }

    @Test func namesTheTablesThatHavePoliciesWhereTheyAreOff() async throws {
        let database = try await DatabaseSupport.withNotes()
        try await DatabaseSupport.withPool(database.url, change: { $0.isRowSecurityEnabled = false }) { pool in
            let error = try await #require(throws: PostgreSQLError.self) {
                try await RowSecurity(pool).check(isEnabled: false)
            }
            #expect(error.code == .unexpectedPolicies)
            #expect(error.message.contains("tollgate.notes"))
            // It goes around nothing: no context is set, and nothing is seen.
            let context = try await pool.query(.tenant("acme"), "SELECT get_current_tenant_id()")[0].optionalText(0)
            #expect(context == nil)
        }
    }

    @Test func installsNoPoliciesWhereTheyAreOff() async throws {
        let database = try await PostgreSQLServer.shared().makeDatabase()
        try await DatabaseSupport.migrate(database, installsRowSecurity: false)
        #expect(try await database.run("SELECT count(*) FROM pg_policy") == "0")
        try await DatabaseSupport.withPool(database.url, change: { $0.isRowSecurityEnabled = false }) {
            try await RowSecurity($0).check(isEnabled: false)
        }
    }

    /// What runs as its maker looks nowhere but into fixed schemas, and only the server may call it.
    @Test func closesEveryFunctionThatRunsAsItsMaker() async throws {
        let database = try await DatabaseSupport.migrated()
        let open = try await database.run(
            """
            SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
            WHERE n.nspname = 'tollgate' AND p.prosecdef AND (
                NOT EXISTS (SELECT 1 FROM unnest(p.proconfig) AS c WHERE c LIKE 'search_path=%pg_temp')
                OR p.proowner <> 'tollgate_admin'::regrole OR has_function_privilege('public', p.oid, 'EXECUTE')
                OR NOT has_function_privilege('tollgate_app', p.oid, 'EXECUTE'))
            """)
        #expect(open == "")
    }

    @Test func givesTheServerNoMoreThanItNeeds() async throws {
        let database = try await DatabaseSupport.migrated()
        let facts = try await database.run(
            """
            SELECT bool_and(NOT rolcanlogin), bool_and(NOT rolsuper),
                bool_and(rolbypassrls = (rolname <> 'tollgate_app')),
                pg_has_role('a2a_admin', 'tollgate_admin', 'MEMBER'),
                has_schema_privilege('tollgate_app', 'tollgate', 'CREATE'),
                has_table_privilege('tollgate_app', 'tollgate.schema_migrations', 'INSERT,UPDATE,DELETE,TRUNCATE'),
                (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                    WHERE n.nspname = 'tollgate' AND c.relkind IN ('r', 'p', 'v')
                        AND (c.relowner <> 'tollgate_admin'::regrole OR has_table_privilege('public', c.oid, 'SELECT')))
            FROM pg_roles WHERE rolname IN ('tollgate_app', 'tollgate_admin', 'a2a_admin')
            """)
        #expect(facts == "t|t|t|t|f|f|0")
    }
}
