// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import GRDB

/// Documents that are found by their names, webhooks that go out, and usage that a transaction applies.
extension SQLiteBillingSession {
    // MARK: - Named documents

    func named(_ kind: NamedRow.Kind, _ name: String) throws -> NamedRow? {
        guard let number = try knownNumber() else { return nil }
        return try row(
            "SELECT name, document FROM billing_documents WHERE account = ? AND kind = ? AND name = ?",
            [number, kind.rawValue, name]
        ).map { NamedRow(kind: kind, name: $0[0], document: $0[1]) }
    }

    func named(_ kind: NamedRow.Kind, after name: String?, limit: Int) throws -> [NamedRow] {
        guard let number = try knownNumber() else { return [] }
        return try rows(
            """
            SELECT name, document FROM billing_documents WHERE account = ? AND kind = ? AND (? IS NULL OR name > ?)
            ORDER BY name LIMIT ?
            """, [number, kind.rawValue, name, name, max(0, limit)]
        ).map { NamedRow(kind: kind, name: $0[0], document: $0[1]) }
    }

    func put(_ named: NamedRow) throws {
        try execute(
            """
            INSERT OR REPLACE INTO billing_documents (account, kind, name, document) VALUES (?, ?, ?, ?)
            """, [try ownNumber(), named.kind.rawValue, try PackedText.checked(named.name), named.document])
    }

    func remove(_ kind: NamedRow.Kind, _ name: String) throws {
        guard let number = try knownNumber() else { return }
        try execute(
            "DELETE FROM billing_documents WHERE account = ? AND kind = ? AND name = ?",
            [number, kind.rawValue, name])
    }

    // MARK: - Deliveries

    func deliveries(endpoint: String, before: DeliveryRow?, limit: Int) throws -> [DeliveryRow] {
        guard let number = try knownNumber() else { return [] }
        return try rows(
            """
            SELECT \(SQLiteDeliveries.columns), ? FROM billing_deliveries
            WHERE account = ? AND endpoint = ? AND (created_at, id) < (?, ?)
            ORDER BY created_at DESC, id DESC LIMIT ?
            """,
            [owner, number, endpoint, before?.createdAt.microseconds ?? .max, before?.id ?? "", max(0, limit)]
        ).map(SQLiteDeliveries.delivery)
    }

    func delivery(id: String) throws -> DeliveryRow? {
        guard let number = try knownNumber() else { return nil }
        return try row(
            "SELECT \(SQLiteDeliveries.columns), ? FROM billing_deliveries WHERE id = ? AND account = ?",
            [owner, id, number]
        ).map(SQLiteDeliveries.delivery)
    }

    func add(_ deliveries: [DeliveryRow]) throws {
        for delivery in deliveries {
            guard delivery.account == owner else {
                throw BillingStoreError(.constraint, "A transaction over one account adds a webhook of another")
            }
            try execute(
                """
                INSERT INTO billing_deliveries (\(SQLiteDeliveries.columns), account)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
                [
                    try PackedText.checked(delivery.id), delivery.endpoint, delivery.message, delivery.type,
                    delivery.body, delivery.attempts, delivery.nextAt?.microseconds, delivery.state,
                    delivery.lastStatus, delivery.createdAt.microseconds, try ownNumber(),
                ])
        }
    }

    // MARK: - Pending usage

    func removePending(id: String) throws {
        guard let number = try knownNumber() else { return }
        try execute("DELETE FROM billing_pending_usage WHERE id = ? AND account = ?", [id, number])
    }
}

/// What is kept of webhooks.
enum SQLiteDeliveries {
    /// Followed by the account.
    static let columns = "id, endpoint, message, type, body, attempts, next_at, state, last_status, created_at"

    static func delivery(_ row: Row) -> DeliveryRow {
        DeliveryRow(
            id: row[0], account: row[10], endpoint: row[1], message: row[2], type: row[3], body: row[4],
            attempts: row[5], nextAt: row.optionalTimestamp(6), state: row[7], lastStatus: row[8],
            createdAt: row.timestamp(9))
    }
}

extension SQLiteBillingSession: BillingTransaction {}
