// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Billing
package import Essentials
internal import GRDB

/// Webhooks and pending usage, which one worker at a time has.
extension SQLiteBillingLedger {
    package func dueDeliveries(at now: Timestamp, leaseUntil: Timestamp, limit: Int) async throws -> [DeliveryRow] {
        try await writing { db in
            let due = try Row.fetchAll(
                db.cachedStatement(
                    sql: """
                        SELECT \(SQLiteDeliveries.columns),
                            (SELECT a.account FROM billing_accounts a WHERE a.id = billing_deliveries.account)
                        FROM billing_deliveries
                        WHERE next_at <= ? AND (lease_until IS NULL OR lease_until <= ?) ORDER BY next_at, id LIMIT ?
                        """), arguments: [now.microseconds, now.microseconds, max(0, limit)]
            ).map(SQLiteDeliveries.delivery)
            let lease = try db.cachedStatement(sql: "UPDATE billing_deliveries SET lease_until = ? WHERE id = ?")
            for delivery in due { try lease.execute(arguments: [leaseUntil.microseconds, delivery.id]) }
            return due
        }
    }

    package func update(_ delivery: DeliveryRow) async throws {
        try await writing { db in
            try db.cachedStatement(
                sql: """
                    UPDATE billing_deliveries SET attempts = ?, next_at = ?, state = ?, last_status = ?, lease_until = NULL
                    WHERE id = ?
                    """
            ).execute(arguments: [
                delivery.attempts, delivery.nextAt?.microseconds, delivery.state, delivery.lastStatus, delivery.id,
            ])
        }
    }

    // MARK: - Pending usage

    package func addPending(_ usage: [PendingUsageRow]) async throws -> [String: String] {
        guard !usage.isEmpty else { return [:] }
        let numbers = store.numbers
        return try await writing { db in
            var known: [String: String] = [:]
            let statement = try db.cachedStatement(
                sql: """
                    INSERT INTO billing_pending_usage (id, account, payload, received_at, attempts, lease_until)
                    VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING
                    """)
            for row in usage {
                let account = try SQLiteBillingSession(db, account: row.account, numbers: numbers).ownNumber()
                try statement.execute(arguments: [
                    try PackedText.checked(row.id), account, row.payload, row.receivedAt.microseconds, row.attempts,
                    row.leaseUntil?.microseconds,
                ])
                guard db.changesCount == 0 else { continue }
                known[row.id] = try String.fetchOne(
                    db.cachedStatement(sql: "SELECT payload FROM billing_pending_usage WHERE id = ?"),
                    arguments: [row.id])
            }
            return known
        }
    }

    package func takePending(at now: Timestamp, leaseUntil: Timestamp, limit: Int) async throws -> [PendingUsageRow] {
        try await writing { db in
            try Self.take(
                """
                lease_until IS NULL OR lease_until <= ? ORDER BY received_at, id LIMIT ?
                """, [now.microseconds, max(0, limit)], leaseUntil, db)
        }
    }

    package func takePending(
        id: String, at now: Timestamp, leaseUntil: Timestamp
    ) async throws -> PendingUsageRow? {
        try await writing { db in
            try Self.take(
                "id = ? AND (lease_until IS NULL OR lease_until <= ?)", [id, now.microseconds], leaseUntil, db
            ).first
        }
    }

    private static func take(
        _ condition: String, _ arguments: StatementArguments, _ leaseUntil: Timestamp, _ db: Database
    ) throws -> [PendingUsageRow] {
        let rows = try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT id, payload, received_at, attempts,
                        (SELECT a.account FROM billing_accounts a WHERE a.id = billing_pending_usage.account)
                    FROM billing_pending_usage WHERE \(condition)
                    """), arguments: arguments)
        let lease = try db.cachedStatement(
            sql: "UPDATE billing_pending_usage SET lease_until = ?, attempts = attempts + 1 WHERE id = ?")
        return try rows.map { row in
            let id: String = row[0]
            try lease.execute(arguments: [leaseUntil.microseconds, id])
            return PendingUsageRow(
                id: id, account: row[4], payload: row[1], receivedAt: row.timestamp(2),
                attempts: (row[3] as Int64) + 1, leaseUntil: leaseUntil)
        }
    }

    package func pendingUsage() async throws -> (count: Int64, oldest: Timestamp?) {
        try await reading { db in
            guard
                let row = try Row.fetchOne(
                    db.cachedStatement(sql: "SELECT count(*), min(received_at) FROM billing_pending_usage"))
            else { return (0, nil) }
            return (row[0], row.optionalTimestamp(1))
        }
    }
}
