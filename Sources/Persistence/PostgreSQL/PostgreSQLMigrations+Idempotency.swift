// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

extension PostgreSQLMigrations {
    /// Answers under idempotency keys. A row without a status is a reservation of the replica that `holder` names.
    static let idempotency = PostgreSQLMigration(
        "idempotency keys",
        sql: """
            CREATE TABLE idempotency_keys (
                tenant_id text COLLATE "C" NOT NULL,
                caller text COLLATE "C" NOT NULL,
                key text COLLATE "C" NOT NULL,
                digest text COLLATE "C" NOT NULL,
                begun_at bigint NOT NULL,
                holder text COLLATE "C",
                status integer,
                body bytea,
                PRIMARY KEY (tenant_id, caller, key)
            );
            CREATE INDEX idempotency_keys_by_age ON idempotency_keys (begun_at);

            CREATE FUNCTION forget_idempotency_keys(before bigint, at_most integer) RETURNS bigint
                LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = tollgate, pg_temp
                AS $$
                    WITH old AS (
                        SELECT k.ctid AS place FROM idempotency_keys k WHERE k.begun_at <= before
                        ORDER BY k.begun_at LIMIT at_most FOR UPDATE SKIP LOCKED
                    ), gone AS (
                        DELETE FROM idempotency_keys k USING old WHERE k.ctid = old.place RETURNING 1
                    ) SELECT count(*) FROM gone
                $$;
            """)

    /// Header fields of answers, as JSON: a list of lists of name and value.
    static let idempotencyFields = PostgreSQLMigration(
        "header fields of answers under idempotency keys",
        sql: "ALTER TABLE idempotency_keys ADD COLUMN fields text;")

    /// The status of objects that lie in files. They belong to the installation itself.
    static let objectStatuses = PostgreSQLMigration(
        "object statuses",
        sql: """
            CREATE TABLE object_statuses (
                tenant_id text COLLATE "C" NOT NULL CHECK (tenant_id = '_platform'),
                kind text COLLATE "C" NOT NULL,
                namespace text COLLATE "C" NOT NULL,
                name text COLLATE "C" NOT NULL,
                status text NOT NULL,
                PRIMARY KEY (tenant_id, kind, namespace, name)
            );
            """)
}
