// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Brings a database to the present schema, or says why it is not there. Everything happens in one transaction under a lock, so that of several
/// replicas one does the work, and a step that fails leaves nothing behind.
package struct PostgreSQLMigrator: Sendable {
    /// Where a database stands.
    package struct Status: Sendable, Hashable {
        /// The steps that were made, in order.
        package let made: [String]
        /// The steps that are missing, in order.
        package let missing: [String]

        /// Whether nothing is missing.
        package var isCurrent: Bool { missing.isEmpty }
    }

    /// What a migration did.
    package struct Report: Sendable, Hashable {
        /// The version it found.
        package let before: Int
        /// The names of the steps that it made.
        package let made: [String]
        /// The version now.
        package var version: Int { before + made.count }
    }

    /// Two numbers of our own: `TGAT`, and 1 for migrations.
    static let lock = PostgreSQLStatement(
        "SELECT pg_catalog.pg_advisory_xact_lock($1::integer, 1)", [.integer(0x5447_4154)])

    private let database: PostgreSQLDatabase
    private let steps: [PostgreSQLMigration]

    /// A migrator over a connection of `tollgate db …` (`PostgreSQLSettings.administration`) or, for `check`, of the server.
    package init(_ database: PostgreSQLDatabase, steps: [PostgreSQLMigration] = PostgreSQLMigrations.steps) {
        self.database = database
        self.steps = steps
    }

    /// Makes the steps that are missing, the roles, their rights, and the row-level security of the product's own tables.
    ///
    /// - Throws: `PostgreSQLError` with `foreignDatabase`, `schemaTooNew`, `refusedRole`, `insufficientPrivilege` or `migrationFailed`.
    package func migrate(installsRowSecurity: Bool) async throws -> Report {
        let steps = steps
        return try await database.transaction(.none) { transaction throws(PostgreSQLError) in
            _ = try transaction.run([Self.lock])
            try PostgreSQLRoles.ensure(transaction)
            try Self.ensureSchema(transaction)
            let before = try Self.made(transaction, steps: steps)
            for (index, step) in steps.enumerated() where index >= before.count {
                try Self.make(step, version: index + 1, transaction)
            }
            if before.count < steps.count { try PostgreSQLRoles.grant(transaction) }
            if installsRowSecurity { try RowSecurity.installOwn(transaction) }
            return Report(before: before.count, made: steps.dropFirst(before.count).map(\.name))
        }
    }

    /// Where the database stands, without changing it.
    ///
    /// - Throws: `PostgreSQLError` with `foreignDatabase` or `schemaTooNew`.
    package func status() async throws -> Status {
        let steps = steps
        return try await database.transaction(.none, isReadOnly: true) { transaction throws(PostgreSQLError) in
            let made = try Self.made(transaction, steps: steps)
            return Status(made: made, missing: steps.dropFirst(made.count).map(\.name))
        }
    }

    /// Checks that the schema is the one that this program knows.
    ///
    /// - Throws: `PostgreSQLError` with `schemaTooOld`, `schemaTooNew` or `foreignDatabase`.
    package func check() async throws {
        let status: Status
        do {
            status = try await self.status()
        } catch let error as PostgreSQLError where error.code == .insufficientPrivilege {
            throw PostgreSQLError(
                .refusedRole,
                "The login of \(database.settings.address) may not read the product's tables: run GRANT \(PostgreSQLSettings.serverRole) TO it",
                sqlState: error.sqlState, cause: error)
        }
        guard !status.isCurrent else { return }
        throw PostgreSQLError(
            .schemaTooOld,
            "The database \(database.settings.address) lacks \(status.missing.count) of \(steps.count) schema steps, from '\(status.missing[0])' on: run 'tollgate db migrate', or set TOLLGATE_DATABASE_ADMIN_URL to have the server do it"
        )
    }

    private static func ensureSchema(_ transaction: PostgreSQLTransaction) throws(PostgreSQLError) {
        let exists = try transaction.query(
            "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1", [.text(PostgreSQLSettings.schema)])
        if exists.isEmpty {
            try transaction.execute("CREATE SCHEMA tollgate AUTHORIZATION tollgate_admin")
        }
        try transaction.execute("SET LOCAL ROLE tollgate_admin")
        guard try tables(transaction) == 0 else { return }
        _ = try transaction.run([
            PostgreSQLStatement(
                """
                CREATE TABLE tollgate.schema_migrations (
                    version integer PRIMARY KEY,
                    name text NOT NULL,
                    made_at timestamptz NOT NULL DEFAULT now(),
                    made_by text NOT NULL DEFAULT session_user
                )
                """),
            PostgreSQLStatement(
                "COMMENT ON SCHEMA tollgate IS 'Tables of Tollgate: change them with tollgate db migrate only'"),
        ])
    }

    private static func tables(_ transaction: PostgreSQLTransaction) throws(PostgreSQLError) -> Int64 {
        try transaction.query(
            """
            SELECT count(*) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
            """, [.text(PostgreSQLSettings.schema)])[0].integer(0)
    }

    /// The names of the steps that were made, checked against those that are known.
    private static func made(
        _ transaction: PostgreSQLTransaction, steps: [PostgreSQLMigration]
    ) throws(PostgreSQLError) -> [String] {
        let columns = try transaction.query(
            """
            SELECT count(*) FILTER (WHERE a.attname IN ('version', 'name', 'made_at', 'made_by'))
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
            WHERE n.nspname = $1 AND c.relname = 'schema_migrations'
            """, [.text(PostgreSQLSettings.schema)])[0].integer(0)
        guard columns == 4 else {
            guard try tables(transaction) == 0 else {
                throw PostgreSQLError(
                    .foreignDatabase,
                    "The schema '\(PostgreSQLSettings.schema)' of this database belongs to another program: name another database"
                )
            }
            return []
        }
        let rows = try transaction.query("SELECT version, name FROM tollgate.schema_migrations ORDER BY version")
        guard rows.count <= steps.count else {
            throw PostgreSQLError(
                .schemaTooNew,
                "The database has schema version \(rows.count), this program knows \(steps.count): use a newer program")
        }
        var names: [String] = []
        for (row, step) in zip(rows, steps) {
            let (version, name) = (try row.integer(0), try row.text(1))
            guard version == Int64(names.count + 1), name == step.name else {
                throw PostgreSQLError(
                    .foreignDatabase,
                    "Step \(version) of the schema is '\(name)' in the database, and \(names.count + 1) is '\(step.name)' here: the database was made by another program"
                )
            }
            names.append(name)
        }
        return names
    }

    private static func make(
        _ step: PostgreSQLMigration, version: Int, _ transaction: PostgreSQLTransaction
    ) throws(PostgreSQLError) {
        do {
            // A step may have left another path or role behind.
            _ = try transaction.run([
                PostgreSQLStatement("SET LOCAL ROLE tollgate_admin"),
                PostgreSQLStatement("SET LOCAL search_path = tollgate, pg_temp"),
            ])
            try transaction.runScript(step.sql)
            try transaction.execute(
                "INSERT INTO tollgate.schema_migrations (version, name) VALUES ($1, $2)",
                [.integer(version), .text(step.name)])
        } catch {
            throw PostgreSQLError(
                .migrationFailed, "Schema step \(version), '\(step.name)', failed; nothing was changed",
                sqlState: error.sqlState, cause: error)
        }
    }
}
