// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Billing
internal import Essentials

/// The ledger of one account, read entry by entry, and whether it adds up to the account.
package struct LedgerProof: Sendable {
    /// The account as it is stored; nil where there is none.
    package private(set) var book: AccountBook?
    /// How many entries there are.
    package private(set) var count: Int64 = 0
    /// What does not hold of the entries themselves, in words.
    private var uneven: [String] = []
    /// What lies in each bucket by the sum of all entries, in micro-credits.
    package private(set) var sums: [LedgerEntry.Bucket: Int64] = [:]
    private var newestBalance: Int64 = 0

    private static let page = 5000

    /// Reads every entry of an account.
    package static func read(_ account: String, in ledger: any BillingLedger) async throws -> LedgerProof {
        try await ledger.read(account) { reader in
            var proof = LedgerProof()
            proof.book = try reader.account().map { try AccountBook($0) }
            var keys: Set<String> = []
            var next: Int64?
            while true {
                let entries = try reader.entries(before: next, limit: page)
                for entry in entries {
                    if let next, entry.sequence != next - 1 { proof.uneven.append("a gap before \(next)") }
                    if next == nil { proof.newestBalance = entry.balanceAfter }
                    next = entry.sequence
                    proof.take(entry, isNewKey: keys.insert(entry.key).inserted)
                }
                if entries.count < page { break }
            }
            if let next, next != 1 { proof.uneven.append("the first entry has the number \(next)") }
            return proof
        }
    }

    private mutating func take(_ entry: LedgerEntry, isNewKey: Bool) {
        count += 1
        if !isNewKey { uneven.append("the key \(entry.key) is there twice") }
        if entry.legs.reduce(0, { $0 + $1.microCredits }) != 0 { uneven.append("entry \(entry.sequence) is uneven") }
        for leg in entry.legs { sums[leg.bucket, default: 0] += leg.microCredits }
    }

    /// All that lies in grants by the entries, in micro-credits.
    package var inGrants: Int64 {
        sums.reduce(0) { sum, bucket in
            if case .grant = bucket.key { sum + bucket.value } else { sum }
        }
    }

    /// All that reservations hold by the entries, in micro-credits.
    package var held: Int64 {
        sums.reduce(0) { sum, bucket in
            if case .held = bucket.key { sum + bucket.value } else { sum }
        }
    }

    /// What does not hold, in words; empty where the entries add up, each for itself and together to the account.
    package var faults: [String] {
        guard let book else { return count == 0 ? [] : ["\(count) entries without an account"] }
        var faults = uneven
        func same(_ name: String, _ found: Int64, _ stored: Int64) {
            if found != stored { faults.append("\(name): \(found) by the entries, \(stored) by the account") }
        }
        same("entries", count, book.lastSequence)
        same("balance", inGrants - book.debt, book.balance)
        if count > 0 { same("balance after the newest entry", newestBalance, book.balance) }
        same("held", held, book.held)
        same("issued", -sums[.issued, default: 0], book.totals.issued)
        same("consumed", sums[.consumed, default: 0], book.totals.consumed)
        same("expired", sums[.expired, default: 0], book.totals.expired)
        same("voided", sums[.voided, default: 0], book.totals.voided)
        same("overage", -sums[.overage, default: 0], book.debt + book.heldOverage)
        let open = Dictionary(book.grants.map { ($0.id, $0.remaining) }) { first, _ in first }
        for case (.grant(let id), let sum) in sums { same("grant \(id)", sum, open[id] ?? 0) }
        return faults
    }
}
