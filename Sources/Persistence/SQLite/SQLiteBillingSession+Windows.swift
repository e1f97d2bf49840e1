// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import GRDB

/// Windows of usage, and the values that dimensions have on a day.
extension SQLiteBillingSession {
    static func number(_ dimension: UsageDimension) -> Int64 {
        switch dimension {
        case .model: 1
        case .agent: 2
        case .user: 3
        case .project: 4
        }
    }

    // MARK: - Reading

    func windows(
        _ granularity: UsageWindowDelta.Granularity, from: Timestamp, to: Timestamp, by: Set<UsageDimension>
    ) throws -> [UsageWindowDelta] {
        guard let own = try knownNumber() else { return [] }
        let dimensions = UsageDimension.allCases.filter(by.contains)
        let columns = dimensions.map(\.rawValue)
        // Two sums for each amount, because the database fails where one would be too large.
        let sums = UsageColumns.amounts.map { "sum(\($0) >> 32), sum(\($0) & 4294967295)" }
        let groups = (["start"] + columns).joined(separator: ", ")
        return try rows(
            """
            SELECT \((["start"] + columns + sums).joined(separator: ", ")) FROM billing_windows
            WHERE account = ? AND granularity = ? AND start >= ? AND start < ? GROUP BY \(groups) ORDER BY \(groups)
            """, [own, granularity.number, from.microseconds, to.microseconds]
        ).map { row in
            var values = UsageDimensions()
            for (index, dimension) in dimensions.enumerated() { values[dimension] = try text(row[index + 1]) }
            let first = dimensions.count + 1
            return UsageWindowDelta(
                granularity: granularity, start: row.timestamp(0), dimensions: values,
                amounts: UsageAmounts { Self.sum(high: row[first + 2 * $0], low: row[first + 2 * $0 + 1]) })
        }
    }

    private static func sum(high: Int64, low: Int64) -> Int64 {
        let (product, isTooLarge) = high.multipliedReportingOverflow(by: 1 << 32)
        return isTooLarge ? (high < 0 ? .min : .max) : product.addingSaturated(low)
    }

    func dimensionValues(_ dimension: UsageDimension, day: Timestamp) throws -> Set<String> {
        guard let own = try knownNumber() else { return [] }
        return Set(
            try rows(
                """
                SELECT t.text FROM billing_dimension_values v JOIN billing_texts t ON t.id = v.value
                WHERE v.account = ? AND v.dimension = ? AND v.day = ?
                """, [own, Self.number(dimension), day.microseconds]
            ).map { $0[0] as String })
    }

    func dimensionValues(
        _ dimension: UsageDimension, day: Timestamp, among values: Set<String>
    ) throws -> (count: Int, known: Set<String>) {
        guard let own = try knownNumber() else { return (0, []) }
        let count = try integer(
            "SELECT count FROM billing_dimension_counts WHERE day = ? AND account = ? AND dimension = ?",
            [day.microseconds, own, Self.number(dimension)])
        guard let count else { return (0, []) }
        let known = try values.filter { text in
            guard let value = try knownNumber(of: text) else { return false }
            return try integer(
                """
                SELECT 1 FROM billing_dimension_values WHERE account = ? AND dimension = ? AND day = ? AND value = ?
                """, [own, Self.number(dimension), day.microseconds, value]) != nil
        }
        return (Int(count), known)
    }

    // MARK: - Writing

    func add(_ windows: [UsageWindowDelta]) throws {
        guard !windows.isEmpty else { return }
        let own = try ownNumber()
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO billing_windows AS w
                    (account, granularity, start, model, agent, user, project, \(UsageColumns.amountList))
                VALUES (?\(String(repeating: ", ?", count: 6 + UsageColumns.amounts.count)))
                ON CONFLICT (account, granularity, start, model, agent, user, project)
                DO UPDATE SET \(UsageColumns.additions(to: "w", atLeast: "max"))
                """)
        for window in windows.merged {
            var values: [DatabaseValue] = [
                own.databaseValue, window.granularity.number.databaseValue,
                window.start.microseconds.databaseValue,
            ]
            for dimension in UsageDimension.allCases {
                values.append(try number(of: window.dimensions[dimension]).databaseValue)
            }
            try note(window, own)
            for amount in window.amounts.values { values.append(amount.databaseValue) }
            statement.setUncheckedArguments(StatementArguments(values))
            try statement.execute()
        }
    }

    /// Notes where a window starts, so that it can be forgotten, and on days which values there are.
    private func note(_ window: UsageWindowDelta, _ own: Int64) throws {
        let start = Start(granularity: window.granularity.number, start: window.start.microseconds)
        if noted.insert(start).inserted {
            try execute(
                "INSERT OR IGNORE INTO billing_window_starts (granularity, start, account) VALUES (?, ?, ?)",
                [start.granularity, start.start, own])
        }
        guard window.granularity == .day else { return }
        for dimension in UsageDimension.allCases where !window.dimensions[dimension].isEmpty {
            try execute(
                """
                INSERT OR IGNORE INTO billing_dimension_values (account, dimension, day, value) VALUES (?, ?, ?, ?)
                """,
                [own, Self.number(dimension), start.start, try number(of: window.dimensions[dimension])])
            guard db.changesCount == 1 else { continue }
            try execute(
                """
                INSERT INTO billing_dimension_counts (day, account, dimension, count) VALUES (?, ?, ?, 1)
                ON CONFLICT (day, account, dimension) DO UPDATE SET count = count + 1
                """, [start.start, own, Self.number(dimension)])
        }
    }

    /// Where windows of a transaction start.
    struct Start: Hashable {
        let granularity: Int64
        let start: Int64
    }
}
