// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

extension PostgreSQLMigrations {
    /// Service tokens. Times are microseconds since 1970; texts compare by their bytes, as everywhere in the product.
    ///
    /// The functions see every tenant, because whose a token is is known only when it was found: they give out what the request path holds
    /// in memory, or add to a counter, and nothing else.
    static let serviceTokens = PostgreSQLMigration(
        "service tokens",
        sql: """
            CREATE TABLE service_tokens (
                tenant_id text COLLATE "C" NOT NULL,
                identifier text COLLATE "C" NOT NULL PRIMARY KEY,
                family text COLLATE "C" NOT NULL,
                revision bigint NOT NULL,
                record text NOT NULL,
                use_count bigint NOT NULL DEFAULT 0,
                last_used_at bigint
            );
            CREATE INDEX service_tokens_by_tenant ON service_tokens (tenant_id, identifier);
            CREATE INDEX service_tokens_by_family ON service_tokens (family);

            CREATE FUNCTION all_service_tokens()
                RETURNS TABLE (identifier text, record text, use_count bigint, last_used_at bigint)
                LANGUAGE sql STABLE SECURITY DEFINER SET search_path = tollgate, pg_temp
                AS $$ SELECT t.identifier, t.record, t.use_count, t.last_used_at FROM service_tokens t $$;
            CREATE FUNCTION service_tokens_by_identifier(identifiers text[])
                RETURNS TABLE (identifier text, record text, use_count bigint, last_used_at bigint)
                LANGUAGE sql STABLE SECURITY DEFINER SET search_path = tollgate, pg_temp
                AS $$
                    SELECT t.identifier, t.record, t.use_count, t.last_used_at FROM service_tokens t
                    WHERE t.identifier = ANY(identifiers)
                $$;
            CREATE FUNCTION service_tokens_of_family(wanted text)
                RETURNS TABLE (identifier text, record text, use_count bigint, last_used_at bigint)
                LANGUAGE sql STABLE SECURITY DEFINER SET search_path = tollgate, pg_temp
                AS $$
                    SELECT t.identifier, t.record, t.use_count, t.last_used_at FROM service_tokens t
                    WHERE t.family = wanted
                $$;
            CREATE FUNCTION add_service_token_uses(identifiers text[], counts bigint[], instants bigint[]) RETURNS void
                LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = tollgate, pg_temp
                AS $$
                    BEGIN
                        -- Always in one order, so that two replicas never wait for each other.
                        PERFORM 1 FROM service_tokens t WHERE t.identifier = ANY(identifiers)
                            ORDER BY t.identifier FOR NO KEY UPDATE;
                        UPDATE service_tokens t SET use_count = t.use_count + u.count,
                            last_used_at = greatest(t.last_used_at, u.instant)
                        FROM (
                            SELECT i AS identifier, sum(c)::bigint AS count, max(a) AS instant
                            FROM unnest(identifiers, counts, instants) AS n (i, c, a) GROUP BY i
                        ) u WHERE t.identifier = u.identifier;
                    END
                $$;
            """)

    /// API keys, what was done with them by hour, and the roles of their owners.
    static let apiKeys = PostgreSQLMigration(
        "API keys",
        sql: """
            CREATE TABLE api_keys (
                tenant_id text COLLATE "C" NOT NULL,
                id text COLLATE "C" NOT NULL PRIMARY KEY,
                account_id text COLLATE "C" NOT NULL,
                family text COLLATE "C" NOT NULL,
                expires_at bigint,
                is_replaced boolean NOT NULL,
                revision bigint NOT NULL,
                record text NOT NULL,
                use_count bigint NOT NULL DEFAULT 0,
                last_used_at bigint
            );
            CREATE INDEX api_keys_by_tenant ON api_keys (tenant_id, id);
            CREATE INDEX api_keys_in_use ON api_keys (account_id, tenant_id, expires_at) WHERE NOT is_replaced;
            CREATE INDEX api_keys_by_family ON api_keys (family);
            CREATE TABLE api_key_usage (
                tenant_id text COLLATE "C" NOT NULL,
                key_id text COLLATE "C" NOT NULL,
                hour bigint NOT NULL,
                status integer NOT NULL,
                requests bigint NOT NULL,
                PRIMARY KEY (key_id, hour, status, tenant_id)
            );
            CREATE INDEX api_key_usage_by_age ON api_key_usage (hour);
            CREATE TABLE owner_roles (
                tenant_id text COLLATE "C" NOT NULL,
                issuer text COLLATE "C" NOT NULL,
                subject text COLLATE "C" NOT NULL,
                roles text NOT NULL,
                PRIMARY KEY (tenant_id, issuer, subject)
            );

            CREATE FUNCTION all_api_keys()
                RETURNS TABLE (id text, record text, use_count bigint, last_used_at bigint)
                LANGUAGE sql STABLE SECURITY DEFINER SET search_path = tollgate, pg_temp
                AS $$ SELECT k.id, k.record, k.use_count, k.last_used_at FROM api_keys k $$;
            CREATE FUNCTION api_keys_by_id(ids text[])
                RETURNS TABLE (id text, record text, use_count bigint, last_used_at bigint)
                LANGUAGE sql STABLE SECURITY DEFINER SET search_path = tollgate, pg_temp
                AS $$ SELECT k.id, k.record, k.use_count, k.last_used_at FROM api_keys k WHERE k.id = ANY(ids) $$;
            CREATE FUNCTION api_keys_of_family(wanted text)
                RETURNS TABLE (id text, record text, use_count bigint, last_used_at bigint)
                LANGUAGE sql STABLE SECURITY DEFINER SET search_path = tollgate, pg_temp
                AS $$ SELECT k.id, k.record, k.use_count, k.last_used_at FROM api_keys k WHERE k.family = wanted $$;
            CREATE FUNCTION add_api_key_uses(ids text[], counts bigint[], instants bigint[]) RETURNS void
                LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = tollgate, pg_temp
                AS $$
                    BEGIN
                        -- Always in one order, so that two replicas never wait for each other.
                        PERFORM 1 FROM api_keys k WHERE k.id = ANY(ids) ORDER BY k.id FOR NO KEY UPDATE;
                        UPDATE api_keys k SET use_count = k.use_count + u.count,
                            last_used_at = greatest(k.last_used_at, u.instant)
                        FROM (
                            SELECT i AS id, sum(c)::bigint AS count, max(a) AS instant
                            FROM unnest(ids, counts, instants) AS n (i, c, a) GROUP BY i
                        ) u WHERE k.id = u.id;
                    END
                $$;
            CREATE FUNCTION api_key_usage_of(wanted text, first bigint, beyond bigint)
                RETURNS TABLE (tenant_id text, hour bigint, status integer, requests bigint)
                LANGUAGE sql STABLE SECURITY DEFINER SET search_path = tollgate, pg_temp
                AS $$
                    SELECT u.tenant_id, u.hour, u.status, u.requests FROM api_key_usage u
                    WHERE u.key_id = wanted AND u.hour >= first AND u.hour < beyond ORDER BY u.hour, u.status
                $$;
            CREATE FUNCTION forget_api_key_usage(before bigint, at_most integer) RETURNS bigint
                LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = tollgate, pg_temp
                AS $$
                    WITH old AS (
                        SELECT u.ctid AS place FROM api_key_usage u WHERE u.hour < before
                        ORDER BY u.hour LIMIT at_most FOR UPDATE SKIP LOCKED
                    ), gone AS (
                        DELETE FROM api_key_usage u USING old WHERE u.ctid = old.place RETURNING 1
                    ) SELECT count(*) FROM gone
                $$;
            CREATE FUNCTION all_owner_roles()
                RETURNS TABLE (tenant_id text, issuer text, subject text, roles text)
                LANGUAGE sql STABLE SECURITY DEFINER SET search_path = tollgate, pg_temp
                AS $$ SELECT o.tenant_id, o.issuer, o.subject, o.roles FROM owner_roles o $$;
            CREATE FUNCTION owner_roles_of(tenants text[], issuers text[], subjects text[])
                RETURNS TABLE (tenant_id text, issuer text, subject text, roles text)
                LANGUAGE sql STABLE SECURITY DEFINER SET search_path = tollgate, pg_temp
                AS $$
                    SELECT o.tenant_id, o.issuer, o.subject, o.roles FROM owner_roles o
                    WHERE (o.tenant_id, o.issuer, o.subject) IN (
                        SELECT t, i, s FROM unnest(tenants, issuers, subjects) AS n (t, i, s))
                $$;
            """)
}
