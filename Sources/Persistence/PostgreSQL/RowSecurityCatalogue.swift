// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Which tables of a database are covered by row-level security: every table of the product with a column `tenant_id`, and those tables of the
/// platform that the database may hold beside.
enum RowSecurityCatalogue {
    /// The schema of the platform's tables.
    static let platformSchema = "public"
    /// The platform's tables; covered where they have a column `tenant_id`.
    static let platformTables = [
        "workers", "workspaces", "tasks", "sessions", "task_runs", "okrs", "cronjobs", "cronjob_runs",
        "analytics_events", "analytics_identity_map", "rbac_user_roles", "users", "api_keys", "token_usage",
        "budget_policies", "autonomous_decisions",
    ]
    /// Tables of the platform without the column, and the table that tells whose their rows are.
    static let platformChildren = [(name: "okr_key_results", parent: "okrs"), (name: "okr_runs", parent: "okrs")]

    /// Every covered table, in the order of names.
    static func tables(_ transaction: PostgreSQLTransaction) throws(PostgreSQLError) -> [RowSecurityTable] {
        let results = try transaction.run([
            PostgreSQLStatement(
                tablesQuery,
                [
                    .text(PostgreSQLSettings.schema), .text(platformSchema), .texts(platformTables),
                    .texts(platformChildren.map(\.name)),
                ]),
            PostgreSQLStatement(policiesQuery, [.texts([PostgreSQLSettings.schema, platformSchema])]),
            PostgreSQLStatement(
                keysQuery,
                [.text(platformSchema), .texts(platformChildren.map(\.name)), .texts(platformChildren.map(\.parent))]),
        ])
        var policies: [String: [RowSecurityPolicy]] = [:]
        for row in results[1].rows { policies[try row.text(0), default: []].append(try policy(row)) }
        var keys: [String: [RowSecurityTable.Key]] = [:]
        for row in results[2].rows {
            keys[try row.text(0), default: []].append(
                RowSecurityTable.Key(column: try row.text(1), parentColumn: try row.text(2)))
        }
        var tables: [RowSecurityTable] = []
        for row in results[0].rows {
            let identifier = try row.text(0)
            tables.append(
                RowSecurityTable(
                    schema: try row.text(1), name: try row.text(2), isEnabled: try row.boolean(3),
                    isForced: try row.boolean(4), isOwned: try row.boolean(5),
                    reach: try reach(row, keys: keys[identifier] ?? []), policies: policies[identifier] ?? []))
        }
        return tables
    }

    private static func reach(
        _ row: PostgreSQLRow, keys: [RowSecurityTable.Key]
    ) throws(PostgreSQLError) -> RowSecurityTable.Reach {
        if let type = try row.optionalText(6) { return .column(type: type, isNotNull: try row.boolean(7)) }
        let name = try row.text(2)
        let parent = platformChildren.first { $0.name == name }?.parent ?? ""
        guard !keys.isEmpty else { return .unknown(parent: "\(platformSchema).\(parent)") }
        return .parent(schema: platformSchema, table: parent, keys: keys)
    }

    private static func policy(_ row: PostgreSQLRow) throws(PostgreSQLError) -> RowSecurityPolicy {
        RowSecurityPolicy(
            name: try row.text(1), command: try row.text(2), isPermissive: try row.boolean(3),
            isForEverybody: try row.boolean(4), using: try row.optionalText(5), check: try row.optionalText(6))
    }

    private static let tablesQuery = """
        SELECT c.oid::text, n.nspname, c.relname, c.relrowsecurity, c.relforcerowsecurity,
            pg_catalog.pg_has_role(session_user, c.relowner, 'MEMBER'),
            pg_catalog.format_type(a.atttypid, NULL), coalesce(a.attnotnull, false)
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            LEFT JOIN pg_catalog.pg_attribute a
                ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND a.attnum > 0 AND NOT a.attisdropped
        WHERE c.relkind IN ('r', 'p') AND (
            (n.nspname = $1 AND a.attname IS NOT NULL)
            OR (n.nspname = $2 AND c.relname = ANY($3::text[]) AND a.attname IS NOT NULL)
            OR (n.nspname = $2 AND c.relname = ANY($4::text[])))
        ORDER BY n.nspname DESC, c.relname
        """

    private static let policiesQuery = """
        SELECT p.polrelid::text, p.polname,
            CASE p.polcmd WHEN 'r' THEN 'select' WHEN 'a' THEN 'insert' WHEN 'w' THEN 'update' WHEN 'd' THEN 'delete'
                ELSE 'all' END,
            p.polpermissive, p.polroles = '{0}'::oid[], pg_catalog.pg_get_expr(p.polqual, p.polrelid),
            pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid)
        FROM pg_catalog.pg_policy p JOIN pg_catalog.pg_class c ON c.oid = p.polrelid
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = ANY($1::text[])
        """

    /// Of several foreign keys to the same parent the one with the first name counts.
    private static let keysQuery = """
        SELECT c.oid::text, child.attname, parent.attname
        FROM unnest($2::text[], $3::text[]) AS wanted (name, parent)
            JOIN pg_catalog.pg_namespace n ON n.nspname = $1
            JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = wanted.name
            JOIN pg_catalog.pg_class p ON p.relnamespace = n.oid AND p.relname = wanted.parent
            CROSS JOIN LATERAL (
                SELECT k.conkey, k.confkey FROM pg_catalog.pg_constraint k
                WHERE k.conrelid = c.oid AND k.confrelid = p.oid AND k.contype = 'f' ORDER BY k.conname LIMIT 1) k
            CROSS JOIN LATERAL unnest(k.conkey, k.confkey) WITH ORDINALITY AS pair (child, parent, place)
            JOIN pg_catalog.pg_attribute child ON child.attrelid = c.oid AND child.attnum = pair.child
            JOIN pg_catalog.pg_attribute parent ON parent.attrelid = p.oid AND parent.attnum = pair.parent
        WHERE EXISTS (SELECT 1 FROM pg_catalog.pg_attribute t
            WHERE t.attrelid = p.oid AND t.attname = 'tenant_id' AND NOT t.attisdropped)
        ORDER BY c.oid, pair.place
        """

    /// The view for whoever checks an installation.
    static let view: String = {
        func list(_ names: [String]) -> String { names.map { "'\($0)'" }.joined(separator: ", ") }
        return """
            CREATE VIEW rls_status AS
            SELECT n.nspname AS schemaname, c.relname AS tablename, c.relrowsecurity AS rls_enabled,
                c.relforcerowsecurity AS rls_forced
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind IN ('r', 'p') AND (
                (EXISTS (SELECT 1 FROM pg_catalog.pg_attribute a
                        WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND a.attnum > 0 AND NOT a.attisdropped)
                    AND (n.nspname = 'tollgate' OR (n.nspname = '\(platformSchema)'
                        AND c.relname IN (\(list(platformTables))))))
                OR (n.nspname = '\(platformSchema)' AND c.relname IN (\(list(platformChildren.map(\.name))))));
            COMMENT ON VIEW rls_status IS
                'Every table whose rows belong to tenants; both columns are true where they are kept apart';
            """
    }()
}
