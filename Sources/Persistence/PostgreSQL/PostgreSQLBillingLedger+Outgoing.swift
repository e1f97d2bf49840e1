// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Billing
package import Essentials

/// Webhooks and pending usage, which one worker at a time has, and what is forgotten.
extension PostgreSQLBillingLedger {
    package func dueDeliveries(at now: Timestamp, leaseUntil: Timestamp, limit: Int) async throws -> [DeliveryRow] {
        try await rows(
            "SELECT \(PostgreSQLDeliveries.columns) FROM take_billing_deliveries($1, $2, $3)",
            [.integer(now.microseconds), .integer(leaseUntil.microseconds), .integer(max(0, limit))],
            isReadOnly: false
        ).map(PostgreSQLDeliveries.delivery)
    }

    package func update(_ delivery: DeliveryRow) async throws {
        try await mapped {
            try await database.execute(
                .tenant(delivery.account),
                """
                UPDATE billing_deliveries
                SET attempts = $3, next_at = $4, state = $5, last_status = $6, lease_until = NULL
                WHERE tenant_id = $1 AND id = $2
                """,
                [
                    .text(delivery.account), .text(delivery.id), .integer(delivery.attempts),
                    .optional(delivery.nextAt?.microseconds), .text(delivery.state), .optional(delivery.lastStatus),
                ])
        }
    }

    // MARK: - Pending usage

    package func addPending(_ usage: [PendingUsageRow]) async throws -> [String: String] {
        guard !usage.isEmpty else { return [:] }
        // Always in one order, so that two replicas never wait for each other.
        let accounts = Dictionary(grouping: usage, by: \.account).sorted { $0.key < $1.key }
        return try await mapped {
            try await database.transaction(.none) { transaction in
                let write = PostgreSQLWrite(transaction)
                var known: [String: String] = [:]
                for (account, rows) in accounts {
                    // A tenant's name is not that of the installation.
                    let tenant = try write.enter(account)
                    let added = try write.query(
                        """
                        INSERT INTO billing_pending_usage (tenant_id, id, payload, received_at, attempts, lease_until)
                        SELECT $1, n.id, n.payload, n.received_at, n.attempts, n.lease_until
                        FROM unnest($2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[])
                            AS n (id, payload, received_at, attempts, lease_until)
                        ORDER BY n.id ON CONFLICT (id) DO NOTHING RETURNING id
                        """,
                        [
                            tenant, .texts(rows.map(\.id)), .texts(rows.map(\.payload)),
                            .integers(rows.map(\.receivedAt.microseconds)), .integers(rows.map(\.attempts)),
                            .integers(rows.map { $0.leaseUntil?.microseconds }),
                        ])
                    let others = Set(rows.map(\.id)).subtracting(try added.map { try $0.text(0) })
                    guard !others.isEmpty else { continue }
                    for id in others { known[id] = "" }
                    let found = try write.query(
                        "SELECT id, payload FROM billing_pending_usage WHERE tenant_id = $1 AND id = ANY ($2::text[])",
                        [tenant, .texts(others.sorted())])
                    for row in found { known[try row.text(0)] = try row.text(1) }
                }
                return known
            }
        }
    }

    package func takePending(at now: Timestamp, leaseUntil: Timestamp, limit: Int) async throws -> [PendingUsageRow] {
        try await take(nil, now, leaseUntil, limit)
    }

    package func takePending(
        id: String, at now: Timestamp, leaseUntil: Timestamp
    ) async throws -> PendingUsageRow? {
        try await take(id, now, leaseUntil, 1).first
    }

    private func take(
        _ id: String?, _ now: Timestamp, _ leaseUntil: Timestamp, _ limit: Int
    ) async throws -> [PendingUsageRow] {
        try await rows(
            """
            SELECT id, tenant_id, payload, received_at, attempts, lease_until
            FROM take_billing_usage($1, $2, $3, $4)
            """,
            [
                .optional(id), .integer(now.microseconds), .integer(leaseUntil.microseconds),
                .integer(max(0, limit)),
            ], isReadOnly: false
        ).map { row in
            PendingUsageRow(
                id: try row.text(0), account: try row.text(1), payload: try row.text(2),
                receivedAt: try row.timestamp(3), attempts: try row.integer(4),
                leaseUntil: try row.optionalTimestamp(5))
        }
    }

    package func pendingUsage() async throws -> (count: Int64, oldest: Timestamp?) {
        let row = try await rows("SELECT count, oldest FROM waiting_billing_usage()", [])[0]
        return (try row.integer(0), try row.optionalTimestamp(1))
    }

    // MARK: - Forgetting

    package func prune(_ limits: BillingRetention, limit: Int) async throws -> Bool {
        let calls: [(name: String, before: Timestamp?)] = [
            ("windows(\(UsageWindowDelta.Granularity.hour.number)::smallint, ", limits.hours),
            ("windows(\(UsageWindowDelta.Granularity.day.number)::smallint, ", limits.days),
            ("windows(\(UsageWindowDelta.Granularity.week.number)::smallint, ", limits.weeks),
            ("dimension_values(", limits.days), ("dimension_counts(", limits.days), ("usage_keys(", limits.dedup),
            ("reservations(", limits.reservations), ("deliveries(", limits.deliveries),
        ]
        var mayBeMore = false
        for (name, before) in calls {
            guard let before else { continue }
            let gone = try await rows(
                "SELECT forget_billing_\(name)$1, $2)", [.integer(before.microseconds), .integer(max(0, limit))],
                isReadOnly: false)[0].integer(0)
            mayBeMore = mayBeMore || gone >= limit
        }
        if let before = limits.events {
            let gone = try await forgetEvents(before: before, limit: max(0, limit))
            mayBeMore = mayBeMore || gone >= limit
        }
        return mayBeMore
    }
}
