// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Synchronization

/// Decoded accounts by version, so that an account that nobody else has written is not read again. Bounded.
final class AccountCache: Sendable {
    private final class Entry: Sendable {
        let version: Int64
        let book: AccountBook
        /// What was written where the transaction may still be taken back; nil once it is stored for certain.
        let document: String?

        init(_ book: AccountBook, version: Int64, document: String?) {
            self.version = version
            self.book = book
            self.document = document
        }
    }

    private let entries: Mutex<LRUCache<String, Entry>>

    init(capacity: Int) { entries = Mutex(LRUCache(capacity: capacity)) }

    /// The account, where exactly that version of it is known.
    func book(_ account: String, version: Int64) -> AccountBook? {
        entries.withLock { entries in
            guard let entry = entries.value(for: account), entry.version == version, entry.document == nil else {
                return nil
            }
            return entry.book
        }
    }

    /// The account that a row holds, where this process has written exactly that: several operations on one account are often one commit.
    func book(_ row: AccountRow) -> AccountBook? {
        entries.withLock { entries in
            guard let entry = entries.value(for: row.account), entry.version == row.version,
                entry.document == row.document
            else { return nil }
            return entry.book
        }
    }

    /// Keeps a version that was written but may still be taken back.
    func propose(_ book: AccountBook, _ row: AccountRow) {
        entries.withLock { entries in
            _ = entries.insert(Entry(book, version: row.version, document: row.document), for: row.account)
        }
    }

    /// Keeps a version that is stored for certain; an older one than is known is not.
    func keep(_ book: AccountBook, version: Int64) {
        entries.withLock { entries in
            if let known = entries.peek(book.account), known.version > version { return }
            _ = entries.insert(Entry(book, version: version, document: nil), for: book.account)
        }
    }

    /// Forgets an account.
    func forget(_ account: String) { entries.withLock { entries in _ = entries.remove(account) } }
}
