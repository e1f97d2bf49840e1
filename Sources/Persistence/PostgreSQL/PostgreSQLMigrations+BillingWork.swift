// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

extension PostgreSQLMigrations {
    /// What workers and platform operators ask over all accounts. A function gives out what its caller works on next, and nothing else.
    static let billingWork = PostgreSQLMigration(
        "billing work over all accounts", sql: billingQuestions + billingLeases + billingForgetting)

    /// What is asked again and again, and should look at little.
    static let billingVersions = PostgreSQLMigration(
        "versions of billing accounts",
        sql: """
            DROP FUNCTION billing_counts();
            CREATE FUNCTION open_billing_reservations() RETURNS TABLE (count bigint)
                LANGUAGE sql STABLE SECURITY DEFINER SET search_path = tollgate, pg_temp
                AS $$ SELECT count(*) FROM billing_reservations r WHERE r.ends_at IS NOT NULL $$;
            CREATE FUNCTION billing_account_versions_after(place text, at_most bigint)
                RETURNS TABLE (account text, version bigint)
                LANGUAGE sql STABLE SECURITY DEFINER SET search_path = tollgate, pg_temp
                AS $$
                    SELECT a.tenant_id, a.version FROM billing_accounts a WHERE a.tenant_id > place
                    ORDER BY a.tenant_id LIMIT at_most
                $$;
            """)

    /// What a payment bought is known over all accounts.
    static let billingPurchases = PostgreSQLMigration(
        "purchases of billing accounts",
        sql: """
            CREATE TABLE billing_purchases (
                tenant_id text COLLATE "C" NOT NULL,
                purchase text COLLATE "C" NOT NULL PRIMARY KEY,
                key text COLLATE "C" NOT NULL
            );
            INSERT INTO billing_purchases (tenant_id, purchase, key)
                SELECT d.tenant_id, 'pi:' || d.name, d.document::json ->> 'key' FROM billing_documents d
                WHERE d.kind = 'provider_payment' ORDER BY d.tenant_id
                ON CONFLICT (purchase) DO NOTHING;
            DELETE FROM billing_documents d WHERE d.kind = 'provider_payment';
            """)

    private static let billingQuestions = """
        CREATE FUNCTION due_billing_accounts(instant bigint, at_most bigint) RETURNS TABLE (account text)
            LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = tollgate, pg_temp
            AS $$
                -- Whoever changes an account holds its row: it is not due any more when that is over.
                SELECT a.tenant_id FROM billing_accounts a WHERE a.due_at <= instant
                ORDER BY a.due_at, a.tenant_id LIMIT at_most FOR UPDATE SKIP LOCKED
            $$;
        CREATE FUNCTION billing_accounts_with_ended_reservations(instant bigint, at_most bigint)
            RETURNS TABLE (account text)
            LANGUAGE sql STABLE SECURITY DEFINER SET search_path = tollgate, pg_temp
            AS $$
                SELECT r.tenant_id FROM billing_reservations r WHERE r.ends_at <= instant
                GROUP BY r.tenant_id ORDER BY min(r.ends_at), r.tenant_id LIMIT at_most
            $$;
        CREATE FUNCTION billing_accounts_after(place text, at_most bigint)
            RETURNS TABLE (account text, version bigint, document text, due_at bigint)
            LANGUAGE sql STABLE SECURITY DEFINER SET search_path = tollgate, pg_temp
            AS $$
                SELECT a.tenant_id, a.version, a.document, a.due_at FROM billing_accounts a WHERE a.tenant_id > place
                ORDER BY a.tenant_id LIMIT at_most
            $$;
        CREATE FUNCTION billing_account_of_customer(wanted text) RETURNS TABLE (account text)
            LANGUAGE sql STABLE SECURITY DEFINER SET search_path = tollgate, pg_temp
            AS $$ SELECT c.tenant_id FROM billing_customers c WHERE c.customer = wanted $$;
        CREATE FUNCTION billing_counts()
            RETURNS TABLE (accounts bigint, reservations bigint, deliveries bigint, parked bigint, dead bigint)
            LANGUAGE sql STABLE SECURITY DEFINER SET search_path = tollgate, pg_temp
            AS $$
                SELECT (SELECT count(*) FROM billing_accounts),
                    (SELECT count(*) FROM billing_reservations r WHERE r.ends_at IS NOT NULL),
                    (SELECT count(*) FROM billing_deliveries d WHERE d.next_at IS NOT NULL),
                    (SELECT count(*) FROM billing_provider_events e WHERE e.state = 'parked'),
                    (SELECT count(*) FROM billing_provider_events e WHERE e.state = 'dead')
            $$;
        CREATE FUNCTION waiting_billing_usage() RETURNS TABLE (count bigint, oldest bigint)
            LANGUAGE sql STABLE SECURITY DEFINER SET search_path = tollgate, pg_temp
            AS $$ SELECT count(*), min(u.received_at) FROM billing_pending_usage u $$;

        """

    private static let billingLeases = """
        CREATE FUNCTION take_billing_deliveries(instant bigint, until bigint, at_most bigint)
            RETURNS SETOF billing_deliveries
            LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = tollgate, pg_temp
            AS $$
                WITH due AS (
                    SELECT d.id FROM billing_deliveries d
                    WHERE d.next_at <= instant AND (d.lease_until IS NULL OR d.lease_until <= instant)
                    ORDER BY d.next_at, d.id LIMIT at_most FOR UPDATE SKIP LOCKED
                ), taken AS (
                    UPDATE billing_deliveries d SET lease_until = until FROM due WHERE d.id = due.id RETURNING d.*
                ) SELECT * FROM taken ORDER BY next_at, id
            $$;
        CREATE FUNCTION take_billing_usage(wanted text, instant bigint, until bigint, at_most bigint)
            RETURNS SETOF billing_pending_usage
            LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = tollgate, pg_temp
            AS $$
                WITH waiting AS (
                    SELECT u.id FROM billing_pending_usage u
                    WHERE (wanted IS NULL OR u.id = wanted) AND (u.lease_until IS NULL OR u.lease_until <= instant)
                    ORDER BY u.received_at, u.id LIMIT at_most FOR UPDATE SKIP LOCKED
                ), taken AS (
                    UPDATE billing_pending_usage u SET lease_until = until, attempts = u.attempts + 1
                    FROM waiting WHERE u.id = waiting.id RETURNING u.*
                ) SELECT * FROM taken ORDER BY received_at, id
            $$;

        """

    private static let billingForgetting = [
        (
            "forget_billing_windows(kind smallint, before bigint, at_most bigint)", "billing_windows",
            "t.granularity = kind AND t.start < before ORDER BY t.start"
        ),
        (
            "forget_billing_dimension_values(before bigint, at_most bigint)", "billing_dimension_values",
            "t.day < before ORDER BY t.day"
        ),
        (
            "forget_billing_dimension_counts(before bigint, at_most bigint)", "billing_dimension_counts",
            "t.day < before ORDER BY t.day"
        ),
        (
            "forget_billing_usage_keys(before bigint, at_most bigint)", "billing_usage_keys",
            "t.received_at < before ORDER BY t.received_at"
        ),
        (
            "forget_billing_reservations(before bigint, at_most bigint)", "billing_reservations",
            "t.ends_at IS NULL AND t.created_at < before ORDER BY t.created_at"
        ),
        (
            "forget_billing_deliveries(before bigint, at_most bigint)", "billing_deliveries",
            "t.state <> 'waiting' AND t.created_at < before ORDER BY t.created_at"
        ),
    ].map { signature, table, condition in
        """
        CREATE FUNCTION \(signature) RETURNS bigint
            LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = tollgate, pg_temp
            AS $$
                WITH old AS (
                    SELECT t.ctid AS place FROM \(table) t WHERE \(condition) LIMIT at_most FOR UPDATE SKIP LOCKED
                ), gone AS (
                    DELETE FROM \(table) t USING old WHERE t.ctid = old.place RETURNING 1
                ) SELECT count(*) FROM gone
            $$;

        """
    }.joined()
}
