// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Billing
package import Essentials

/// How far events of the payment provider got.
extension PostgreSQLBillingLedger {
    package func claim(_ event: ProviderEventRow, at now: Timestamp) async throws -> ProviderEventClaim {
        try await mapped {
            try await database.transaction(.platform) { transaction in
                let results = try transaction.run([
                    PostgreSQLProviderEvents.add(event.asClaimed),
                    PostgreSQLStatement(
                        """
                        SELECT \(PostgreSQLProviderEvents.columns) FROM billing_provider_events
                        WHERE tenant_id = '_platform' AND id = $1 FOR UPDATE
                        """, [.text(event.id)]),
                ])
                if results[0].affected == 1 { return .claimed(event.asClaimed) }
                let stored = try results[1].rows.first.map(PostgreSQLProviderEvents.event)
                let answer = event.claim(over: stored, at: now)
                if case .claimed(let row) = answer { _ = try transaction.run([PostgreSQLProviderEvents.put(row)]) }
                return answer
            }
        }
    }

    package func finish(_ event: ProviderEventRow) async throws {
        try await mapped {
            try await database.transaction(.platform) { _ = try $0.run([PostgreSQLProviderEvents.put(event)]) }
        }
    }

    package func dueProviderEvents(at now: Timestamp, limit: Int) async throws -> [ProviderEventRow] {
        try await events(
            """
            SELECT \(PostgreSQLProviderEvents.columns) FROM billing_provider_events
            WHERE tenant_id = '_platform' AND ((state = 'failed' AND next_at IS NOT NULL AND next_at <= $1)
                OR (state = 'claimed' AND lease_until <= $1))
            ORDER BY CASE state WHEN 'failed' THEN next_at ELSE lease_until END, id LIMIT $2 FOR UPDATE SKIP LOCKED
            """, [.integer(now.microseconds), .integer(max(0, limit))], isReadOnly: false)
    }

    package func providerEvents(_ state: ProviderEventRow.State, limit: Int) async throws -> [ProviderEventRow] {
        try await events(
            """
            SELECT \(PostgreSQLProviderEvents.columns) FROM billing_provider_events
            WHERE tenant_id = '_platform' AND state = $1 ORDER BY received_at DESC, id DESC LIMIT $2
            """, [.text(state.rawValue), .integer(max(0, limit))])
    }

    package func parkedEvents(ofCustomer customer: String, limit: Int) async throws -> [ProviderEventRow] {
        try await events(
            """
            SELECT \(PostgreSQLProviderEvents.columns) FROM billing_provider_events
            WHERE tenant_id = '_platform' AND customer = $1 AND state = 'parked' ORDER BY created, id LIMIT $2
            """, [.text(customer), .integer(max(0, limit))])
    }

    private func events(
        _ sql: String, _ parameters: [PostgreSQLValue], isReadOnly: Bool = true
    ) async throws -> [ProviderEventRow] {
        try await mapped {
            try await database.transaction(.platform, isReadOnly: isReadOnly) { transaction in
                try transaction.query(sql, parameters).map(PostgreSQLProviderEvents.event)
            }
        }
    }
}
