// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import TestSupport
internal import Testing

/// What holds of every account after every operation, over random histories.
@Suite struct LedgerLawTests {
    @Test(arguments: UInt64(1)...40)
    func theLedgerGivesEveryBalance(seed: UInt64) throws {
        var history = try BookHistory(seed: seed)
        for _ in 0..<250 {
            try history.step()
            check(history, seed)
        }
        #expect(history.entries > 50)
    }

    private func check(_ history: BookHistory, _ seed: UInt64) {
        let (book, sums) = (history.book, history.sums)
        let open = Dictionary(uniqueKeysWithValues: book.grants.map { ($0.id, $0) })
        for (bucket, sum) in sums {
            switch bucket {
            case .grant(let id): #expect(sum == open[id]?.remaining ?? 0, "seed \(seed): \(id)")
            case .held(let id): #expect(sum == history.reservations[id]?.held ?? 0, "seed \(seed): \(id)")
            case .issued: #expect(sum == -book.totals.issued)
            case .consumed: #expect(sum == book.totals.consumed)
            case .expired: #expect(sum == book.totals.expired)
            case .voided: #expect(sum == book.totals.voided)
            case .overage: #expect(sum == -(book.debt + book.heldOverage))
            }
        }
        for grant in Array(history.grants.values) + book.grants {
            let parts = grant.remaining + grant.held + grant.spent + grant.expired + grant.voided
            #expect(grant.id.isEmpty == false && grant.remaining >= 0 && grant.held >= 0)
            if open[grant.id] == nil || open[grant.id] == grant { #expect(parts == grant.microCredits, "seed \(seed)") }
        }
        let held = history.reservations.values.reduce(Int64(0)) { $0 + $1.held }
        #expect(book.held == held, "seed \(seed): what is held is held by reservations")
        let active = history.reservations.values.filter { $0.state == .open }
        #expect(book.openReservations == Int64(active.count))
        if let first = active.map(\.expiresAt).min() { #expect(book.earliestEnd.map { $0 <= first } == true) }
        #expect(book.counters.agents == Int64(history.slots.count))
        #expect(book.totals.consumed <= book.totals.issued + book.debt, "seed \(seed): consumed what was not there")
        #expect(book.debt >= 0 && book.heldOverage >= 0)
        #expect(book.balance >= -book.debt)
        let ordered = zip(book.grants, book.grants.dropFirst()).allSatisfy { left, right in
            (left.priority, left.expiresAt ?? .latest, left.createdAt, left.id)
                <= (right.priority, right.expiresAt ?? .latest, right.createdAt, right.id)
        }
        #expect(ordered, "seed \(seed): grants are in the order of spending")
    }

    @Test(arguments: UInt64(100)...120)
    func storedAccountsAreReadAsTheyWereWritten(seed: UInt64) throws {
        var history = try BookHistory(seed: seed)
        for _ in 0..<120 {
            try history.step()
            #expect(try AccountBook(history.book.row(version: 1)) == history.book, "seed \(seed)")
            for grant in history.book.grants { #expect(try Grant(grant.row) == grant) }
        }
    }

    @Test func debtNeverPassesWhatThePlanAllows() throws {
        for seed in UInt64(200)...215 {
            var history = try BookHistory(seed: seed)
            for _ in 0..<150 {
                let before = history.book.debt + history.book.heldOverage
                try history.step()
                let standing = history.book.standing(at: history.book.clock, terms: history.terms)
                let limit = standing.limits.overageCredits ?? .max
                let after = history.book.debt + history.book.heldOverage
                // A cheaper plan takes no debt back; nothing makes it larger then.
                #expect(after <= max(limit, before), "seed \(seed)")
            }
        }
    }

    @Test func unknownMembersOfStoredDocumentsArePassedOver() throws {
        var history = try BookHistory(seed: 7)
        for _ in 0..<60 { try history.step() }
        func extended(_ document: String) -> String { "{\"future\":[{\"a\":1}]," + document.dropFirst() }
        var row = history.book.row(version: 1)
        row.document = extended(row.document)
        #expect(try AccountBook(row) == history.book)
        for reservation in history.reservations.values {
            var row = reservation.row
            row.document = extended(row.document)
            #expect(try Reservation(row) == reservation)
        }
    }

    @Test func whatIsNoAccountIsUnreadable() throws {
        for document in ["", "{", "[]", "{}", "{\"created\":1,\"grants\":[{}]}"] {
            let row = AccountRow(account: "a", version: 1, document: document, dueAt: nil)
            #expect {
                try AccountBook(row)
            } throws: { error in (error as? BillingStoreError)?.code == .unreadable }
        }
    }
}
