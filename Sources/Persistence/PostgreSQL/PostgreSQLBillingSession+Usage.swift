// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials

/// Recorded usage, and the keys by which repeats are told.
extension PostgreSQLBillingSession {
    private static let columns = """
        u.kind, coalesce(u.whole_source, u.source), coalesce(u.whole_event, u.event), u.digest, u.at, u.received_at,
        u.model, u.agent, u.user_name, u.project, u.uncollected, u.is_quarantined, u.price_version, u.reservation,
        u.session, u.task, \(UsageColumns.amounts.map { "u.\($0)" }.joined(separator: ", "))
        """
    /// Where the amounts begin.
    private static let firstAmount = 16

    // MARK: - Reading

    func usage(source: String, id: String, since: Timestamp) throws -> UsageRow? {
        try usage([UsageKey(source: source, id: id)], since: since).values.first
    }

    func usage(_ keys: [UsageKey], since: Timestamp) throws -> [UsageKey: UsageRow] {
        guard !keys.isEmpty else { return [:] }
        let rows = try query(
            """
            SELECT \(Self.columns) FROM unnest($2::text[], $3::text[]) AS n (source, event)
                JOIN billing_usage_keys k ON k.tenant_id = $1 AND k.source = n.source AND k.event = n.event
                JOIN billing_usage u ON u.number = k.usage AND u.tenant_id = $1
            WHERE k.received_at >= $4
            """,
            [
                tenant, .texts(keys.map { BillingKey.of($0.source).key }),
                .texts(keys.map { BillingKey.of($0.id).key }), .integer(since.microseconds),
            ]
        ).map(Self.usage)
        return Dictionary(rows.map { (UsageKey(source: $0.source, id: $0.id), $0) }) { first, _ in first }
    }

    func usage(_ wanted: UsageQuery) throws -> [UsageRow] {
        var condition = "u.tenant_id = $1"
        var values: [PostgreSQLValue] = [tenant, .integer(max(0, wanted.limit))]
        func bind(_ value: PostgreSQLValue) -> String {
            values.append(value)
            return "$\(values.count)"
        }
        if let from = wanted.from { condition += " AND u.at >= \(bind(.integer(from.microseconds)))" }
        if let to = wanted.to { condition += " AND u.at < \(bind(.integer(to.microseconds)))" }
        for (dimension, text) in wanted.dimensions.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            condition += " AND u.\(Self.column(dimension)) = \(bind(.text(text)))"
        }
        if let before = wanted.before {
            let place = try place(before.at, before.source, before.id) ?? 0
            condition +=
                " AND (u.at, u.number) < (\(bind(.integer(before.at.microseconds))), \(bind(.integer(place))))"
        }
        return try query(
            """
            SELECT \(Self.columns) FROM billing_usage u WHERE \(condition) ORDER BY u.at DESC, u.number DESC LIMIT $2
            """, values
        ).map(Self.usage)
    }

    func quarantined(model: String, after: UsageRow?, limit: Int) throws -> [UsageRow] {
        let last = try after.flatMap { try place($0.at, $0.source, $0.id) } ?? Int64.max
        return try query(
            """
            SELECT \(Self.columns) FROM billing_usage u
            WHERE u.tenant_id = $1 AND u.model = $2 AND u.is_quarantined AND (u.at, u.number) > ($3, $4)
            ORDER BY u.at, u.number LIMIT $5
            """,
            [
                tenant, .text(model), .integer(after?.at.microseconds ?? .min), .integer(last),
                .integer(max(0, limit)),
            ]
        ).map(Self.usage)
    }

    /// Where a record stands among all; nil where it is not there.
    private func place(_ at: Timestamp, _ source: String, _ id: String) throws -> Int64? {
        let values: [PostgreSQLValue] = [
            tenant, .integer(at.microseconds), .text(BillingKey.of(source).key), .text(BillingKey.of(id).key),
        ]
        return try query(
            """
            SELECT max(number) FROM billing_usage
            WHERE tenant_id = $1 AND at = $2 AND source = $3 AND event = $4
            """, values)[0].optionalInteger(0)
    }

    static func column(_ dimension: UsageDimension) -> String {
        dimension == .user ? "user_name" : dimension.rawValue
    }

    private static func usage(_ row: PostgreSQLRow) throws -> UsageRow {
        UsageRow(
            kind: try row.text(0), source: try row.text(1), id: try row.text(2), digest: try row.text(3),
            at: try row.timestamp(4), receivedAt: try row.timestamp(5),
            dimensions: UsageDimensions(
                model: try row.text(6), agent: try row.text(7), user: try row.text(8), project: try row.text(9)),
            amounts: try UsageAmounts { try row.integer(firstAmount + $0) },
            uncollectedMicroCredits: try row.integer(10), isQuarantined: try row.boolean(11),
            priceVersion: try row.optionalText(12), reservation: try row.optionalText(13),
            session: try row.optionalText(14), task: try row.optionalText(15))
    }

    // MARK: - Writing

    func record(_ usage: [UsageRow]) throws {
        guard !usage.isEmpty else { return }
        let (sources, events) = (usage.map { BillingKey.of($0.source) }, usage.map { BillingKey.of($0.id) })
        let texts: [[String?]] = [
            usage.map(\.kind), sources.map(\.key), sources.map(\.whole), events.map(\.key), events.map(\.whole),
            usage.map(\.digest), usage.map(\.dimensions.model), usage.map(\.dimensions.agent),
            usage.map(\.dimensions.user), usage.map(\.dimensions.project), usage.map(\.priceVersion),
            usage.map(\.reservation), usage.map(\.session), usage.map(\.task),
        ]
        let amounts = usage.map(\.amounts.values)
        let numbers: [[Int64]] =
            [
                usage.map(\.at.microseconds), usage.map(\.receivedAt.microseconds),
                usage.map(\.uncollectedMicroCredits),
            ] + UsageColumns.amounts.indices.map { column in amounts.map { $0[column] } }
        later(
            Self.insertion,
            [tenant, .booleans(usage.map(\.isQuarantined))] + texts.map { .texts($0) } + numbers.map { .integers($0) })
    }

    private static let insertion: String = {
        let texts = [
            "kind", "source", "whole_source", "event", "whole_event", "digest", "model", "agent", "user_name",
            "project",
            "price_version", "reservation", "session", "task",
        ]
        let numbers = ["at", "received_at", "uncollected"] + UsageColumns.amounts
        let columns = (["is_quarantined"] + texts + numbers).joined(separator: ", ")
        let arrays = texts.indices.map { "$\($0 + 3)::text[]" } + numbers.indices.map { "$\($0 + 17)::bigint[]" }
        return """
            WITH added AS (
                INSERT INTO billing_usage (tenant_id, \(columns))
                SELECT $1, \(columns) FROM unnest($2::boolean[], \(arrays.joined(separator: ", ")))
                    WITH ORDINALITY AS n (\(columns), place)
                ORDER BY place
                RETURNING source, event, number, received_at
            )
            INSERT INTO billing_usage_keys AS k (tenant_id, source, event, usage, received_at)
            SELECT DISTINCT ON (source, event) $1, source, event, number, received_at FROM added
            ORDER BY source, event, number DESC
            ON CONFLICT (tenant_id, source, event) DO UPDATE
            SET usage = excluded.usage, received_at = excluded.received_at WHERE k.tenant_id = $1
            """
    }()

    func update(_ usage: UsageRow) throws {
        guard let place = try place(usage.at, usage.source, usage.id) else {
            throw BillingStoreError(.constraint, "Usage is rated anew that was never recorded")
        }
        let amounts = UsageColumns.amounts.enumerated().map { "\($1) = $\($0 + 10)" }.joined(separator: ", ")
        let dimensions = UsageDimension.allCases.map { PostgreSQLValue.text(usage.dimensions[$0]) }
        later(
            """
            UPDATE billing_usage SET model = $3, agent = $4, user_name = $5, project = $6, uncollected = $7,
                is_quarantined = $8, price_version = $9, \(amounts)
            WHERE tenant_id = $1 AND number = $2
            """,
            [tenant, .integer(place)] + dimensions + [
                .integer(usage.uncollectedMicroCredits), .boolean(usage.isQuarantined), .optional(usage.priceVersion),
            ] + usage.amounts.values.map { .integer($0) }, expected: 1, otherwise: "The record is gone")
    }
}
