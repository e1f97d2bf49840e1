// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import GRDB

/// Windows of usage, and the values that dimensions have on a day.
extension SQLiteBillingSession {
    private static let addition = """
        INSERT INTO billing_windows AS w
            (account, granularity, start, model, agent, user, project, \(UsageColumns.amountList))
        VALUES (?\(String(repeating: ", ?", count: 6 + UsageColumns.amounts.count)))
        ON CONFLICT (account, granularity, start, model, agent, user, project)
        DO UPDATE SET \(UsageColumns.additions(to: "w", atLeast: "max"))
        """

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
        _ granularity: UsageWindowDelta.Granularity, from: Timestamp, to: Timestamp, by: Set<UsageDimension>,
        limit: Int?
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
            LIMIT ?
            """, [own, granularity.number, from.microseconds, to.microseconds, limit.map { max(0, $0) } ?? -1]
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
        let statement = try BoundStatement(db, Self.addition)
        var latest = LatestOfUsage()
        for window in windows {
            let (granularity, start) = (window.granularity.number, window.start.microseconds)
            let numbers = try numbers(of: window.dimensions, &latest)
            try note(window, own, [numbers.0, numbers.1, numbers.2, numbers.3])
            try statement.run {
                $0.add(own)
                $0.add(granularity)
                $0.add(start)
                $0.add(numbers.0)
                $0.add(numbers.1)
                $0.add(numbers.2)
                $0.add(numbers.3)
                window.amounts.add(to: &$0)
            }
        }
    }

    /// Notes where a window starts, so that it can be forgotten, and on days which values there are.
    private func note(_ window: UsageWindowDelta, _ own: Int64, _ values: [Int64]) throws {
        let start = window.start.microseconds
        if isNew(.init(account: own, kind: window.granularity.number, start: start, value: nil)) {
            try execute(
                "INSERT OR IGNORE INTO billing_window_starts (granularity, start, account) VALUES (?, ?, ?)",
                [window.granularity.number, start, own])
        }
        guard window.granularity == .day else { return }
        for (dimension, value) in zip(UsageDimension.allCases, values) where !window.dimensions[dimension].isEmpty {
            let number = Self.number(dimension)
            guard isNew(.init(account: own, kind: number, start: start, value: value)) else { continue }
            try execute(
                """
                INSERT OR IGNORE INTO billing_dimension_values (account, dimension, day, value) VALUES (?, ?, ?, ?)
                """, [own, number, start, value])
            guard db.changesCount == 1 else { continue }
            try execute(
                """
                INSERT INTO billing_dimension_counts (day, account, dimension, count) VALUES (?, ?, ?, 1)
                ON CONFLICT (day, account, dimension) DO UPDATE SET count = count + 1
                """, [start, own, number])
        }
    }
}
