// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Billing
internal import Essentials
internal import GRDB

/// Forgets what is over, a bounded number of rows at a time.
extension SQLiteBillingLedger {
    package func prune(_ limits: BillingRetention, limit: Int) async throws -> Bool {
        let limit = max(0, limit)
        var mayBeMore = false
        for (granularity, before) in [
            (UsageWindowDelta.Granularity.hour, limits.hours), (.day, limits.days), (.week, limits.weeks),
        ] {
            guard let before else { continue }
            mayBeMore = try await writing { try Self.forget(granularity, before, limit, $0) } || mayBeMore
            store.numbers.forgetNotes()
        }
        if let before = limits.days {
            mayBeMore = try await writing { try Self.forgetValues(before, limit, $0) } || mayBeMore
            store.numbers.forgetNotes()
        }
        if let before = limits.dedup {
            mayBeMore = try await writing { try Self.forgetKeys(before, limit, $0) } || mayBeMore
        }
        for (before, places) in [
            (
                limits.reservations,
                """
                billing_reservations WHERE (account, id) IN (SELECT account, id FROM billing_reservations
                WHERE ends_at IS NULL AND created_at < ? ORDER BY created_at LIMIT ?)
                """
            ),
            (
                limits.deliveries,
                """
                billing_deliveries WHERE id IN (SELECT id FROM billing_deliveries
                WHERE state <> 'waiting' AND created_at < ? ORDER BY created_at LIMIT ?)
                """
            ),
            (
                limits.events,
                """
                billing_provider_events WHERE id IN (SELECT id FROM billing_provider_events
                WHERE state = 'done' AND received_at < ?
                    AND (subscription IS NULL OR outcome IS NULL OR outcome NOT IN ('processed', 'late'))
                ORDER BY received_at, id LIMIT ?)
                """
            ),
        ] {
            guard let before else { continue }
            let isFull = try await writing { db in
                try db.cachedStatement(sql: "DELETE FROM \(places)").execute(arguments: [before.microseconds, limit])
                return db.changesCount >= limit
            }
            mayBeMore = mayBeMore || isFull
        }
        return mayBeMore
    }

    /// - Returns: whether there may be more.
    private static func forget(
        _ granularity: UsageWindowDelta.Granularity, _ before: Timestamp, _ limit: Int, _ db: Database
    ) throws -> Bool {
        let number = granularity.number
        let next = try db.cachedStatement(
            sql: """
                SELECT start, account FROM billing_window_starts WHERE granularity = ? AND start < ?
                ORDER BY start, account LIMIT 1
                """)
        let delete = try db.cachedStatement(
            sql: """
                DELETE FROM billing_windows WHERE (account, granularity, start, model, agent, user, project) IN (
                    SELECT account, granularity, start, model, agent, user, project FROM billing_windows
                    WHERE account = ? AND granularity = ? AND start = ? LIMIT ?)
                """)
        var rest = limit
        while rest > 0 {
            guard let row = try Row.fetchOne(next, arguments: [number, before.microseconds]) else { return false }
            let (start, account): (Int64, Int64) = (row[0], row[1])
            try delete.execute(arguments: [account, number, start, rest])
            rest -= db.changesCount
            guard rest > 0 else { return true }
            // A start counts too, so that many of them do not make one call long.
            rest -= 1
            try db.cachedStatement(
                sql: "DELETE FROM billing_window_starts WHERE granularity = ? AND start = ? AND account = ?"
            ).execute(arguments: [number, start, account])
        }
        return true
    }

    /// - Returns: whether there may be more.
    private static func forgetValues(_ before: Timestamp, _ limit: Int, _ db: Database) throws -> Bool {
        var rest = limit
        while rest > 0 {
            guard
                let row = try Row.fetchOne(
                    db.cachedStatement(
                        sql: "SELECT day, account, dimension FROM billing_dimension_counts WHERE day < ? LIMIT 1"),
                    arguments: [before.microseconds])
            else { return false }
            let (day, account, dimension): (Int64, Int64, Int64) = (row[0], row[1], row[2])
            try db.cachedStatement(
                sql: """
                    DELETE FROM billing_dimension_values WHERE (account, dimension, day, value) IN (
                        SELECT account, dimension, day, value FROM billing_dimension_values
                        WHERE account = ? AND dimension = ? AND day = ? LIMIT ?)
                    """
            ).execute(arguments: [account, dimension, day, rest])
            rest -= db.changesCount
            guard rest > 0 else { return true }
            rest -= 1
            try db.cachedStatement(
                sql: "DELETE FROM billing_dimension_counts WHERE day = ? AND account = ? AND dimension = ?"
            ).execute(arguments: [day, account, dimension])
        }
        return true
    }

    /// Goes on where it ended the last time: records stand in the order in which they were taken, so keys need no index by their age.
    ///
    /// - Returns: whether there may be more.
    private static func forgetKeys(_ before: Timestamp, _ limit: Int, _ db: Database) throws -> Bool {
        let mark =
            try Int64.fetchOne(
                db.cachedStatement(sql: "SELECT value FROM billing_marks WHERE name = 'usage_keys'")) ?? 0
        let rows = try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT id, account, source, event, received_at FROM billing_usage
                    WHERE id > ? ORDER BY id LIMIT ?
                    """), arguments: [mark, limit])
        let old = rows.prefix { ($0[4] as Int64) < before.microseconds }
        guard let last = old.last else { return false }
        let delete = try db.cachedStatement(
            sql: "DELETE FROM billing_usage_keys WHERE account = ? AND source = ? AND event = ? AND usage = ?")
        for row in old {
            try delete.execute(arguments: [
                row[1] as Int64, row[2] as Int64, row[3] as DatabaseValue, row[0] as Int64,
            ])
        }
        try db.cachedStatement(sql: "INSERT OR REPLACE INTO billing_marks (name, value) VALUES ('usage_keys', ?)")
            .execute(arguments: [last[0] as Int64])
        return old.count >= limit
    }
}
