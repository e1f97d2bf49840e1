// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials

/// The legs of an entry as both databases keep them: `[["grant:<id>",-5],["consumed",5]]`.
enum LegsText {
    static func encode(_ legs: [LedgerEntry.Leg]) -> String {
        var writer = JSONWriter()
        writer.raw("[")
        for (index, leg) in legs.enumerated() {
            writer.raw(index == 0 ? "[" : ",[")
            writer.string(leg.bucket.text)
            writer.raw(",")
            writer.integer(leg.microCredits)
            writer.raw("]")
        }
        writer.raw("]")
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    /// - Throws: `BillingStoreError` with `unreadable`.
    static func decode(_ text: String) throws(BillingStoreError) -> [LedgerEntry.Leg] {
        // Whatever is wrong with the text, it cannot be read.
        let parts = (try? JSONParser.parse(text: text))?.arrayValue
        let legs = parts?.compactMap { part -> LedgerEntry.Leg? in
            guard let pair = part.arrayValue, pair.count == 2, let name = pair[0].stringValue,
                let bucket = LedgerEntry.Bucket(text: name), let amount = pair[1].intValue
            else { return nil }
            return LedgerEntry.Leg(bucket, amount)
        }
        guard let legs, legs.count == parts?.count else {
            throw BillingStoreError(.unreadable, "The legs of a ledger entry cannot be read")
        }
        return legs
    }
}
