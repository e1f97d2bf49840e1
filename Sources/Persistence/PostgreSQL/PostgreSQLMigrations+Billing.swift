// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

extension PostgreSQLMigrations {
    /// Accounts and their ledger; the tenant of a row is the account. Entries are added and never changed. What stands in an index and may be
    /// long is a `BillingKey`, beside the whole text where that is another.
    static let billingAccounts = PostgreSQLMigration(
        "billing accounts",
        sql: """
            CREATE TABLE billing_accounts (
                tenant_id text COLLATE "C" NOT NULL PRIMARY KEY,
                version bigint NOT NULL,
                due_at bigint,
                document text NOT NULL
            );
            CREATE INDEX billing_accounts_due ON billing_accounts (due_at) WHERE due_at IS NOT NULL;
            CREATE TABLE billing_grants (
                tenant_id text COLLATE "C" NOT NULL,
                id text COLLATE "C" NOT NULL,
                key text COLLATE "C" NOT NULL,
                created_at bigint NOT NULL,
                document text NOT NULL,
                PRIMARY KEY (tenant_id, id),
                UNIQUE (tenant_id, key)
            );
            CREATE INDEX billing_grants_by_age ON billing_grants (tenant_id, created_at, id);
            CREATE TABLE billing_reservations (
                tenant_id text COLLATE "C" NOT NULL,
                id text COLLATE "C" NOT NULL,
                key text COLLATE "C" NOT NULL,
                whole_id text,
                whole_key text,
                ends_at bigint,
                created_at bigint NOT NULL,
                document text NOT NULL,
                PRIMARY KEY (tenant_id, id),
                UNIQUE (tenant_id, key)
            );
            CREATE INDEX billing_reservations_open ON billing_reservations (tenant_id, ends_at) WHERE ends_at IS NOT NULL;
            CREATE INDEX billing_reservations_ends ON billing_reservations (ends_at) WHERE ends_at IS NOT NULL;
            CREATE INDEX billing_reservations_over ON billing_reservations (created_at) WHERE ends_at IS NULL;
            CREATE TABLE billing_slots (
                tenant_id text COLLATE "C" NOT NULL,
                kind text COLLATE "C" NOT NULL,
                id text COLLATE "C" NOT NULL,
                place bigint NOT NULL,
                document text NOT NULL,
                PRIMARY KEY (tenant_id, kind, id)
            );
            CREATE INDEX billing_slots_by_place ON billing_slots (tenant_id, kind, place);
            CREATE TABLE billing_documents (
                tenant_id text COLLATE "C" NOT NULL,
                kind text COLLATE "C" NOT NULL,
                name text COLLATE "C" NOT NULL,
                document text NOT NULL,
                PRIMARY KEY (tenant_id, kind, name)
            );
            CREATE TABLE billing_entries (
                tenant_id text COLLATE "C" NOT NULL,
                sequence bigint NOT NULL CHECK (sequence > 0),
                key text COLLATE "C" NOT NULL,
                whole_key text,
                id text COLLATE "C" NOT NULL,
                kind text COLLATE "C" NOT NULL,
                at bigint NOT NULL,
                recorded_at bigint NOT NULL,
                legs text NOT NULL,
                reference text,
                list_micro_usd bigint,
                charge_micro_usd bigint,
                price_version text,
                actor text NOT NULL,
                balance_after bigint NOT NULL,
                PRIMARY KEY (tenant_id, sequence),
                UNIQUE (tenant_id, key)
            );
            CREATE FUNCTION refuse_billing_entry_change() RETURNS trigger
                LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
                AS $$
                    BEGIN
                        RAISE EXCEPTION 'ledger entries are never changed' USING ERRCODE = '42501';
                    END
                $$;
            CREATE TRIGGER billing_entries_stay BEFORE UPDATE OR DELETE ON billing_entries
                FOR EACH ROW EXECUTE FUNCTION refuse_billing_entry_change();
            CREATE TRIGGER billing_entries_stay_all BEFORE TRUNCATE ON billing_entries
                FOR EACH STATEMENT EXECUTE FUNCTION refuse_billing_entry_change();
            """)

    /// Recorded usage, the keys by which repeats are told, and windows.
    static let billingUsage = PostgreSQLMigration(
        "billing usage",
        sql: """
            CREATE TABLE billing_usage (
                number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                tenant_id text COLLATE "C" NOT NULL,
                kind text COLLATE "C" NOT NULL,
                source text COLLATE "C" NOT NULL,
                event text COLLATE "C" NOT NULL,
                whole_source text,
                whole_event text,
                digest text COLLATE "C" NOT NULL,
                at bigint NOT NULL,
                received_at bigint NOT NULL,
                model text COLLATE "C" NOT NULL,
                agent text COLLATE "C" NOT NULL,
                user_name text COLLATE "C" NOT NULL,
                project text COLLATE "C" NOT NULL,
                requests bigint NOT NULL,
                input bigint NOT NULL,
                output bigint NOT NULL,
                cache_read bigint NOT NULL,
                cache_write bigint NOT NULL,
                reasoning bigint NOT NULL,
                agent_calls bigint NOT NULL,
                agent_seconds bigint NOT NULL,
                tasks bigint NOT NULL,
                list_micro_usd bigint NOT NULL,
                charge_micro_usd bigint NOT NULL,
                charge_micro_credits bigint NOT NULL,
                uncollected bigint NOT NULL,
                is_quarantined boolean NOT NULL,
                price_version text,
                reservation text,
                session text,
                task text
            );
            CREATE INDEX billing_usage_by_time ON billing_usage (tenant_id, at, number);
            CREATE INDEX billing_usage_quarantined ON billing_usage (tenant_id, model, at, number) WHERE is_quarantined;
            CREATE TABLE billing_usage_keys (
                tenant_id text COLLATE "C" NOT NULL,
                source text COLLATE "C" NOT NULL,
                event text COLLATE "C" NOT NULL,
                usage bigint NOT NULL,
                received_at bigint NOT NULL,
                PRIMARY KEY (tenant_id, source, event)
            );
            CREATE INDEX billing_usage_keys_by_age ON billing_usage_keys (received_at);
            CREATE TABLE billing_windows (
                tenant_id text COLLATE "C" NOT NULL,
                granularity smallint NOT NULL,
                start bigint NOT NULL,
                model text COLLATE "C" NOT NULL,
                agent text COLLATE "C" NOT NULL,
                user_name text COLLATE "C" NOT NULL,
                project text COLLATE "C" NOT NULL,
                requests bigint NOT NULL,
                input bigint NOT NULL,
                output bigint NOT NULL,
                cache_read bigint NOT NULL,
                cache_write bigint NOT NULL,
                reasoning bigint NOT NULL,
                agent_calls bigint NOT NULL,
                agent_seconds bigint NOT NULL,
                tasks bigint NOT NULL,
                list_micro_usd bigint NOT NULL,
                charge_micro_usd bigint NOT NULL,
                charge_micro_credits bigint NOT NULL,
                PRIMARY KEY (tenant_id, granularity, start, model, agent, user_name, project)
            );
            CREATE INDEX billing_windows_by_age ON billing_windows (granularity, start);
            CREATE TABLE billing_dimension_values (
                tenant_id text COLLATE "C" NOT NULL,
                dimension text COLLATE "C" NOT NULL,
                day bigint NOT NULL,
                value text COLLATE "C" NOT NULL,
                PRIMARY KEY (tenant_id, dimension, day, value)
            );
            CREATE INDEX billing_dimension_values_by_age ON billing_dimension_values (day);
            CREATE TABLE billing_dimension_counts (
                tenant_id text COLLATE "C" NOT NULL,
                dimension text COLLATE "C" NOT NULL,
                day bigint NOT NULL,
                count bigint NOT NULL,
                PRIMARY KEY (tenant_id, dimension, day)
            );
            CREATE INDEX billing_dimension_counts_by_age ON billing_dimension_counts (day);
            """)

    /// Events of the payment provider, which belong to the installation, because whose they are is known only when they are read; customers,
    /// webhooks and usage that waits.
    static let billingOutside = PostgreSQLMigration(
        "billing events and webhooks",
        sql: """
            CREATE TABLE billing_provider_events (
                tenant_id text COLLATE "C" NOT NULL CHECK (tenant_id = '_platform'),
                id text COLLATE "C" NOT NULL,
                type text COLLATE "C" NOT NULL,
                created bigint NOT NULL,
                state text COLLATE "C" NOT NULL,
                outcome text,
                account text COLLATE "C",
                customer text COLLATE "C",
                subscription text COLLATE "C",
                document text NOT NULL,
                lease_until bigint,
                next_at bigint,
                attempts bigint NOT NULL,
                received_at bigint NOT NULL,
                PRIMARY KEY (tenant_id, id)
            );
            CREATE INDEX billing_provider_events_by_state ON billing_provider_events (state, received_at, id);
            CREATE INDEX billing_provider_events_by_subscription ON billing_provider_events (subscription)
                WHERE subscription IS NOT NULL;
            CREATE INDEX billing_provider_events_parked ON billing_provider_events (customer) WHERE state = 'parked';
            CREATE INDEX billing_provider_events_failed ON billing_provider_events (next_at)
                WHERE state = 'failed' AND next_at IS NOT NULL;
            CREATE INDEX billing_provider_events_claimed ON billing_provider_events (lease_until) WHERE state = 'claimed';
            CREATE TABLE billing_customers (
                tenant_id text COLLATE "C" NOT NULL,
                customer text COLLATE "C" NOT NULL PRIMARY KEY
            );
            CREATE INDEX billing_customers_by_account ON billing_customers (tenant_id, customer);
            CREATE TABLE billing_deliveries (
                tenant_id text COLLATE "C" NOT NULL,
                id text COLLATE "C" NOT NULL PRIMARY KEY,
                endpoint text COLLATE "C" NOT NULL,
                message text COLLATE "C" NOT NULL,
                type text COLLATE "C" NOT NULL,
                body text NOT NULL,
                attempts bigint NOT NULL,
                next_at bigint,
                lease_until bigint,
                state text COLLATE "C" NOT NULL,
                last_status bigint,
                created_at bigint NOT NULL
            );
            CREATE INDEX billing_deliveries_due ON billing_deliveries (next_at, id) WHERE next_at IS NOT NULL;
            CREATE INDEX billing_deliveries_by_endpoint ON billing_deliveries (tenant_id, endpoint, created_at, id);
            CREATE INDEX billing_deliveries_over ON billing_deliveries (created_at) WHERE state <> 'waiting';
            CREATE TABLE billing_pending_usage (
                tenant_id text COLLATE "C" NOT NULL,
                id text COLLATE "C" NOT NULL PRIMARY KEY,
                payload text NOT NULL,
                received_at bigint NOT NULL,
                attempts bigint NOT NULL,
                lease_until bigint
            );
            CREATE INDEX billing_pending_usage_by_age ON billing_pending_usage (received_at, id);
            """)
}
