// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import GRDB

extension SQLiteMigrations {
    /// Accounts, their ledger and usage, and what goes out. Times are microseconds since 1970.
    ///
    /// Accounts and texts that come again and again have small numbers, because they stand in each of many million rows. A column without a
    /// type (`ANY`) holds a `PackedText`. The tables that grow without end have one index beside their own order, or two, and both grow
    /// at their ends where identifiers come in the order of time.
    @Sendable static func billing(_ db: Database) throws {
        for part in [billingAccounts, billingLedger, billingUsage, billingOutside] { try db.execute(sql: part) }
    }

    private static let billingAccounts = """
        CREATE TABLE billing_accounts (
            id INTEGER PRIMARY KEY,
            account TEXT NOT NULL UNIQUE,
            version INTEGER NOT NULL DEFAULT 0,
            due_at INTEGER,
            document TEXT NOT NULL DEFAULT ''
        ) STRICT;
        CREATE INDEX billing_accounts_due ON billing_accounts (due_at) WHERE due_at IS NOT NULL;
        CREATE TABLE billing_texts (
            id INTEGER PRIMARY KEY,
            text TEXT NOT NULL UNIQUE
        ) STRICT;
        CREATE TABLE billing_grants (
            account INTEGER NOT NULL,
            id TEXT NOT NULL,
            key TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            document TEXT NOT NULL,
            PRIMARY KEY (account, id),
            UNIQUE (account, key)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX billing_grants_by_age ON billing_grants (account, created_at, id);
        CREATE TABLE billing_reservations (
            account INTEGER NOT NULL,
            id ANY NOT NULL,
            key ANY NOT NULL,
            whole_id TEXT,
            whole_key TEXT,
            ends_at INTEGER,
            created_at INTEGER NOT NULL,
            document TEXT NOT NULL,
            PRIMARY KEY (account, id),
            UNIQUE (account, key)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX billing_reservations_open ON billing_reservations (account, ends_at) WHERE ends_at IS NOT NULL;
        CREATE INDEX billing_reservations_ends ON billing_reservations (ends_at) WHERE ends_at IS NOT NULL;
        CREATE INDEX billing_reservations_over ON billing_reservations (created_at) WHERE ends_at IS NULL;
        CREATE TABLE billing_slots (
            account INTEGER NOT NULL,
            kind TEXT NOT NULL,
            id TEXT NOT NULL,
            place INTEGER NOT NULL,
            document TEXT NOT NULL,
            PRIMARY KEY (account, kind, id)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX billing_slots_by_place ON billing_slots (account, kind, place);
        CREATE TABLE billing_documents (
            account INTEGER NOT NULL,
            kind TEXT NOT NULL,
            name TEXT NOT NULL,
            document TEXT NOT NULL,
            PRIMARY KEY (account, kind, name)
        ) STRICT, WITHOUT ROWID;
        """

    /// The number of an entry is that of its account, shifted by 40 bits, and its sequence: one tree with short keys instead of two.
    private static let billingLedger = """
        CREATE TABLE billing_entries (
            id INTEGER PRIMARY KEY,
            account INTEGER NOT NULL,
            key ANY NOT NULL,
            whole_key TEXT,
            entry_id ANY NOT NULL,
            kind TEXT NOT NULL,
            at INTEGER NOT NULL,
            recorded_at INTEGER NOT NULL,
            legs TEXT NOT NULL,
            reference ANY,
            list_micro_usd INTEGER,
            charge_micro_usd INTEGER,
            price_version INTEGER,
            actor INTEGER NOT NULL,
            balance_after INTEGER NOT NULL
        ) STRICT;
        CREATE UNIQUE INDEX billing_entries_by_key ON billing_entries (account, key);
        CREATE TRIGGER billing_entries_are_never_changed BEFORE UPDATE ON billing_entries
            BEGIN SELECT RAISE(ABORT, 'ledger entries are never changed'); END;
        CREATE TRIGGER billing_entries_are_never_deleted BEFORE DELETE ON billing_entries
            BEGIN SELECT RAISE(ABORT, 'ledger entries are never deleted'); END;
        """

    private static let billingUsage = """
        CREATE TABLE billing_usage (
            id INTEGER PRIMARY KEY,
            account INTEGER NOT NULL,
            at INTEGER NOT NULL,
            received_at INTEGER NOT NULL,
            kind TEXT NOT NULL,
            source INTEGER NOT NULL,
            event ANY NOT NULL,
            whole_event TEXT,
            digest ANY NOT NULL,
            model INTEGER NOT NULL,
            agent INTEGER NOT NULL,
            user INTEGER NOT NULL,
            project INTEGER NOT NULL,
            requests INTEGER NOT NULL,
            input INTEGER NOT NULL,
            output INTEGER NOT NULL,
            cache_read INTEGER NOT NULL,
            cache_write INTEGER NOT NULL,
            reasoning INTEGER NOT NULL,
            agent_calls INTEGER NOT NULL,
            agent_seconds INTEGER NOT NULL,
            tasks INTEGER NOT NULL,
            list_micro_usd INTEGER NOT NULL,
            charge_micro_usd INTEGER NOT NULL,
            charge_micro_credits INTEGER NOT NULL,
            uncollected INTEGER NOT NULL,
            is_quarantined INTEGER NOT NULL,
            price_version INTEGER,
            reservation ANY,
            session ANY,
            task ANY
        ) STRICT;
        CREATE INDEX billing_usage_by_time ON billing_usage (account, at);
        CREATE INDEX billing_usage_quarantined ON billing_usage (account, model, at) WHERE is_quarantined = 1;
        CREATE TABLE billing_usage_keys (
            account INTEGER NOT NULL,
            source INTEGER NOT NULL,
            event ANY NOT NULL,
            usage INTEGER NOT NULL,
            PRIMARY KEY (account, source, event)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE billing_windows (
            account INTEGER NOT NULL,
            granularity INTEGER NOT NULL,
            start INTEGER NOT NULL,
            model INTEGER NOT NULL,
            agent INTEGER NOT NULL,
            user INTEGER NOT NULL,
            project INTEGER NOT NULL,
            requests INTEGER NOT NULL,
            input INTEGER NOT NULL,
            output INTEGER NOT NULL,
            cache_read INTEGER NOT NULL,
            cache_write INTEGER NOT NULL,
            reasoning INTEGER NOT NULL,
            agent_calls INTEGER NOT NULL,
            agent_seconds INTEGER NOT NULL,
            tasks INTEGER NOT NULL,
            list_micro_usd INTEGER NOT NULL,
            charge_micro_usd INTEGER NOT NULL,
            charge_micro_credits INTEGER NOT NULL,
            PRIMARY KEY (account, granularity, start, model, agent, user, project)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE billing_window_starts (
            granularity INTEGER NOT NULL,
            start INTEGER NOT NULL,
            account INTEGER NOT NULL,
            PRIMARY KEY (granularity, start, account)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE billing_dimension_values (
            account INTEGER NOT NULL,
            dimension INTEGER NOT NULL,
            day INTEGER NOT NULL,
            value INTEGER NOT NULL,
            PRIMARY KEY (account, dimension, day, value)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE billing_dimension_counts (
            day INTEGER NOT NULL,
            account INTEGER NOT NULL,
            dimension INTEGER NOT NULL,
            count INTEGER NOT NULL,
            PRIMARY KEY (day, account, dimension)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE billing_marks (
            name TEXT NOT NULL PRIMARY KEY,
            value INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        """

    private static let billingOutside = """
        CREATE TABLE billing_provider_events (
            id TEXT NOT NULL PRIMARY KEY,
            type TEXT NOT NULL,
            created INTEGER NOT NULL,
            state TEXT NOT NULL,
            outcome TEXT,
            account TEXT,
            customer TEXT,
            subscription TEXT,
            document TEXT NOT NULL,
            lease_until INTEGER,
            next_at INTEGER,
            attempts INTEGER NOT NULL,
            received_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX billing_provider_events_by_state ON billing_provider_events (state, received_at, id);
        CREATE INDEX billing_provider_events_by_subscription ON billing_provider_events (subscription)
            WHERE subscription IS NOT NULL;
        CREATE INDEX billing_provider_events_parked ON billing_provider_events (customer) WHERE state = 'parked';
        CREATE INDEX billing_provider_events_failed ON billing_provider_events (next_at)
            WHERE state = 'failed' AND next_at IS NOT NULL;
        CREATE INDEX billing_provider_events_claimed ON billing_provider_events (lease_until) WHERE state = 'claimed';
        CREATE TABLE billing_customers (
            customer TEXT NOT NULL PRIMARY KEY,
            account INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX billing_customers_by_account ON billing_customers (account, customer);
        CREATE TABLE billing_deliveries (
            id TEXT NOT NULL PRIMARY KEY,
            account INTEGER NOT NULL,
            endpoint TEXT NOT NULL,
            message TEXT NOT NULL,
            type TEXT NOT NULL,
            body TEXT NOT NULL,
            attempts INTEGER NOT NULL,
            next_at INTEGER,
            lease_until INTEGER,
            state TEXT NOT NULL,
            last_status INTEGER,
            created_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX billing_deliveries_due ON billing_deliveries (next_at, id) WHERE next_at IS NOT NULL;
        CREATE INDEX billing_deliveries_by_endpoint ON billing_deliveries (account, endpoint, created_at, id);
        CREATE INDEX billing_deliveries_over ON billing_deliveries (created_at) WHERE state <> 'waiting';
        CREATE TABLE billing_pending_usage (
            id TEXT NOT NULL PRIMARY KEY,
            account INTEGER NOT NULL,
            payload TEXT NOT NULL,
            received_at INTEGER NOT NULL,
            attempts INTEGER NOT NULL,
            lease_until INTEGER
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX billing_pending_usage_by_age ON billing_pending_usage (received_at, id);
        """
}
