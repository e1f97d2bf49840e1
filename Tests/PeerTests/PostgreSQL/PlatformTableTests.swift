// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Persistence
internal import TestSupport
internal import Testing

/// The tables of an existing platform, beside the product's own in one database.
@Suite(.timeLimit(.minutes(10))) struct PlatformTableTests {
    private static let tables = """
        CREATE TABLE public.okrs (id integer PRIMARY KEY, tenant_id varchar(64), title text);
        CREATE TABLE public.okr_runs (id integer PRIMARY KEY, "okrId" integer REFERENCES public.okrs (id));
        CREATE TABLE public.okr_key_results (id integer PRIMARY KEY, okr_id integer NOT NULL REFERENCES public.okrs (id));
        CREATE TABLE public.api_keys (id integer PRIMARY KEY, tenant_id text NOT NULL);
        CREATE TABLE public.sessions (id integer PRIMARY KEY);
        INSERT INTO public.okrs VALUES (1, 'acme', 'ours'), (2, 'beta', 'theirs');
        INSERT INTO public.okr_runs VALUES (10, 1), (20, 2);
        INSERT INTO public.okr_key_results VALUES (11, 1), (21, 2);
        ALTER TABLE public.okrs OWNER TO gate_admin; ALTER TABLE public.okr_runs OWNER TO gate_admin;
        ALTER TABLE public.okr_key_results OWNER TO gate_admin; ALTER TABLE public.api_keys OWNER TO gate_admin;
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO tollgate_app;
        """

    private static func apply(_ database: TestDatabase) async throws -> [RowSecurity.Outcome] {
        try await DatabaseSupport.withAdministration(database.adminURL) { try await RowSecurity($0).apply() }
    }

    @Test func coversThePlatformsTablesAndTheirChildren() async throws {
        let database = try await DatabaseSupport.migrated()
        try await database.run(Self.tables)
        let first = try await Self.apply(database).filter { $0.table.hasPrefix("public.") }
        #expect(
            first.map(\.table) == ["public.api_keys", "public.okr_key_results", "public.okr_runs", "public.okrs"])
        #expect(first.allSatisfy { $0.isChanged })
        let second = try await Self.apply(database)
        #expect(second.allSatisfy { !$0.isChanged }, "a second time there is nothing to do")
        #expect(
            try await database.run(
                "SELECT tablename FROM tollgate.rls_status WHERE schemaname = 'public' AND rls_forced ORDER BY 1")
                == "api_keys\nokr_key_results\nokr_runs\nokrs")

        try await DatabaseSupport.withPool(database.url) { pool in
            try await RowSecurity(pool).check(isEnabled: true)
            for (scope, expected) in [
                (TenantScope.tenant("acme"), "1,10,11"), (.tenant("beta"), "2,20,21"), (.none, ""),
            ] {
                let row = try await pool.query(
                    scope,
                    """
                    SELECT string_agg(id::text, ',' ORDER BY id::text) FROM (SELECT id FROM public.okrs
                        UNION ALL SELECT id FROM public.okr_runs UNION ALL SELECT id FROM public.okr_key_results) AS a
                    """)[0]
                #expect(try row.optionalText(0) ?? "" == expected)
            }
            // A child may not be hung onto another tenant's parent, and follows its own.
            for sql in [
                "INSERT INTO public.okr_runs VALUES (30, 2)", "UPDATE public.okr_runs SET \"okrId\" = 2 WHERE id = 10",
            ] {
                let error = try await #require(throws: PostgreSQLError.self) {
                    try await pool.transaction(.tenant("acme")) { try $0.execute(sql) }
                }
                #expect(error.sqlState == "42501")
            }
            let deleted = try await pool.transaction(.tenant("acme")) {
                try $0.execute("DELETE FROM public.okr_key_results")
            }
            #expect(deleted == 1)
        }
    }

    @Test func refusesRowsWithoutATenantAndCountsThem() async throws {
        let database = try await DatabaseSupport.migrated()
        try await database.run(Self.tables)
        try await database.run("INSERT INTO public.okrs VALUES (3), (4)")
        let error = try await #require(throws: PostgreSQLError.self) { try await Self.apply(database) }
        #expect(error.code == .missingTenants)
        #expect(error.message.contains("public.okrs has 2 rows without tenant_id"), "\(error)")
        #expect(
            try await database.run("SELECT count(*) FROM pg_policy WHERE polrelid = 'public.api_keys'::regclass") == "0"
        )

        try await database.run("UPDATE public.okrs SET tenant_id = 'acme' WHERE tenant_id IS NULL")
        _ = try await Self.apply(database)
        #expect(
            try await database.run(
                "SELECT attnotnull FROM pg_attribute WHERE attrelid = 'public.okrs'::regclass AND attname = 'tenant_id'"
            )
                == "t")
    }

    @Test(arguments: [
        ("CREATE TABLE public.okr_runs (id integer)", "public.okr_runs: no foreign key to public.okrs"),
        ("CREATE TABLE public.users (tenant_id uuid)", "public.users: tenant_id is uuid: make it text"),
        (
            "CREATE TABLE public.users (tenant_id text NOT NULL); CREATE POLICY easy ON public.users USING (true)",
            "public.users: policy easy may open rows to other tenants"
        ),
    ])
    func refusesWhatOnlyItsOwnerCanMend(sql: String, complaint: String) async throws {
        let database = try await DatabaseSupport.migrated()
        try await database.run(sql)
        let error = try await #require(throws: PostgreSQLError.self) { try await Self.apply(database) }
        #expect(error.code == .unprotectedTable)
        #expect(error.message.contains(complaint), "\(error)")
    }

    @Test func saysWhoseTableItMayNotChange() async throws {
        let database = try await DatabaseSupport.migrated()
        try await database.run("CREATE TABLE public.users (tenant_id text NOT NULL)")
        let error = try await #require(throws: PostgreSQLError.self) { try await Self.apply(database) }
        #expect(error.code == .insufficientPrivilege)
        #expect(error.message.contains("public.users belongs to another role"), "\(error)")
    }

    @Test func replacesEarlierPoliciesOfTheSameIsolation() async throws {
        let database = try await DatabaseSupport.migrated()
        try await database.run(
            """
            CREATE TABLE public.tasks (tenant_id text NOT NULL); ALTER TABLE public.tasks OWNER TO gate_admin;
            CREATE POLICY tenant_isolation_tasks ON public.tasks USING (true);
            CREATE POLICY tenant_isolation_tasks_select ON public.tasks FOR SELECT USING (true);
            CREATE POLICY narrow ON public.tasks AS RESTRICTIVE USING (tenant_id <> 'x');
            """)
        _ = try await Self.apply(database)
        #expect(
            try await database.run("SELECT count(*), bool_or(qual = 'true') FROM pg_policies WHERE tablename = 'tasks'")
                == "5|f")
    }
}
