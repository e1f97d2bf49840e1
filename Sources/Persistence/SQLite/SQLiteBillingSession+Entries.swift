// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import GRDB

/// The ledger.
extension SQLiteBillingSession {
    /// How many entries an account can have, and where its number stands in an entry's.
    private static let sequenceBits: Int64 = 40
    private static let entryColumns = """
        id, entry_id, key, whole_key, kind, at, recorded_at, legs, reference, list_micro_usd, charge_micro_usd,
        price_version, actor, balance_after
        """
    private static let insertion = """
        INSERT INTO billing_entries (\(entryColumns), account) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """

    func entry(key: String) throws -> LedgerEntry? {
        guard let number = try knownNumber() else { return nil }
        return try row(
            "SELECT \(Self.entryColumns) FROM billing_entries WHERE account = ? AND key = ?",
            [number, try PackedText.key(key).value]
        ).map(entry)
    }

    func entries(before sequence: Int64?, limit: Int) throws -> [LedgerEntry] {
        guard let number = try knownNumber() else { return [] }
        let most: Int64 = 1 << Self.sequenceBits
        let first = number << Self.sequenceBits
        return try rows(
            """
            SELECT \(Self.entryColumns) FROM billing_entries WHERE id > ? AND id < ? ORDER BY id DESC LIMIT ?
            """, [first, first + min(max(0, sequence ?? most), most), max(0, limit)]
        ).map(entry)
    }

    private func entry(_ row: Row) throws -> LedgerEntry {
        let id: Int64 = row[0]
        let (kind, priceVersion): (String, Int64?) = (row[4], row[11])
        guard let kind = LedgerEntry.Kind(rawValue: kind) else {
            throw BillingStoreError(.unreadable, "A ledger entry has the type '\(kind)'")
        }
        return LedgerEntry(
            sequence: id & (1 << Self.sequenceBits - 1), id: try Self.unpacked(row[1]),
            key: try Self.unpacked(row[2], row[3]), kind: kind, at: row.timestamp(5), recordedAt: row.timestamp(6),
            legs: try LegsText.decode(row[7]), reference: try Self.optional(row[8]), listMicroUSD: row[9],
            chargeMicroUSD: row[10], priceVersion: try priceVersion.map(text), actor: try text(row[12]),
            balanceAfter: row[13])
    }

    func append(_ entries: [LedgerEntry]) throws {
        guard !entries.isEmpty else { return }
        let number = try ownNumber()
        let statement = try BoundStatement(db, Self.insertion)
        var (latestPrice, latestActor) = (Latest(), Latest())
        for entry in entries {
            guard entry.sequence > 0, entry.sequence < 1 << Self.sequenceBits else {
                throw BillingStoreError(.constraint, "An entry has the sequence \(entry.sequence)")
            }
            let key = try PackedText.key(entry.key)
            let (id, reference) = (try PackedText.pack(entry.id), try Self.packed(entry.reference))
            let price = try entry.priceVersion.map { try self.number(of: $0, &latestPrice) }
            let actor = try self.number(of: entry.actor, &latestActor)
            try statement.run {
                $0.add(number << Self.sequenceBits | entry.sequence)
                $0.add(id)
                $0.add(key.value)
                $0.add(key.isWhole ? nil : entry.key)
                $0.add(entry.kind.rawValue)
                $0.add(entry.at.microseconds)
                $0.add(entry.recordedAt.microseconds)
                $0.add(LegsText.encode(entry.legs))
                $0.add(reference)
                $0.add(entry.listMicroUSD)
                $0.add(entry.chargeMicroUSD)
                $0.add(price)
                $0.add(actor)
                $0.add(entry.balanceAfter)
                $0.add(number)
            }
        }
    }
}
