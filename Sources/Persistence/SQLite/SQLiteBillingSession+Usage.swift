// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import Foundation
internal import GRDB

/// Recorded usage, and the keys by which repeats are told.
extension SQLiteBillingSession {
    private static let usageColumns = """
        u.id, u.kind, u.source, u.event, u.whole_event, u.digest, u.at, u.received_at, u.model, u.agent, u.user,
        u.project, u.uncollected, u.is_quarantined, u.price_version, u.reservation, u.session, u.task,
        \(UsageColumns.amounts.map { "u.\($0)" }.joined(separator: ", "))
        """
    /// Where the amounts begin.
    private static let firstAmount = 18

    // MARK: - Reading

    func usage(source: String, id: String, since: Timestamp) throws -> UsageRow? {
        guard let number = try knownNumber(), let source = try knownNumber(of: source) else { return nil }
        return try row(
            """
            SELECT \(Self.usageColumns) FROM billing_usage_keys k JOIN billing_usage u ON u.id = k.usage
            WHERE k.account = ? AND k.source = ? AND k.event = ? AND u.received_at >= ?
            """, [number, source, try PackedText.key(id).value, since.microseconds]
        ).map(usage)
    }

    func usage(_ query: UsageQuery) throws -> [UsageRow] {
        guard let number = try knownNumber() else { return [] }
        var condition = "u.account = ?"
        var arguments: StatementArguments = [number]
        if let from = query.from {
            condition += " AND u.at >= ?"
            arguments += [from.microseconds]
        }
        if let to = query.to {
            condition += " AND u.at < ?"
            arguments += [to.microseconds]
        }
        for (dimension, text) in query.dimensions.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            guard let value = try knownNumber(of: text) else { return [] }
            condition += " AND u.\(dimension.rawValue) = ?"
            arguments += [value]
        }
        if let before = query.before {
            condition += " AND (u.at, u.id) < (?, ?)"
            arguments += [before.at.microseconds, try place(before.at, before.source, before.id) ?? 0]
        }
        return try rows(
            """
            SELECT \(Self.usageColumns) FROM billing_usage u WHERE \(condition)
            ORDER BY u.at DESC, u.id DESC LIMIT ?
            """, arguments + [max(0, query.limit)]
        ).map(usage)
    }

    func quarantined(model: String, after: UsageRow?, limit: Int) throws -> [UsageRow] {
        guard let number = try knownNumber(), let model = try knownNumber(of: model) else { return [] }
        let last = try after.flatMap { try place($0.at, $0.source, $0.id) } ?? Int64.max
        return try rows(
            """
            SELECT \(Self.usageColumns) FROM billing_usage u
            WHERE u.account = ? AND u.model = ? AND u.is_quarantined = 1 AND (u.at, u.id) > (?, ?)
            ORDER BY u.at, u.id LIMIT ?
            """, [number, model, after?.at.microseconds ?? .min, last, max(0, limit)]
        ).map(usage)
    }

    /// Where a record stands among all; nil where it is not there.
    private func place(_ at: Timestamp, _ source: String, _ id: String) throws -> Int64? {
        guard let number = try knownNumber(), let source = try knownNumber(of: source) else { return nil }
        let event = try PackedText.key(id).value
        // Many may have been used at one instant; what was taken lately is found by its key.
        if let place = try integer(
            """
            SELECT u.id FROM billing_usage_keys k JOIN billing_usage u ON u.id = k.usage
            WHERE k.account = ? AND k.source = ? AND k.event = ? AND u.at = ?
            """, [number, source, event, at.microseconds])
        {
            return place
        }
        return try integer(
            """
            SELECT max(id) FROM billing_usage WHERE account = ? AND at = ? AND source = ? AND event = ?
            """, [number, at.microseconds, source, event])
    }

    private func usage(_ row: Row) throws -> UsageRow {
        let (source, priceVersion): (Int64, Int64?) = (row[2], row[14])
        return UsageRow(
            kind: row[1], source: try text(source), id: try Self.unpacked(row[3], row[4]),
            digest: try Self.digest(row[5]), at: row.timestamp(6), receivedAt: row.timestamp(7),
            dimensions: UsageDimensions(
                model: try text(row[8]), agent: try text(row[9]), user: try text(row[10]), project: try text(row[11])),
            amounts: UsageAmounts { row[Self.firstAmount + $0] }, uncollectedMicroCredits: row[12],
            isQuarantined: row[13] as Int64 == 1, priceVersion: try priceVersion.map(text),
            reservation: try Self.optional(row[15]), session: try Self.optional(row[16]),
            task: try Self.optional(row[17]))
    }

    static func digest(_ value: DatabaseValue) throws -> String {
        if case .blob(let bytes) = value.storage { return Hex.encode(bytes) }
        return try unpacked(value)
    }

    /// The bytes of a digest; a text that is none stays what it is.
    private static func packedDigest(_ text: String) throws -> DatabaseValue {
        guard let bytes = Hex.decode(text), Hex.encode(bytes) == text else {
            return try PackedText.checked(text).databaseValue
        }
        return Data(bytes).databaseValue
    }

    // MARK: - Writing

    func record(_ usage: [UsageRow]) throws {
        guard !usage.isEmpty else { return }
        let number = try ownNumber()
        let columns = """
            account, at, received_at, kind, source, event, whole_event, digest, reservation, session, task,
            model, agent, user, project, uncollected, is_quarantined, price_version, \(UsageColumns.amountList)
            """
        let insert = try db.cachedStatement(
            sql: """
                INSERT INTO billing_usage (\(columns))
                VALUES (?\(String(repeating: ", ?", count: 17 + UsageColumns.amounts.count)))
                """)
        let remember = try db.cachedStatement(
            sql: """
                INSERT INTO billing_usage_keys (account, source, event, usage) VALUES (?, ?, ?, ?)
                ON CONFLICT (account, source, event) DO UPDATE SET usage = excluded.usage
                """)
        for row in usage {
            let event = try PackedText.key(row.id)
            let source = try self.number(of: row.source)
            let values: [DatabaseValue] = [
                number.databaseValue, row.at.microseconds.databaseValue, row.receivedAt.microseconds.databaseValue,
                row.kind.databaseValue, source.databaseValue, event.value,
                event.isWhole ? .null : row.id.databaseValue, try Self.packedDigest(row.digest),
                try Self.packed(row.reservation), try Self.packed(row.session), try Self.packed(row.task),
            ]
            insert.setUncheckedArguments(StatementArguments(values + (try rated(row))))
            try insert.execute()
            let key: [DatabaseValue] = [
                number.databaseValue, source.databaseValue, event.value, db.lastInsertedRowID.databaseValue,
            ]
            remember.setUncheckedArguments(StatementArguments(key))
            try remember.execute()
        }
    }

    /// What it is counted by, and what it costs.
    private func rated(_ row: UsageRow) throws -> [DatabaseValue] {
        var values: [DatabaseValue] = [
            try number(of: row.dimensions.model).databaseValue, try number(of: row.dimensions.agent).databaseValue,
            try number(of: row.dimensions.user).databaseValue, try number(of: row.dimensions.project).databaseValue,
            row.uncollectedMicroCredits.databaseValue, (row.isQuarantined ? 1 : 0 as Int64).databaseValue,
            try row.priceVersion.map(number(of:)).databaseValue,
        ]
        for amount in row.amounts.values { values.append(amount.databaseValue) }
        return values
    }

    func update(_ usage: UsageRow) throws {
        guard let place = try place(usage.at, usage.source, usage.id) else {
            throw BillingStoreError(.constraint, "Usage is rated anew that was never recorded")
        }
        let amounts = UsageColumns.amounts.map { "\($0) = ?" }.joined(separator: ", ")
        let statement = try db.cachedStatement(
            sql: """
                UPDATE billing_usage SET model = ?, agent = ?, user = ?, project = ?, uncollected = ?, is_quarantined = ?,
                    price_version = ?, \(amounts) WHERE id = ?
                """)
        try statement.execute(arguments: StatementArguments(try rated(usage) + [place.databaseValue]))
    }
}
