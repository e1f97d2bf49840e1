// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import GRDB

extension SQLiteMigrations {
    /// API keys, what was done with them by hour, and the roles of their owners.
    static let apiKeys: @Sendable (Database) throws -> Void = { db in
        try db.execute(
            sql: """
                CREATE TABLE api_keys (
                    id TEXT NOT NULL PRIMARY KEY,
                    account_id TEXT NOT NULL,
                    tenant_id TEXT,
                    expires_at INTEGER,
                    is_replaced INTEGER NOT NULL,
                    record TEXT NOT NULL,
                    use_count INTEGER NOT NULL DEFAULT 0,
                    last_used_at INTEGER
                ) WITHOUT ROWID;
                CREATE INDEX api_keys_in_use ON api_keys (account_id, expires_at) WHERE is_replaced = 0;
                CREATE TABLE api_key_usage (
                    key_id TEXT NOT NULL,
                    hour INTEGER NOT NULL,
                    status INTEGER NOT NULL,
                    tenant_id TEXT,
                    requests INTEGER NOT NULL,
                    PRIMARY KEY (key_id, hour, status)
                ) WITHOUT ROWID;
                CREATE INDEX api_key_usage_by_age ON api_key_usage (hour);
                CREATE TABLE owner_roles (
                    issuer TEXT NOT NULL,
                    subject TEXT NOT NULL,
                    tenant_id TEXT NOT NULL,
                    has_tenant INTEGER NOT NULL,
                    roles TEXT NOT NULL,
                    PRIMARY KEY (issuer, subject, tenant_id, has_tenant)
                ) WITHOUT ROWID;
                """)
    }
}
