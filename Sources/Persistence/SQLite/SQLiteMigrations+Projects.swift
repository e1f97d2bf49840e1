// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import GRDB

extension SQLiteMigrations {
    /// Projects and shares. The tenant is the empty text where there is none; times are microseconds since 1970.
    static let projects: @Sendable (Database) throws -> Void = { db in
        try db.execute(
            sql: """
                CREATE TABLE projects (
                    tenant_id TEXT NOT NULL,
                    id TEXT NOT NULL,
                    name TEXT NOT NULL,
                    created_by TEXT NOT NULL,
                    created_at INTEGER NOT NULL,
                    PRIMARY KEY (tenant_id, id)
                ) WITHOUT ROWID;
                CREATE INDEX projects_by_age ON projects (tenant_id, created_at, id);
                CREATE INDEX projects_by_id ON projects (id);
                CREATE TABLE project_access (
                    id TEXT NOT NULL PRIMARY KEY,
                    tenant_id TEXT NOT NULL,
                    resource_type TEXT NOT NULL,
                    resource_id TEXT NOT NULL,
                    owner_project TEXT NOT NULL,
                    project TEXT NOT NULL,
                    permissions INTEGER NOT NULL CHECK (permissions BETWEEN 1 AND 7),
                    state TEXT NOT NULL CHECK (state IN ('pending', 'accepted', 'declined', 'revoked')),
                    expires_at INTEGER,
                    created_by TEXT NOT NULL,
                    created_at INTEGER NOT NULL,
                    accepted_by TEXT,
                    accepted_at INTEGER,
                    revoked_by TEXT,
                    revoked_at INTEGER,
                    reason TEXT,
                    revision INTEGER NOT NULL,
                    CHECK (owner_project <> project)
                ) WITHOUT ROWID;
                CREATE UNIQUE INDEX project_access_one_live
                    ON project_access (tenant_id, resource_type, resource_id, owner_project, project)
                    WHERE state IN ('pending', 'accepted');
                CREATE INDEX project_access_given ON project_access (tenant_id, owner_project, created_at, id);
                CREATE INDEX project_access_received ON project_access (tenant_id, project, created_at, id);
                CREATE INDEX project_access_accepted ON project_access (state) WHERE state = 'accepted';
                """)
    }
}
