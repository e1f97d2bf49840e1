// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// One account in the hands of one operation: read, advanced to now, changed, and written with all that its changes bring. It lives within a
/// transaction.
package struct AccountWork {
    /// Told what goes out, in the transaction of its cause: an event and the id of its message.
    package typealias Outbox = @Sendable (AccountEvent, String, any BillingTransaction) throws -> Void

    let transaction: any BillingReader
    package let terms: BillingTerms
    package var book: AccountBook
    package var changes: AccountChanges
    package var standing: Standing
    /// Reservations that need not be decoded; nil = none are kept.
    var knownReservations: ReservationCache?
    /// Values of dimensions that need not be asked for; nil = none are kept.
    var knownValues: KnownValues?
    /// Those that this adds.
    var admitted: [KnownValues.Entry] = []
    /// As it was read; 0 where the account is new.
    let version: Int64

    /// The instant of the operation: now, or a little later where the account was ahead.
    package var now: Timestamp { book.clock }

    /// Reads an account and brings it up to now.
    ///
    /// - Parameters:
    ///   - opens: whether a subscription is put in force next: an account that is made for it is granted nothing of the fallback plan before.
    ///   - known: the decoded account, where a version of it is kept.
    ///   - decode: reads a stored account.
    /// - Throws: `Refusal` `billing.account_not_found` where it is not stored and may not be made; `BillingStoreError`.
    package init(
        _ account: String, at now: Timestamp, in transaction: any BillingReader, terms: BillingTerms, makes: Bool,
        actor: String = "system", opens: Bool = false, known: (Int64) -> AccountBook? = { _ in nil },
        decode: (AccountRow) throws -> AccountBook = { try AccountBook($0) }
    ) throws {
        self.transaction = transaction
        self.terms = terms
        changes = AccountChanges(recordedAt: now, actor: actor)
        version = try transaction.accountVersion()
        if version > 0 {
            if let book = known(version) {
                self.book = book
            } else {
                guard let row = try transaction.account() else { throw BillingStoreError.unreadable("account") }
                book = try decode(row)
            }
        } else {
            guard makes else { throw Refusal(.billingAccountNotFound) }
            book = AccountBook(account: account, at: now)
            if opens {
                standing = book.standing(at: now, terms: terms)
                return
            }
        }
        let input = try Self.input(book, at: max(now, book.clock), terms, in: transaction)
        standing = book.advance(to: now, input, terms: terms, into: &changes)
    }

    /// The rows that time has to do with.
    private static func input(
        _ book: AccountBook, at now: Timestamp, _ terms: BillingTerms, in transaction: any BillingReader
    ) throws -> AdvanceInput {
        var input = AdvanceInput()
        if book.needsEndedReservations(at: now) {
            let most = Int(AccountBook.maximumOpenReservations) + 1
            let ended = try transaction.endedReservations(at: now, limit: most)
            input.ended = try ended.map { try Reservation($0) }
            let following = try transaction.endedReservations(at: Timestamp.latest, limit: ended.count + 1)
            input.nextEnd = following.count > ended.count ? following.last?.endsAt : nil
        }
        if book.needsAgents(at: now, terms: terms) { input.agents = try agents(in: transaction) }
        return input
    }

    private static func agents(in transaction: any BillingReader) throws -> [Slot] {
        var agents: [Slot] = []
        while true {
            let page = try transaction.slots(.agent, after: agents.last?.order ?? 0, limit: 1000)
            agents += try page.map { try Slot($0) }
            if page.count < 1000 { return agents }
        }
    }

    /// Every hired agent.
    func agents() throws -> [Slot] { book.counters.agents > 0 ? try Self.agents(in: transaction) : [] }

    /// Writes what was changed; nothing where nothing was.
    ///
    /// - Returns: the account as it is stored then; nil where nothing was changed.
    package func store(in transaction: any BillingTransaction, outbox: Outbox) throws -> AccountRow? {
        guard !changes.isEmpty else { return nil }
        var row = book.row(version: version)
        try transaction.put(row)
        if !changes.entries.isEmpty { try transaction.append(changes.entries) }
        for grant in changes.grants { try transaction.put(grant.row) }
        for reservation in changes.reservations {
            let row = reservation.row
            try transaction.put(row)
            knownReservations?.keep(reservation, row)
        }
        for slot in changes.removedSlots { try transaction.remove(slot.kind, id: slot.id) }
        for slot in changes.slots { try transaction.put(slot.row) }
        for (index, event) in changes.events.enumerated() {
            // The same wherever the body runs again: no other transaction has this version.
            try outbox(event, "msg_\(book.account)_\(version + 1)_\(index)", transaction)
        }
        row.version += 1
        return row
    }
}
