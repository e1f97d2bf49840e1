// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Testing

@testable internal import Billing

/// What is kept of an account is given only where the store holds just that.
@Suite struct AccountCacheTests {
    private let cache = AccountCache(capacity: 8)
    private let written = AccountRow(account: "acme", version: 2, document: "of this process", dueAt: nil)
    private let book: AccountBook

    init() {
        var book = AccountBook(account: "acme", at: Timestamp(seconds: 0))
        book.debt = 7
        self.book = book
    }

    @Test func givesWhatIsStoredByItsVersion() {
        cache.keep(book, version: 2)
        #expect(cache.book("acme", version: 2) == book)
        #expect(cache.book("acme", version: 1) == nil)
        #expect(cache.book("acme", version: 3) == nil)
        #expect(cache.book("globex", version: 2) == nil)
    }

    @Test func givesWhatMayBeTakenBackByItsDocumentAlone() {
        cache.propose(book, written)
        #expect(cache.book("acme", version: 2) == nil)
        #expect(cache.book(written) == book)
        // It was taken back, and another process has written the next version.
        var other = written
        other.document = "of another process"
        #expect(cache.book(other) == nil)
        other.document = written.document
        other.version = 3
        #expect(cache.book(other) == nil)
    }

    @Test func keepsWhatIsStoredForCertain() {
        cache.propose(book, written)
        cache.keep(book, version: 2)
        #expect(cache.book("acme", version: 2) == book)
        cache.keep(AccountBook(account: "acme", at: Timestamp(seconds: 0)), version: 1)
        #expect(cache.book("acme", version: 2) == book)
        cache.forget("acme")
        #expect(cache.book("acme", version: 2) == nil)
        #expect(cache.book(written) == nil)
    }
}
