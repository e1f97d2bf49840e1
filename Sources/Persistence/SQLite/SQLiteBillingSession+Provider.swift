// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import GRDB

/// Events of the payment provider, and whose customers are whose.
extension SQLiteBillingSession {
    func providerEvents(subscription: String) throws -> [ProviderEventRow] {
        try rows(
            """
            SELECT \(SQLiteProviderEvents.columns) FROM billing_provider_events
            WHERE subscription = ? AND (account IS NULL OR account = ?)
            """, [subscription, owner]
        ).map(SQLiteProviderEvents.event)
    }

    func put(_ event: ProviderEventRow) throws { try SQLiteProviderEvents.put(event, db) }

    func customers() throws -> [String] {
        guard let number = try knownNumber() else { return [] }
        return try rows("SELECT customer FROM billing_customers WHERE account = ? ORDER BY customer", [number])
            .map { $0[0] }
    }

    func account(ofCustomer customer: String) throws -> String? {
        try SQLiteProviderEvents.account(ofCustomer: customer, db)
    }

    func link(customer: String) throws {
        if let linked = try account(ofCustomer: customer), linked != owner {
            throw BillingStoreError(.constraint, "The customer is linked to another account")
        }
        try execute(
            "INSERT OR IGNORE INTO billing_customers (customer, account) VALUES (?, ?)",
            [try PackedText.checked(customer), try ownNumber()])
    }

    func tie(purchases: [String], to key: String) throws -> Bool {
        let number = try ownNumber()
        var free: [String] = []
        for purchase in purchases {
            let tied = try row(
                "SELECT account = ? AND key = ? FROM billing_purchases WHERE purchase = ?",
                [number, key, try PackedText.checked(purchase)])
            guard let tied else {
                free.append(purchase)
                continue
            }
            guard tied[0] else { return false }
        }
        for purchase in free {
            try execute(
                "INSERT INTO billing_purchases (purchase, account, key) VALUES (?, ?, ?)", [purchase, number, key])
        }
        return true
    }
}

/// What is kept of events of the provider.
enum SQLiteProviderEvents {
    static let columns = """
        id, type, created, state, outcome, account, customer, subscription, document, lease_until, next_at, attempts,
        received_at
        """

    static func event(_ row: Row) throws(BillingStoreError) -> ProviderEventRow {
        let text: String = row[3]
        guard let state = ProviderEventRow.State(rawValue: text) else {
            throw BillingStoreError(.unreadable, "An event of the provider has the state '\(text)'")
        }
        return ProviderEventRow(
            id: row[0], type: row[1], created: row.timestamp(2), state: state, outcome: row[4], account: row[5],
            customer: row[6], subscription: row[7], document: row[8], leaseUntil: row.optionalTimestamp(9),
            nextAt: row.optionalTimestamp(10), attempts: row[11], receivedAt: row.timestamp(12))
    }

    static func stored(_ id: String, _ db: Database) throws -> ProviderEventRow? {
        try Row.fetchOne(
            db.cachedStatement(sql: "SELECT \(columns) FROM billing_provider_events WHERE id = ?"), arguments: [id]
        ).map(event)
    }

    static func put(_ event: ProviderEventRow, _ db: Database) throws {
        try db.cachedStatement(
            sql: """
                INSERT OR REPLACE INTO billing_provider_events (\(columns))
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            try PackedText.checked(event.id), event.type, event.created.microseconds, event.state.rawValue,
            event.outcome, event.account, event.customer, event.subscription, event.document,
            event.leaseUntil?.microseconds, event.nextAt?.microseconds, event.attempts, event.receivedAt.microseconds,
        ])
    }

    static func account(ofCustomer customer: String, _ db: Database) throws -> String? {
        try String.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT a.account FROM billing_customers c JOIN billing_accounts a ON a.id = c.account
                    WHERE c.customer = ?
                    """), arguments: [customer])
    }
}
