// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Logging
internal import Metrics
internal import MetricsTestKit
internal import Persistence
internal import TestSupport
internal import Testing

/// How a database comes to the present schema, and which databases are refused.
@Suite(.timeLimit(.minutes(10))) struct MigrationTests {
    private static let first = PostgreSQLMigration(
        "first", sql: "CREATE TABLE one (id integer); INSERT INTO one VALUES (1)")
    private static let second = PostgreSQLMigration("second", sql: "CREATE TABLE two (id integer)")

    private static func migrate(
        _ database: TestDatabase, _ steps: [PostgreSQLMigration]
    ) async throws -> PostgreSQLMigrator.Report {
        try await DatabaseSupport.withAdministration(database.adminURL) {
            try await PostgreSQLMigrator($0, steps: steps).migrate(installsRowSecurity: true)
        }
    }

    @Test func migratesAnEmptyDatabase() async throws {
        let database = try await PostgreSQLServer.shared().makeDatabase()
        let report = try await DatabaseSupport.migrate(database)
        #expect(report.before == 0)
        #expect(report.made == PostgreSQLMigrations.steps.map(\.name))
        #expect(try await DatabaseSupport.migrate(database).made.isEmpty)
        try await DatabaseSupport.withPool(database.url) { pool in
            try await PostgreSQLMigrator(pool).check()
            let row = try await pool.query(
                .tenant("acme"), "SELECT current_user, session_user, get_current_tenant_id()")[0]
            #expect(try [row.text(0), row.text(1), row.text(2)] == ["tollgate_app", "gate", "acme"])
        }
    }

    @Test func addsOnlyWhatIsMissing() async throws {
        let database = try await PostgreSQLServer.shared().makeDatabase()
        #expect(try await Self.migrate(database, [Self.first]).version == 1)
        let status = try await DatabaseSupport.withAdministration(database.adminURL) {
            try await PostgreSQLMigrator($0, steps: [Self.first, Self.second]).status()
        }
        #expect(status.made == ["first"])
        #expect(status.missing == ["second"])
        let report = try await Self.migrate(database, [Self.first, Self.second])
        #expect(report.before == 1)
        #expect(report.made == ["second"])
        #expect(try await database.run("SELECT count(*) FROM tollgate.one") == "1")
    }

    /// Tables with their columns, indices, functions and policies.
    private static let shape = """
        SELECT md5(string_agg(line, ';' ORDER BY line)) FROM (
            SELECT concat_ws(' ', table_name, column_name, data_type, is_nullable, collation_name) AS line
            FROM information_schema.columns WHERE table_schema = 'tollgate'
            UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'tollgate'
            UNION ALL SELECT pg_get_functiondef(p.oid) FROM pg_proc p
            WHERE p.pronamespace = 'tollgate'::regnamespace AND p.prokind = 'f'
            UNION ALL SELECT concat_ws(' ', tablename, policyname, cmd, qual, with_check) FROM pg_policies
            WHERE schemaname = 'tollgate'
        ) lines
        """

    @Test func eachEarlierVersionBecomesThePresentOne() async throws {
        let steps = PostgreSQLMigrations.steps
        let fresh = try await PostgreSQLServer.shared().makeDatabase()
        _ = try await Self.migrate(fresh, steps)
        let wanted = try await fresh.run(Self.shape)
        for version in 1..<steps.count {
            let database = try await PostgreSQLServer.shared().makeDatabase()
            _ = try await Self.migrate(database, Array(steps.prefix(version)))
            let report = try await Self.migrate(database, steps)
            #expect(report.before == version && report.made.count == steps.count - version)
            #expect(try await database.run(Self.shape) == wanted, "from version \(version)")
        }
    }

    /// Payments were kept for each account alone once.
    @Test func whatPaymentsBoughtMovesToOneTable() async throws {
        let database = try await PostgreSQLServer.shared().makeDatabase()
        let steps = PostgreSQLMigrations.steps
        let place = try #require(steps.firstIndex { $0.name == "purchases of billing accounts" })
        _ = try await Self.migrate(database, Array(steps.prefix(place)))
        try await database.run(
            """
            INSERT INTO tollgate.billing_documents (tenant_id, kind, name, document) VALUES
                ('other', 'provider_payment', 'pi_1', '{"key":"cs:b"}'),
                ('acme', 'provider_payment', 'pi_1', '{"key":"cs:a"}'),
                ('other', 'provider_payment', 'pi_2', '{"key":"pi:pi_2"}'), ('acme', 'meter_report', 'm', '{}')
            """)
        _ = try await Self.migrate(database, steps)
        let tied = try await database.run(
            "SELECT string_agg(concat_ws(' ', tenant_id, purchase, key), ', ' ORDER BY purchase) FROM tollgate.billing_purchases"
        )
        #expect(tied == "acme pi:pi_1 cs:a, other pi:pi_2 pi:pi_2")
        #expect(
            try await database.run("SELECT string_agg(kind, ' ') FROM tollgate.billing_documents") == "meter_report")
    }

    @Test func letsOneOfSeveralReplicasDoIt() async throws {
        let database = try await PostgreSQLServer.shared().makeDatabase()
        let made = try await withThrowingTaskGroup { group in
            for _ in 0..<4 { group.addTask { try await DatabaseSupport.migrate(database).made.count } }
            var made: [Int] = []
            for try await count in group { made.append(count) }
            return made.sorted()
        }
        #expect(made == [0, 0, 0, PostgreSQLMigrations.steps.count])
    }

    @Test func keepsNothingOfAFailedMigration() async throws {
        let database = try await PostgreSQLServer.shared().makeDatabase()
        let broken = PostgreSQLMigration("broken", sql: "CREATE TABLE two (id integer); SELECT nonsense")
        let error = try await #require(throws: PostgreSQLError.self) {
            try await Self.migrate(database, [Self.first, broken])
        }
        #expect(error.code == .migrationFailed)
        #expect(error.message.contains("'broken'"))
        #expect(try await database.run("SELECT count(*) FROM pg_namespace WHERE nspname = 'tollgate'") == "0")
    }

    @Test func refusesANewerSchema() async throws {
        let database = try await DatabaseSupport.withNotes()
        let errors = [
            try await #require(throws: PostgreSQLError.self) { try await DatabaseSupport.migrate(database) },
            try await #require(throws: PostgreSQLError.self) {
                try await DatabaseSupport.withPool(database.url) { try await PostgreSQLMigrator($0).check() }
            },
        ]
        for error in errors {
            #expect(error.code == .schemaTooNew)
            #expect(error.message.contains("use a newer program"))
        }
    }

    @Test(arguments: [
        "CREATE SCHEMA tollgate; CREATE TABLE tollgate.orders (id integer)",
        "CREATE SCHEMA tollgate; CREATE TABLE tollgate.schema_migrations (version text)",
        """
        CREATE SCHEMA tollgate; CREATE TABLE tollgate.schema_migrations (version integer, name text, made_at text,
        made_by text); INSERT INTO tollgate.schema_migrations VALUES (1, 'orders'); GRANT USAGE ON SCHEMA tollgate TO PUBLIC;
        GRANT ALL ON ALL TABLES IN SCHEMA tollgate TO PUBLIC
        """,
    ])
    func refusesAnotherProgramsDatabase(sql: String) async throws {
        let database = try await PostgreSQLServer.shared().makeDatabase()
        try await database.run(sql)
        let error = try await #require(throws: PostgreSQLError.self) { try await DatabaseSupport.migrate(database) }
        #expect(error.code == .foreignDatabase, "\(error)")
    }

    @Test func saysWhatAServerMayNotMakeItself() async throws {
        let database = try await PostgreSQLServer.shared().makeDatabase()
        for steps in [nil, [Self.first]] {
            if let steps { _ = try await Self.migrate(database, steps) }
            let error = try await #require(throws: PostgreSQLError.self) {
                try await DatabaseSupport.withPool(database.url) {
                    try await PostgreSQLMigrator($0, steps: [Self.first, Self.second]).check()
                }
            }
            #expect(error.code == .schemaTooOld)
            #expect(error.message.contains("tollgate db migrate"))
        }
    }

    @Test func makesTheRolesWhereItMay() async throws {
        try await PostgreSQLServer.with(hasRoles: false) { server in
            try await server.run("CREATE ROLE plain LOGIN PASSWORD '\(PostgreSQLServer.password)'")
            let database = try await server.makeDatabase(owner: "plain")
            let refusal = try await #require(throws: PostgreSQLError.self) {
                try await DatabaseSupport.withAdministration(server.url(user: "plain", database: database.name)) {
                    try await PostgreSQLMigrator($0).migrate(installsRowSecurity: true)
                }
            }
            #expect(refusal.code == .insufficientPrivilege)
            #expect(refusal.message.contains("CREATE ROLE tollgate_admin NOLOGIN BYPASSRLS;"))
            // Two databases of one server at once: roles belong to both.
            let other = try await server.makeDatabase(owner: "plain")
            try await withThrowingTaskGroup { group in
                for database in [database, other] {
                    group.addTask {
                        _ = try await DatabaseSupport.withAdministration(database.superuserURL) {
                            try await PostgreSQLMigrator($0).migrate(installsRowSecurity: true)
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(
                try await server.run(
                    "SELECT string_agg(rolname || rolbypassrls || rolcanlogin, ' ' ORDER BY rolname) FROM pg_roles WHERE rolname ~ '^(tollgate|a2a)_'"
                )
                    == "a2a_admintruefalse tollgate_admintruefalse tollgate_appfalsefalse")
        }
    }

    @Test func refusesAMightyServerRole() async throws {
        try await PostgreSQLServer.with { server in
            let database = try await server.makeDatabase()
            try await server.run("ALTER ROLE tollgate_app BYPASSRLS")
            let error = try await #require(throws: PostgreSQLError.self) { try await DatabaseSupport.migrate(database) }
            #expect(error.code == .refusedRole)
            #expect(error.message.contains("ALTER ROLE tollgate_app NOSUPERUSER NOBYPASSRLS"))
        }
    }

    @Test(arguments: [true, false]) func opensADatabaseForAServer(isRowSecurityEnabled: Bool) async throws {
        let database = try await PostgreSQLServer.shared().makeDatabase()
        var settings = PostgreSQLSettings(address: try PostgreSQLAddress(database.url))
        settings.isRowSecurityEnabled = isRowSecurityEnabled
        settings.statementTimeout = .seconds(60)
        let metrics = TestMetrics()
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let missing = try await #require(throws: PostgreSQLError.self) {
            _ = try await PostgreSQLStart.open(settings, administrator: nil, logger: logger, metrics: metrics)
        }
        #expect(missing.code == .schemaTooOld)
        let pool = try await PostgreSQLStart.open(
            settings, administrator: try PostgreSQLAddress(database.adminURL), logger: logger, metrics: metrics)
        try await pool.ping()
        await pool.shutdown()
        #expect(try metrics.expectGauge("tollgate_rls_enabled").lastValue == (isRowSecurityEnabled ? 1 : 0))
        // The administrator's login is none for a server.
        var mighty = settings
        mighty.address = try PostgreSQLAddress(database.adminURL)
        if isRowSecurityEnabled {
            let refusal = try await #require(throws: PostgreSQLError.self) {
                _ = try await PostgreSQLStart.open(mighty, administrator: nil, logger: logger, metrics: metrics)
            }
            #expect(refusal.code == .refusedRole)
        }
    }
}
