// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

extension PostgreSQLMigrations {
    /// Projects and the shares between them. The functions give out what every replica holds in memory, and whether an id is taken elsewhere.
    static let projects = PostgreSQLMigration(
        "projects and shares",
        sql: """
            CREATE TABLE projects (
                tenant_id text COLLATE "C" NOT NULL,
                id text COLLATE "C" NOT NULL,
                name text NOT NULL,
                created_by text NOT NULL,
                created_at bigint NOT NULL,
                PRIMARY KEY (tenant_id, id)
            );
            CREATE INDEX projects_by_age ON projects (tenant_id, created_at, id);
            CREATE INDEX projects_by_id ON projects (id);
            CREATE TABLE project_access (
                tenant_id text COLLATE "C" NOT NULL,
                id text COLLATE "C" NOT NULL PRIMARY KEY,
                resource_type text COLLATE "C" NOT NULL,
                resource_id text COLLATE "C" NOT NULL,
                owner_project text COLLATE "C" NOT NULL,
                project text COLLATE "C" NOT NULL,
                permissions integer NOT NULL CHECK (permissions BETWEEN 1 AND 7),
                state text COLLATE "C" NOT NULL CHECK (state IN ('pending', 'accepted', 'declined', 'revoked')),
                expires_at bigint,
                created_by text NOT NULL,
                created_at bigint NOT NULL,
                accepted_by text,
                accepted_at bigint,
                revoked_by text,
                revoked_at bigint,
                reason text,
                revision bigint NOT NULL,
                CHECK (owner_project <> project)
            );
            CREATE UNIQUE INDEX project_access_one_live
                ON project_access (tenant_id, resource_type, resource_id, owner_project, project)
                WHERE state IN ('pending', 'accepted');
            CREATE INDEX project_access_given ON project_access (tenant_id, owner_project, created_at, id);
            CREATE INDEX project_access_received ON project_access (tenant_id, project, created_at, id);
            CREATE INDEX project_access_accepted ON project_access (id) WHERE state = 'accepted';

            CREATE FUNCTION accepted_shares() RETURNS SETOF project_access
                LANGUAGE sql STABLE SECURITY DEFINER SET search_path = tollgate, pg_temp
                AS $$ SELECT s.* FROM project_access s WHERE s.state = 'accepted' $$;
            CREATE FUNCTION shares_by_id(ids text[]) RETURNS SETOF project_access
                LANGUAGE sql STABLE SECURITY DEFINER SET search_path = tollgate, pg_temp
                AS $$ SELECT s.* FROM project_access s WHERE s.id = ANY(ids) $$;
            CREATE FUNCTION is_project_outside(wanted text, tenant text) RETURNS boolean
                LANGUAGE sql STABLE SECURITY DEFINER SET search_path = tollgate, pg_temp
                AS $$ SELECT EXISTS (SELECT 1 FROM projects p WHERE p.id = wanted AND p.tenant_id <> tenant) $$;
            """)
}
