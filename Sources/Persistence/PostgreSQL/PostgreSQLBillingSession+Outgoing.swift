// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials

/// Events of the payment provider and its customers, documents that are found by their names, webhooks that go out, and usage that a
/// transaction applies.
extension PostgreSQLBillingSession {
    // MARK: - Provider

    func providerEvents(subscription: String) throws -> [ProviderEventRow] {
        try query(
            """
            SELECT \(PostgreSQLProviderEvents.columns) FROM billing_provider_events
            WHERE tenant_id = '_platform' AND subscription = $1 AND (account IS NULL OR account = $2)
            """, [.text(subscription), tenant], of: .platform
        ).map(PostgreSQLProviderEvents.event)
    }

    func put(_ event: ProviderEventRow) throws {
        let statement = PostgreSQLProviderEvents.put(event)
        later(statement.sql, statement.parameters, of: .platform)
    }

    func customers() throws -> [String] {
        try query("SELECT customer FROM billing_customers WHERE tenant_id = $1 ORDER BY customer", [tenant])
            .map { try $0.text(0) }
    }

    func account(ofCustomer customer: String) throws -> String? {
        try query("SELECT account FROM billing_account_of_customer($1)", [.text(customer)]).first?.text(0)
    }

    func link(customer: String) throws {
        let added = try execute(
            "INSERT INTO billing_customers (tenant_id, customer) VALUES ($1, $2) ON CONFLICT (customer) DO NOTHING",
            [tenant, .text(customer)])
        if added == 0, try account(ofCustomer: customer) != owner {
            throw BillingStoreError(.constraint, "The customer is linked to another account")
        }
    }

    func tie(purchases: [String], to key: String) throws -> Bool {
        var added: [String] = []
        for purchase in purchases {
            // What another account tied cannot be read from here, and what it is about to tie is waited for.
            let isNew =
                try execute(
                    """
                    INSERT INTO billing_purchases (tenant_id, purchase, key) VALUES ($1, $2, $3)
                    ON CONFLICT (purchase) DO NOTHING
                    """, [tenant, .text(purchase), .text(key)]) > 0
            if isNew {
                added.append(purchase)
                continue
            }
            let own = try query(
                "SELECT 1 FROM billing_purchases WHERE tenant_id = $1 AND purchase = $2 AND key = $3",
                [tenant, .text(purchase), .text(key)])
            guard own.isEmpty else { continue }
            for purchase in added {
                _ = try execute(
                    "DELETE FROM billing_purchases WHERE tenant_id = $1 AND purchase = $2",
                    [tenant, .text(purchase)])
            }
            return false
        }
        return true
    }

    // MARK: - Named documents

    func named(_ kind: NamedRow.Kind, _ name: String) throws -> NamedRow? {
        try query(
            "SELECT name, document FROM billing_documents WHERE tenant_id = $1 AND kind = $2 AND name = $3",
            [tenant, .text(kind.rawValue), .text(name)]
        ).first.map { NamedRow(kind: kind, name: try $0.text(0), document: try $0.text(1)) }
    }

    func named(_ kind: NamedRow.Kind, after name: String?, limit: Int) throws -> [NamedRow] {
        try query(
            """
            SELECT name, document FROM billing_documents
            WHERE tenant_id = $1 AND kind = $2 AND ($3::text IS NULL OR name > $3) ORDER BY name LIMIT $4
            """, [tenant, .text(kind.rawValue), .optional(name), .integer(max(0, limit))]
        ).map { NamedRow(kind: kind, name: try $0.text(0), document: try $0.text(1)) }
    }

    func put(_ named: NamedRow) throws {
        later(
            """
            INSERT INTO billing_documents (tenant_id, kind, name, document) VALUES ($1, $2, $3, $4)
            ON CONFLICT (tenant_id, kind, name) DO UPDATE SET document = excluded.document
            """, [tenant, .text(named.kind.rawValue), .text(named.name), .text(named.document)])
    }

    func remove(_ kind: NamedRow.Kind, _ name: String) throws {
        later(
            "DELETE FROM billing_documents WHERE tenant_id = $1 AND kind = $2 AND name = $3",
            [tenant, .text(kind.rawValue), .text(name)])
    }

    // MARK: - Deliveries

    func deliveries(endpoint: String, before: DeliveryRow?, limit: Int) throws -> [DeliveryRow] {
        try query(
            """
            SELECT \(PostgreSQLDeliveries.columns) FROM billing_deliveries
            WHERE tenant_id = $1 AND endpoint = $2 AND (created_at, id) < ($3, $4)
            ORDER BY created_at DESC, id DESC LIMIT $5
            """,
            [
                tenant, .text(endpoint), .integer(before?.createdAt.microseconds ?? .max), .text(before?.id ?? ""),
                .integer(max(0, limit)),
            ]
        ).map(PostgreSQLDeliveries.delivery)
    }

    func delivery(id: String) throws -> DeliveryRow? {
        try query(
            "SELECT \(PostgreSQLDeliveries.columns) FROM billing_deliveries WHERE tenant_id = $1 AND id = $2",
            [tenant, .text(id)]
        ).first.map(PostgreSQLDeliveries.delivery)
    }

    func add(_ deliveries: [DeliveryRow]) throws {
        for delivery in deliveries {
            guard delivery.account == owner else {
                throw BillingStoreError(.constraint, "A transaction over one account adds a webhook of another")
            }
            later(
                """
                INSERT INTO billing_deliveries (\(PostgreSQLDeliveries.columns))
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
                """,
                [
                    tenant, .text(delivery.id), .text(delivery.endpoint), .text(delivery.message),
                    .text(delivery.type), .text(delivery.body), .integer(delivery.attempts),
                    .optional(delivery.nextAt?.microseconds), .text(delivery.state), .optional(delivery.lastStatus),
                    .integer(delivery.createdAt.microseconds),
                ])
        }
    }

    // MARK: - Pending usage

    func removePending(id: String) throws {
        later("DELETE FROM billing_pending_usage WHERE tenant_id = $1 AND id = $2", [tenant, .text(id)])
    }
}

extension PostgreSQLBillingSession: BillingTransaction {}

/// What is kept of webhooks.
enum PostgreSQLDeliveries {
    static let columns =
        "tenant_id, id, endpoint, message, type, body, attempts, next_at, state, last_status, created_at"

    static func delivery(_ row: PostgreSQLRow) throws(PostgreSQLError) -> DeliveryRow {
        DeliveryRow(
            id: try row.text(1), account: try row.text(0), endpoint: try row.text(2), message: try row.text(3),
            type: try row.text(4), body: try row.text(5), attempts: try row.integer(6),
            nextAt: try row.optionalTimestamp(7), state: try row.text(8), lastStatus: try row.optionalInteger(9),
            createdAt: try row.timestamp(10))
    }
}

/// What is kept of events of the provider.
enum PostgreSQLProviderEvents {
    static let columns = """
        id, type, created, state, outcome, account, customer, subscription, document, lease_until, next_at, attempts,
        received_at
        """

    static func event(_ row: PostgreSQLRow) throws -> ProviderEventRow {
        let text = try row.text(3)
        guard let state = ProviderEventRow.State(rawValue: text) else {
            throw BillingStoreError(.unreadable, "An event of the provider has the state '\(text)'")
        }
        return ProviderEventRow(
            id: try row.text(0), type: try row.text(1), created: try row.timestamp(2), state: state,
            outcome: try row.optionalText(4), account: try row.optionalText(5), customer: try row.optionalText(6),
            subscription: try row.optionalText(7), document: try row.text(8),
            leaseUntil: try row.optionalTimestamp(9), nextAt: try row.optionalTimestamp(10),
            attempts: try row.integer(11), receivedAt: try row.timestamp(12))
    }

    /// Puts an event, new or not.
    static func put(_ event: ProviderEventRow) -> PostgreSQLStatement {
        insertion(
            event,
            """
            DO UPDATE SET type = excluded.type, created = excluded.created, state = excluded.state,
                outcome = excluded.outcome, account = excluded.account, customer = excluded.customer,
                subscription = excluded.subscription, document = excluded.document, lease_until = excluded.lease_until,
                next_at = excluded.next_at, attempts = excluded.attempts, received_at = excluded.received_at
            """)
    }

    /// Inserts an event that is not there.
    static func add(_ event: ProviderEventRow) -> PostgreSQLStatement { insertion(event, "DO NOTHING") }

    private static func insertion(_ event: ProviderEventRow, _ conflict: String) -> PostgreSQLStatement {
        PostgreSQLStatement(
            """
            INSERT INTO billing_provider_events (tenant_id, \(columns))
            VALUES ('_platform', $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
            ON CONFLICT (tenant_id, id) \(conflict)
            """,
            [
                .text(event.id), .text(event.type), .integer(event.created.microseconds),
                .text(event.state.rawValue), .optional(event.outcome), .optional(event.account),
                .optional(event.customer), .optional(event.subscription), .text(event.document),
                .optional(event.leaseUntil?.microseconds), .optional(event.nextAt?.microseconds),
                .integer(event.attempts), .integer(event.receivedAt.microseconds),
            ])
    }
}
