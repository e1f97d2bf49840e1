// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

extension PostgreSQLMigrations {
    /// What healing remembers, and the notices that wait for their delivery. They belong to the installation itself.
    static let healing = PostgreSQLMigration(
        "healing",
        sql: """
            CREATE TABLE healing_books (
                tenant_id text COLLATE "C" NOT NULL CHECK (tenant_id = '_platform'),
                key text COLLATE "C" NOT NULL,
                at bigint NOT NULL,
                value text NOT NULL,
                PRIMARY KEY (tenant_id, key)
            );
            CREATE TABLE notices (
                tenant_id text COLLATE "C" NOT NULL CHECK (tenant_id = '_platform'),
                id text COLLATE "C" NOT NULL,
                notice text NOT NULL,
                tries integer NOT NULL,
                next_at bigint NOT NULL,
                PRIMARY KEY (tenant_id, id)
            );
            CREATE INDEX notices_by_time ON notices (tenant_id, next_at, id);
            """)
}
