// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials

/// The ledger.
extension PostgreSQLBillingSession {
    private static let entries = """
        SELECT sequence, id, coalesce(whole_key, key), kind, at, recorded_at, legs, reference, list_micro_usd,
            charge_micro_usd, price_version, actor, balance_after
        FROM billing_entries WHERE tenant_id = $1
        """

    func entry(key: String) throws -> LedgerEntry? {
        try query("\(Self.entries) AND key = $2", [tenant, .text(BillingKey.of(key).key)]).first.map(Self.entry)
    }

    func entries(before sequence: Int64?, limit: Int) throws -> [LedgerEntry] {
        try query(
            "\(Self.entries) AND sequence < $2 ORDER BY sequence DESC LIMIT $3",
            [tenant, .integer(sequence ?? .max), .integer(max(0, limit))]
        ).map(Self.entry)
    }

    private static func entry(_ row: PostgreSQLRow) throws -> LedgerEntry {
        let text = try row.text(3)
        guard let kind = LedgerEntry.Kind(rawValue: text) else {
            throw BillingStoreError(.unreadable, "A ledger entry has the type '\(text)'")
        }
        return LedgerEntry(
            sequence: try row.integer(0), id: try row.text(1), key: try row.text(2), kind: kind,
            at: try row.timestamp(4), recordedAt: try row.timestamp(5), legs: try LegsText.decode(try row.text(6)),
            reference: try row.optionalText(7), listMicroUSD: try row.optionalInteger(8),
            chargeMicroUSD: try row.optionalInteger(9), priceVersion: try row.optionalText(10),
            actor: try row.text(11), balanceAfter: try row.integer(12))
    }

    func append(_ entries: [LedgerEntry]) throws {
        guard !entries.isEmpty else { return }
        let keys = entries.map { BillingKey.of($0.key) }
        later(
            """
            INSERT INTO billing_entries (tenant_id, sequence, id, key, whole_key, kind, at, recorded_at, legs, reference,
                list_micro_usd, charge_micro_usd, price_version, actor, balance_after)
            SELECT $1, * FROM unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[],
                $8::bigint[], $9::text[], $10::text[], $11::bigint[], $12::bigint[], $13::text[], $14::text[],
                $15::bigint[])
            """,
            [
                tenant, .integers(entries.map(\.sequence)), .texts(entries.map(\.id)), .texts(keys.map(\.key)),
                .texts(keys.map(\.whole)), .texts(entries.map(\.kind.rawValue)),
                .integers(entries.map(\.at.microseconds)), .integers(entries.map(\.recordedAt.microseconds)),
                .texts(entries.map { LegsText.encode($0.legs) }), .texts(entries.map(\.reference)),
                .integers(entries.map(\.listMicroUSD)), .integers(entries.map(\.chargeMicroUSD)),
                .texts(entries.map(\.priceVersion)), .texts(entries.map(\.actor)),
                .integers(entries.map(\.balanceAfter)),
            ])
    }
}
