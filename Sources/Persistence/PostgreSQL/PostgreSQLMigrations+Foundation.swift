// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

extension PostgreSQLMigrations {
    /// What every policy asks: whose rows the present transaction may see. NULL, which equals nothing, where no tenant is set. And the view that
    /// shows which tables have policies.
    static let foundation = [
        PostgreSQLMigration(
            "tenant of the transaction",
            sql: """
                CREATE FUNCTION get_current_tenant_id() RETURNS text
                    LANGUAGE sql STABLE SECURITY INVOKER PARALLEL SAFE SET search_path = pg_catalog, pg_temp
                    AS $$ SELECT nullif(current_setting('app.current_tenant_id', true), '') $$;
                COMMENT ON FUNCTION get_current_tenant_id() IS
                    'The tenant of this transaction: set_config(''app.current_tenant_id'', tenant, true); NULL where there is none';
                """),
        PostgreSQLMigration("view rls_status", sql: RowSecurityCatalogue.view),
    ]
}
