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
    private static let lookUp = "SELECT usage FROM billing_usage_keys WHERE account = ? AND source = ? AND event = ?"
    private static let insertion = """
        INSERT INTO billing_usage (
            account, at, received_at, kind, source, event, whole_event, digest, reservation, session, task,
            model, agent, user, project, uncollected, is_quarantined, price_version, \(UsageColumns.amountList)
        ) VALUES (?\(String(repeating: ", ?", count: 17 + UsageColumns.amounts.count)))
        """
    private static let remembrance = """
        INSERT INTO billing_usage_keys (account, source, event, usage) VALUES (?, ?, ?, ?)
        ON CONFLICT (account, source, event) DO UPDATE SET usage = excluded.usage
        """
    private static let rating = """
        UPDATE billing_usage SET model = ?, agent = ?, user = ?, project = ?, uncollected = ?, is_quarantined = ?,
            price_version = ?, \(UsageColumns.amounts.map { "\($0) = ?" }.joined(separator: ", ")) WHERE id = ?
        """
    /// Where the amounts begin.
    private static let firstAmount = 18

    // MARK: - Reading

    func usage(source: String, id: String, since: Timestamp) throws -> UsageRow? {
        guard let number = try knownNumber(), let source = try knownNumber(of: source) else { return nil }
        let event = try PackedText.key(id).value
        // Most events are no repeats: only a record that is there is read whole.
        let place = try BoundStatement(db, Self.lookUp).first {
            $0.add(number)
            $0.add(source)
            $0.add(event)
        } reading: {
            $0.integer(0)
        }
        guard let place else { return nil }
        return try row(
            "SELECT \(Self.usageColumns) FROM billing_usage u WHERE u.id = ? AND u.received_at >= ?",
            [place, since.microseconds]
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
        // What is read again must be what was written: capitals would come back as small letters.
        let hasCapitals = text.utf8.contains { $0 >= UInt8(ascii: "A") && $0 <= UInt8(ascii: "F") }
        guard !hasCapitals, let bytes = Hex.decode(text) else { return try PackedText.checked(text).databaseValue }
        return Data(bytes).databaseValue
    }

    // MARK: - Writing

    func record(_ usage: [UsageRow]) throws {
        guard !usage.isEmpty else { return }
        let number = try ownNumber()
        let insert = try BoundStatement(db, Self.insertion)
        let remember = try BoundStatement(db, Self.remembrance)
        var latest = LatestOfUsage()
        for row in usage {
            let event = try PackedText.key(row.id)
            let source = try self.number(of: row.source, &latest.source)
            let digest = try Self.packedDigest(row.digest)
            let within = (
                try Self.packed(row.reservation), try Self.packed(row.session), try Self.packed(row.task)
            )
            let rated = try rated(row, &latest)
            try insert.run {
                $0.add(number)
                $0.add(row.at.microseconds)
                $0.add(row.receivedAt.microseconds)
                $0.add(row.kind)
                $0.add(source)
                $0.add(event.value)
                $0.add(event.isWhole ? nil : row.id)
                $0.add(digest)
                $0.add(within.0)
                $0.add(within.1)
                $0.add(within.2)
                rated.add(to: &$0)
            }
            let place = db.lastInsertedRowID
            try remember.run {
                $0.add(number)
                $0.add(source)
                $0.add(event.value)
                $0.add(place)
            }
        }
    }

    /// What usage is counted by, and what it costs.
    private struct Rated {
        /// Of model, agent, user and project.
        let dimensions: (Int64, Int64, Int64, Int64)
        let priceVersion: Int64?
        let row: UsageRow

        func add(to parameters: inout BoundStatement.Parameters) {
            parameters.add(dimensions.0)
            parameters.add(dimensions.1)
            parameters.add(dimensions.2)
            parameters.add(dimensions.3)
            parameters.add(row.uncollectedMicroCredits)
            parameters.add(row.isQuarantined ? 1 : 0)
            parameters.add(priceVersion)
            row.amounts.add(to: &parameters)
        }
    }

    private func rated(_ row: UsageRow, _ latest: inout LatestOfUsage) throws -> Rated {
        let price = try row.priceVersion.map { try number(of: $0, &latest.price) }
        return Rated(dimensions: try numbers(of: row.dimensions, &latest), priceVersion: price, row: row)
    }

    /// Texts of the record or window before.
    struct LatestOfUsage {
        fileprivate var (source, price) = (Latest(), Latest())
        fileprivate var (model, agent, user, project) = (Latest(), Latest(), Latest(), Latest())
    }

    /// The numbers of model, agent, user and project.
    func numbers(
        of dimensions: UsageDimensions, _ latest: inout LatestOfUsage
    ) throws -> (Int64, Int64, Int64, Int64) {
        (
            try number(of: dimensions.model, &latest.model), try number(of: dimensions.agent, &latest.agent),
            try number(of: dimensions.user, &latest.user), try number(of: dimensions.project, &latest.project)
        )
    }

    func update(_ usage: UsageRow) throws {
        guard let place = try place(usage.at, usage.source, usage.id) else {
            throw BillingStoreError(.constraint, "Usage is rated anew that was never recorded")
        }
        var latest = LatestOfUsage()
        let rated = try rated(usage, &latest)
        try BoundStatement(db, Self.rating).run {
            rated.add(to: &$0)
            $0.add(place)
        }
    }
}

extension UsageAmounts {
    /// Binds them in the order of `UsageColumns.amounts`.
    func add(to parameters: inout BoundStatement.Parameters) {
        parameters.add(requests)
        parameters.add(input)
        parameters.add(output)
        parameters.add(cacheRead)
        parameters.add(cacheWrite)
        parameters.add(reasoning)
        parameters.add(agentCalls)
        parameters.add(agentSeconds)
        parameters.add(tasks)
        parameters.add(listMicroUSD)
        parameters.add(chargeMicroUSD)
        parameters.add(chargeMicroCredits)
    }
}
