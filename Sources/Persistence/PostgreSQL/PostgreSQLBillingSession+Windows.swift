// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials

/// Windows of usage, and the values that dimensions have on a day.
extension PostgreSQLBillingSession {
    // MARK: - Reading

    func windows(
        _ granularity: UsageWindowDelta.Granularity, from: Timestamp, to: Timestamp, by: Set<UsageDimension>,
        limit: Int?
    ) throws -> [UsageWindowDelta] {
        let dimensions = UsageDimension.allCases.filter(by.contains)
        let groups = (["start"] + dimensions.map(Self.column)).joined(separator: ", ")
        // A sum of numbers is a larger kind of number there.
        let sums = UsageColumns.amounts.map {
            "greatest(least(sum(\($0)), 9223372036854775807), -9223372036854775808)::bigint"
        }
        return try query(
            """
            SELECT \(groups), \(sums.joined(separator: ", ")) FROM billing_windows
            WHERE tenant_id = $1 AND granularity = $2 AND start >= $3 AND start < $4 GROUP BY \(groups) ORDER BY \(groups)
            LIMIT $5
            """,
            [
                tenant, .integer(granularity.number), .integer(from.microseconds), .integer(to.microseconds),
                .optional(limit.map { Int64(max(0, $0)) }),
            ]
        ).map { row in
            var values = UsageDimensions()
            for (index, dimension) in dimensions.enumerated() { values[dimension] = try row.text(index + 1) }
            return UsageWindowDelta(
                granularity: granularity, start: try row.timestamp(0), dimensions: values,
                amounts: try UsageAmounts { try row.integer(dimensions.count + 1 + $0) })
        }
    }

    func dimensionValues(_ dimension: UsageDimension, day: Timestamp) throws -> Set<String> {
        Set(
            try query(
                "SELECT value FROM billing_dimension_values WHERE tenant_id = $1 AND dimension = $2 AND day = $3",
                [tenant, .text(dimension.rawValue), .integer(day.microseconds)]
            ).map { try $0.text(0) })
    }

    func dimensionValues(
        _ dimension: UsageDimension, day: Timestamp, among values: Set<String>
    ) throws -> (count: Int, known: Set<String>) {
        let rows = try query(
            """
            SELECT count, NULL FROM billing_dimension_counts WHERE tenant_id = $1 AND dimension = $2 AND day = $3
            UNION ALL SELECT NULL, value FROM billing_dimension_values
            WHERE tenant_id = $1 AND dimension = $2 AND day = $3 AND value = ANY($4::text[])
            """,
            [tenant, .text(dimension.rawValue), .integer(day.microseconds), .texts(values.sorted())])
        var (count, known): (Int, Set<String>) = (0, [])
        for row in rows {
            if let number = try row.optionalInteger(0) { count = Int(number) } else { known.insert(try row.text(1)) }
        }
        return (count, known)
    }

    // MARK: - Writing

    func add(_ windows: [UsageWindowDelta]) throws {
        // One row of each place: a statement changes a row once.
        let windows = windows.merged
        guard !windows.isEmpty else { return }
        let amounts = windows.map(\.amounts.values)
        let numbers =
            [windows.map(\.granularity.number), windows.map(\.start.microseconds)]
            + UsageColumns.amounts.indices.map { column in amounts.map { $0[column] } }
        let texts = UsageDimension.allCases.map { dimension in
            PostgreSQLValue.texts(windows.map { $0.dimensions[dimension] })
        }
        later(Self.addition, [tenant] + texts + numbers.map { .integers($0) })
        note(windows.filter { $0.granularity == .day })
    }

    private static let addition: String = {
        let texts = UsageDimension.allCases.map(column)
        let numbers = ["granularity", "start"] + UsageColumns.amounts
        let columns = (texts + numbers).joined(separator: ", ")
        let arrays = texts.indices.map { "$\($0 + 2)::text[]" } + numbers.indices.map { "$\($0 + 6)::bigint[]" }
        return """
            INSERT INTO billing_windows AS w (tenant_id, \(columns))
            SELECT $1, * FROM unnest(\(arrays.joined(separator: ", ")))
            ON CONFLICT (tenant_id, granularity, start, model, agent, user_name, project)
            DO UPDATE SET \(UsageColumns.additions(to: "w", atLeast: "greatest")) WHERE w.tenant_id = $1
            """
    }()

    /// Notes which values dimensions have on days.
    private func note(_ days: [UsageWindowDelta]) {
        var (dimensions, starts, values): ([String], [Int64], [String]) = ([], [], [])
        for window in days {
            for dimension in UsageDimension.allCases where !window.dimensions[dimension].isEmpty {
                dimensions.append(dimension.rawValue)
                starts.append(window.start.microseconds)
                values.append(window.dimensions[dimension])
            }
        }
        guard !values.isEmpty else { return }
        later(
            """
            WITH added AS (
                INSERT INTO billing_dimension_values (tenant_id, dimension, day, value)
                SELECT DISTINCT $1, n.dimension, n.day, n.value
                FROM unnest($2::text[], $3::bigint[], $4::text[]) AS n (dimension, day, value)
                ON CONFLICT (tenant_id, dimension, day, value) DO NOTHING RETURNING dimension, day
            )
            INSERT INTO billing_dimension_counts AS c (tenant_id, dimension, day, count)
            SELECT $1, dimension, day, count(*) FROM added GROUP BY dimension, day
            ON CONFLICT (tenant_id, dimension, day) DO UPDATE SET count = c.count + excluded.count
            WHERE c.tenant_id = $1
            """, [tenant, .texts(dimensions), .integers(starts), .texts(values)])
    }
}
