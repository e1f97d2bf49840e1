// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

extension RowSecurity {
    /// Checks what a server needs before it serves: that its connection can neither switch the policies off nor go around them, and that every
    /// covered table has them. Where row-level security is off, that no table has it, because there no context is set and no row would be seen.
    ///
    /// - Throws: `PostgreSQLError` with `refusedRole`, `unprotectedTable` or `unexpectedPolicies`, naming all there is.
    package func check(isEnabled: Bool) async throws {
        try await database.transaction(.none, isReadOnly: true) { transaction in
            let tables = try RowSecurityCatalogue.tables(transaction)
            guard isEnabled else { return try Self.refusePolicies(tables) }
            try Self.checkRole(transaction, owned: tables.filter(\.isOwned).map(\.title))
            let problems = tables.flatMap { table in table.problems.map { "\(table.title): \($0)" } }
            guard problems.isEmpty else {
                throw PostgreSQLError(
                    .unprotectedTable,
                    "Tenants are not kept apart: " + problems.joined(separator: "; ") + ": run 'tollgate db rls apply'")
            }
        }
    }

    private static func refusePolicies(_ tables: [RowSecurityTable]) throws(PostgreSQLError) {
        let protected = tables.filter { $0.isEnabled || $0.isForced }.map(\.title)
        guard protected.isEmpty else {
            throw PostgreSQLError(
                .unexpectedPolicies,
                "RLS_ENABLED is false, but these tables have row-level security, and without a context nobody sees a row of them: \(protected.joined(separator: ", ")): set RLS_ENABLED=true"
            )
        }
    }

    private static func checkRole(
        _ transaction: PostgreSQLTransaction, owned: [String]
    ) throws(PostgreSQLError) {
        let row = try transaction.query(
            """
            SELECT session_user, current_user, bool_or(r.rolsuper) FILTER (WHERE r.rolname IN (session_user, current_user)),
                bool_or(r.rolbypassrls) FILTER (WHERE r.rolname IN (session_user, current_user)),
                coalesce(string_agg(r.rolname, ', ' ORDER BY r.rolname) FILTER (WHERE (r.rolsuper OR r.rolbypassrls)
                    AND r.rolname NOT IN (session_user, current_user)
                    AND pg_catalog.pg_has_role(session_user, r.oid, 'MEMBER')), '')
            FROM pg_catalog.pg_roles r
            """)[0]
        let (login, role) = (try row.text(0), try row.text(1))
        let name = login == role ? "'\(login)'" : "'\(login)' (as \(role))"
        let others = try row.text(4)
        let reason: String? =
            if try row.boolean(2) {
                "is a superuser"
            } else if try row.boolean(3) {
                "has BYPASSRLS"
            } else if !others.isEmpty {
                "may become \(others), which no policy binds"
            } else if !owned.isEmpty {
                "owns \(owned.joined(separator: ", ")) or may become who does, and could switch their policies off"
            } else {
                nil
            }
        guard let reason else { return }
        throw PostgreSQLError(
            .refusedRole,
            "The login \(name) of TOLLGATE_DATABASE_URL \(reason): use a login of its own that is only a member of \(PostgreSQLSettings.serverRole)"
        )
    }
}
