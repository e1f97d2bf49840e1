// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Synchronization

/// Numbers of accounts and texts, and notes beside windows, that are in the file for certain, so that it need not be asked for each of them.
/// Bounded to some MiB. Accounts and texts are never deleted, and notes only with days that are long over.
final class StoredNumbers: Sendable {
    /// A note beside the windows of an account: where some of them start, or a value that a dimension has on a day.
    struct Note: Sendable, Hashable {
        let account: Int64
        /// A granularity, or a dimension.
        let kind: Int64
        let start: Int64
        /// Of the dimension; nil of where windows start.
        let value: Int64?
    }

    /// What one transaction read or wrote; to be kept once it has been committed.
    struct Found: Sendable {
        var account: Int64?
        var texts: [String: Int64] = [:]
        var notes: Set<Note> = []
    }

    private struct Kept: Sendable {
        var accounts = LRUCache<String, Int64>(capacity: 16_384)
        var texts = LRUCache<String, Int64>(capacity: 32_768)
        var notes = LRUCache<Note, Bool>(capacity: 65_536)
    }

    /// The longest text that is kept, in bytes: what comes often is short, and what somebody makes up must not fill the memory.
    private static let longestText = 128
    private let kept = Mutex(Kept())

    func account(_ id: String) -> Int64? { kept.withLock { $0.accounts.value(for: id) } }

    func text(_ text: String) -> Int64? { kept.withLock { $0.texts.value(for: text) } }

    func contains(_ note: Note) -> Bool { kept.withLock { $0.notes.value(for: note) ?? false } }

    /// Keeps what a transaction over an account found, which has been committed.
    func keep(_ found: Found, of account: String) {
        kept.withLock { kept in
            if let number = found.account { _ = kept.accounts.insert(number, for: account) }
            for (text, number) in found.texts where text.utf8.count <= Self.longestText {
                _ = kept.texts.insert(number, for: text)
            }
            for note in found.notes { _ = kept.notes.insert(true, for: note) }
        }
    }

    /// Forgets every note: some of them were deleted.
    func forgetNotes() { kept.withLock { $0.notes = LRUCache(capacity: $0.notes.capacity) } }
}
