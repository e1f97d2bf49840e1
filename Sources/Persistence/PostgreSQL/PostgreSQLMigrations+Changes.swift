// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

extension PostgreSQLMigrations {
    /// What replicas tell each other. A reader asks for what it has not seen by the transaction's number, because numbers of rows become
    /// visible out of order.
    static let changes: [PostgreSQLMigration] = [
        PostgreSQLMigration(
            "changes",
            sql: """
                CREATE TABLE changes (
                    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
                    kind text NOT NULL,
                    key text NOT NULL,
                    at timestamptz NOT NULL DEFAULT clock_timestamp()
                );
                CREATE INDEX changes_by_transaction ON changes (xid, seq);
                CREATE INDEX changes_by_age ON changes (at);
                """),
        PostgreSQLMigration(
            "policy documents",
            sql: """
                CREATE TABLE policy_documents (
                    name text PRIMARY KEY,
                    revision bigint NOT NULL,
                    document bytea NOT NULL,
                    changed_at timestamptz NOT NULL DEFAULT now()
                );
                """),
    ]
}
