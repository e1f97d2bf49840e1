// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

extension PostgreSQLMigrations {
    /// The audit trail: each row holds an entry's canonical line, as it stands in the segment. Rows are added and never changed.
    ///
    /// The function over all tenants is for platform principals, the only ones who see more than one. What is asked for is bound: its text
    /// is put together from constants.
    static let audit = PostgreSQLMigration(
        "audit entries",
        sql: """
            CREATE TABLE audit_entries (
                tenant_id text COLLATE "C" NOT NULL,
                writer text COLLATE "C" NOT NULL,
                sequence bigint NOT NULL,
                at bigint NOT NULL,
                id text COLLATE "C" NOT NULL,
                actor text COLLATE "C" NOT NULL,
                action text COLLATE "C" NOT NULL,
                resource text COLLATE "C" NOT NULL,
                outcome text COLLATE "C" NOT NULL,
                session_id text COLLATE "C",
                ip text COLLATE "C",
                line text COLLATE "C" NOT NULL,
                PRIMARY KEY (writer, sequence)
            );
            CREATE INDEX audit_entries_at ON audit_entries (at, id);
            CREATE INDEX audit_entries_actor ON audit_entries (actor, at, id);
            CREATE INDEX audit_entries_action ON audit_entries (action, at, id);
            CREATE INDEX audit_entries_resource ON audit_entries (resource, at, id);
            CREATE INDEX audit_entries_tenant ON audit_entries (tenant_id, at, id);
            CREATE INDEX audit_entries_session_id ON audit_entries (session_id, at, id) WHERE session_id IS NOT NULL;
            CREATE INDEX audit_entries_outcome ON audit_entries (outcome, at, id);

            CREATE FUNCTION refuse_audit_change() RETURNS trigger
                LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
                AS $$
                    BEGIN
                        -- Whoever maintains the database may end what is kept too long; the server never.
                        IF pg_has_role(current_user, 'tollgate_admin', 'MEMBER') THEN
                            RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
                        END IF;
                        RAISE EXCEPTION 'audit entries are never changed' USING ERRCODE = '42501';
                    END
                $$;
            CREATE TRIGGER audit_entries_stay BEFORE UPDATE OR DELETE ON audit_entries
                FOR EACH ROW EXECUTE FUNCTION refuse_audit_change();

            CREATE FUNCTION last_audit_sequence(wanted text) RETURNS bigint
                LANGUAGE sql STABLE SECURITY DEFINER SET search_path = tollgate, pg_temp
                AS $$ SELECT coalesce(max(e.sequence), 0) FROM audit_entries e WHERE e.writer = wanted $$;
            -- A series whose segments are gone keeps its rows under another name: its first free number after a tilde.
            CREATE FUNCTION set_audit_series_aside(wanted text) RETURNS void
                LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = tollgate, pg_temp
                AS $$
                    DECLARE
                        number integer := 1;
                    BEGIN
                        WHILE EXISTS (SELECT 1 FROM audit_entries e WHERE e.writer = wanted || '~' || number) LOOP
                            number := number + 1;
                        END LOOP;
                        UPDATE audit_entries SET writer = wanted || '~' || number WHERE writer = wanted;
                    END
                $$;
            CREATE FUNCTION audit_entries_of_all(
                    driver text, is_ascending boolean, from_at bigint, to_at bigint, after_at bigint, after_id text,
                    wanted_session text, wanted_resource text, wanted_actor text, wanted_action text,
                    wanted_outcome text, wanted_ip text, examined bigint, at_most bigint)
                RETURNS TABLE (line text, writer text, place bigint)
                LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = tollgate, pg_temp
                AS $$
                    DECLARE
                        condition text;
                        direction text := CASE WHEN is_ascending THEN 'ASC' ELSE 'DESC' END;
                        behind text := CASE WHEN is_ascending THEN '>' ELSE '<' END;
                    BEGIN
                        condition := CASE driver
                            WHEN 'session_id' THEN 'e.session_id = $5'
                            WHEN 'resource' THEN 'e.resource = $6'
                            WHEN 'actor' THEN 'e.actor = $7'
                            WHEN 'action' THEN 'e.action = $8'
                            WHEN 'outcome' THEN 'e.outcome = $9'
                            ELSE 'true' END;
                        RETURN QUERY EXECUTE
                            'SELECT s.line, s.writer, s.place FROM ('
                            || 'SELECT e.line, e.writer, row_number() OVER (ORDER BY e.at ' || direction
                            || ', e.id ' || direction || ') AS place,'
                            || ' ($5 IS NULL OR e.session_id = $5) AND ($6 IS NULL OR e.resource = $6)'
                            || ' AND ($7 IS NULL OR e.actor = $7) AND ($8 IS NULL OR e.action = $8)'
                            || ' AND ($9 IS NULL OR e.outcome = $9) AND ($10 IS NULL OR e.ip = $10) AS fits'
                            || ' FROM audit_entries e WHERE ' || condition
                            || ' AND e.at >= $1 AND e.at < $2 AND (e.at, e.id) ' || behind || ' ($3, $4)'
                            || ' ORDER BY e.at ' || direction || ', e.id ' || direction || ' LIMIT $11 + 1'
                            || ') s WHERE s.fits OR s.place > $11 ORDER BY s.place LIMIT $12'
                        USING from_at, to_at, after_at, after_id, wanted_session, wanted_resource, wanted_actor,
                            wanted_action, wanted_outcome, wanted_ip, examined, at_most;
                    END
                $$;
            """)

    /// Keys that all replicas share, such as the one that signs cursors.
    static let sharedKeys = PostgreSQLMigration(
        "shared keys",
        sql: """
            CREATE TABLE shared_keys (
                tenant_id text COLLATE "C" NOT NULL CHECK (tenant_id = '_platform'),
                name text COLLATE "C" NOT NULL,
                secret bytea NOT NULL,
                PRIMARY KEY (tenant_id, name)
            );
            """)
}
