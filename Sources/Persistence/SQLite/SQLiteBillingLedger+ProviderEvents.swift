// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Billing
package import Essentials
internal import GRDB

/// How far events of the payment provider got.
extension SQLiteBillingLedger {
    package func claim(_ event: ProviderEventRow, at now: Timestamp) async throws -> ProviderEventClaim {
        try await writing { db in
            let answer = event.claim(over: try SQLiteProviderEvents.stored(event.id, db), at: now)
            if case .claimed(let row) = answer { try SQLiteProviderEvents.put(row, db) }
            return answer
        }
    }

    package func finish(_ event: ProviderEventRow) async throws {
        try await writing { db in try SQLiteProviderEvents.put(event, db) }
    }

    package func dueProviderEvents(at now: Timestamp, limit: Int) async throws -> [ProviderEventRow] {
        let columns = SQLiteProviderEvents.columns
        return try await events(
            """
            SELECT \(columns) FROM (
                SELECT \(columns), next_at AS due FROM billing_provider_events
                    WHERE state = 'failed' AND next_at IS NOT NULL AND next_at <= ?
                UNION ALL SELECT \(columns), lease_until FROM billing_provider_events
                    WHERE state = 'claimed' AND lease_until <= ?)
            ORDER BY due, id LIMIT ?
            """, [now.microseconds, now.microseconds, max(0, limit)])
    }

    package func providerEvents(_ state: ProviderEventRow.State, limit: Int) async throws -> [ProviderEventRow] {
        try await events(
            """
            SELECT \(SQLiteProviderEvents.columns) FROM billing_provider_events WHERE state = ?
            ORDER BY received_at DESC, id DESC LIMIT ?
            """, [state.rawValue, max(0, limit)])
    }

    package func parkedEvents(ofCustomer customer: String, limit: Int) async throws -> [ProviderEventRow] {
        try await events(
            """
            SELECT \(SQLiteProviderEvents.columns) FROM billing_provider_events
            WHERE customer = ? AND state = 'parked' ORDER BY created, id LIMIT ?
            """, [customer, max(0, limit)])
    }

    private func events(_ sql: String, _ arguments: StatementArguments) async throws -> [ProviderEventRow] {
        try await reading { db in
            try Row.fetchAll(db.cachedStatement(sql: sql), arguments: arguments).map(SQLiteProviderEvents.event)
        }
    }
}
