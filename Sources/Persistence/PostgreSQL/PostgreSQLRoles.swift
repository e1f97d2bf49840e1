// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// The two roles of the database: what the server works as, and who owns the tables.
enum PostgreSQLRoles {
    private static let wanted = [
        (name: PostgreSQLSettings.serverRole, bypasses: false),
        (name: PostgreSQLSettings.adminRole, bypasses: true),
        (name: PostgreSQLSettings.adminRoleAlias, bypasses: true),
    ]

    /// Makes the roles that are missing and checks the others.
    ///
    /// - Throws: `PostgreSQLError` with `insufficientPrivilege` and the statements that somebody else must run, or `refusedRole`.
    static func ensure(_ transaction: PostgreSQLTransaction) throws(PostgreSQLError) {
        let present = try attributes(transaction)
        let missing = wanted.filter { present[$0.name] == nil }
        if !missing.isEmpty {
            guard try mayCreate(transaction) else {
                let statements = missing.map {
                    "CREATE ROLE \($0.name) NOLOGIN\($0.bypasses ? " BYPASSRLS" : "");"
                }
                throw PostgreSQLError(
                    .insufficientPrivilege,
                    "The roles \(missing.map(\.name).joined(separator: ", ")) are missing, and only a superuser may make them: have one run \(statements.joined(separator: " ")) GRANT \(PostgreSQLSettings.adminRole) TO the login of TOLLGATE_DATABASE_ADMIN_URL;"
                )
            }
            for role in missing { try create(role.name, bypasses: role.bypasses, transaction) }
        }
        for (name, bypasses) in wanted {
            guard let attributes = present[name] else { continue }
            guard !attributes.isSuperuser, attributes.bypasses == bypasses else {
                throw PostgreSQLError(
                    .refusedRole,
                    "The role \(name) \(attributes.isSuperuser ? "is a superuser" : bypasses ? "has no BYPASSRLS" : "has BYPASSRLS"): run ALTER ROLE \(name) NOSUPERUSER \(bypasses ? "BYPASSRLS" : "NOBYPASSRLS")"
                )
            }
        }
        try joinAlias(transaction)
    }

    /// Gives the server's role what it needs in the product's schema, and takes it from everybody else.
    static func grant(_ transaction: PostgreSQLTransaction) throws(PostgreSQLError) {
        try transaction.runScript(
            """
            SET LOCAL ROLE tollgate_admin;
            GRANT USAGE ON SCHEMA tollgate TO tollgate_app;
            REVOKE ALL ON ALL TABLES IN SCHEMA tollgate FROM PUBLIC;
            GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA tollgate TO tollgate_app;
            REVOKE INSERT, UPDATE, DELETE ON tollgate.schema_migrations FROM tollgate_app;
            GRANT USAGE ON ALL SEQUENCES IN SCHEMA tollgate TO tollgate_app;
            DO $$ BEGIN
                IF to_regclass('tollgate.audit_entries') IS NOT NULL THEN
                    REVOKE UPDATE, DELETE ON tollgate.audit_entries FROM tollgate_app;
                END IF;
                IF to_regclass('tollgate.billing_entries') IS NOT NULL THEN
                    REVOKE UPDATE, DELETE ON tollgate.billing_entries FROM tollgate_app;
                END IF;
            END $$;
            REVOKE EXECUTE ON ALL ROUTINES IN SCHEMA tollgate FROM PUBLIC;
            GRANT EXECUTE ON ALL ROUTINES IN SCHEMA tollgate TO tollgate_app;
            """)
        // The policies of other programs' tables ask it too, as whoever reads them.
        try transaction.runScript(
            """
            DO $$ BEGIN
                IF to_regprocedure('tollgate.get_current_tenant_id()') IS NOT NULL THEN
                    GRANT EXECUTE ON FUNCTION tollgate.get_current_tenant_id() TO PUBLIC;
                END IF;
            END $$
            """)
    }

    private static func attributes(
        _ transaction: PostgreSQLTransaction
    ) throws(PostgreSQLError) -> [String: (isSuperuser: Bool, bypasses: Bool)] {
        let rows = try transaction.query(
            "SELECT rolname, rolsuper, rolbypassrls FROM pg_catalog.pg_roles WHERE rolname = ANY($1::text[])",
            [.texts(wanted.map(\.name))])
        var result: [String: (isSuperuser: Bool, bypasses: Bool)] = [:]
        for row in rows { result[try row.text(0)] = (try row.boolean(1), try row.boolean(2)) }
        return result
    }

    private static func mayCreate(_ transaction: PostgreSQLTransaction) throws(PostgreSQLError) -> Bool {
        // A role may give BYPASSRLS away only as a superuser, or since version 16 when it has it itself.
        try transaction.query(
            """
            SELECT rolsuper OR (rolcreaterole AND rolbypassrls AND current_setting('server_version_num')::integer >= 160000)
            FROM pg_catalog.pg_roles WHERE rolname = session_user
            """)[0].boolean(0)
    }

    private static func create(
        _ name: String, bypasses: Bool, _ transaction: PostgreSQLTransaction
    ) throws(PostgreSQLError) {
        // Roles belong to all databases of a server, and the lock to this one: another migration may be first.
        try transaction.runScript(
            """
            DO $$ BEGIN
                CREATE ROLE \(name) NOLOGIN \(bypasses ? "BYPASSRLS" : "NOBYPASSRLS");
            EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
            END $$
            """)
    }

    /// The alias may do what the role itself may.
    private static func joinAlias(_ transaction: PostgreSQLTransaction) throws(PostgreSQLError) {
        let row = try transaction.query(
            """
            SELECT pg_catalog.pg_has_role('a2a_admin', 'tollgate_admin', 'MEMBER'),
                pg_catalog.pg_has_role(session_user, 'tollgate_admin', 'MEMBER'),
                (SELECT rolsuper OR rolcreaterole FROM pg_catalog.pg_roles WHERE rolname = session_user)
            """)[0]
        let (isJoined, isMember, mayGrant) = (try row.boolean(0), try row.boolean(1), try row.boolean(2))
        if !isMember {
            guard mayGrant else {
                throw PostgreSQLError(
                    .insufficientPrivilege,
                    "The login of TOLLGATE_DATABASE_ADMIN_URL is no member of tollgate_admin: have a superuser run GRANT tollgate_admin TO it"
                )
            }
            try transaction.runScript(
                "DO $$ BEGIN EXECUTE format('GRANT tollgate_admin TO %I', session_user); END $$")
        }
        if !isJoined, mayGrant {
            try transaction.runScript(
                """
                DO $$ BEGIN GRANT tollgate_admin TO a2a_admin;
                EXCEPTION WHEN OTHERS THEN
                    IF NOT pg_catalog.pg_has_role('a2a_admin', 'tollgate_admin', 'MEMBER') THEN RAISE; END IF;
                END $$
                """)
        }
    }
}
