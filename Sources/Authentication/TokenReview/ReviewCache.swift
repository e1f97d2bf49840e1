// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// What the cluster has said about tokens, for a short time and for a bounded number of them: they are known by the SHA-256 of their text.
struct ReviewCache: Sendable {
    static let goodSeconds: Int64 = 60
    static let badSeconds: Int64 = 10

    private struct Entry: Sendable {
        let token: ReviewedToken
        let madeAt: Timestamp
        let end: Timestamp
    }

    private var entries: LRUCache<PendingReview.Key, Entry>

    init(capacity: Int) { entries = LRUCache(capacity: capacity) }

    var count: Int { entries.count }

    /// What is known and still holds.
    mutating func token(_ key: PendingReview.Key, now: Timestamp) -> ReviewedToken? {
        guard let entry = entries.value(for: key) else { return nil }
        // A clock that was set back must not make an answer last longer.
        guard entry.madeAt <= now, now < entry.end else {
            _ = entries.remove(key)
            return nil
        }
        return entry.token
    }

    /// Keeps an answer: a yes for a minute and never past the token's end, a no for ten seconds, no answer not at all.
    mutating func keep(_ token: ReviewedToken, now: Timestamp) {
        let end: Timestamp
        switch token.verdict {
        case .known: end = min(now.adding(seconds: Self.goodSeconds), token.expiresAt ?? .latest)
        case .refused: end = now.adding(seconds: Self.badSeconds)
        case .unavailable: return
        }
        guard now < end else { return }
        _ = entries.insert(Entry(token: token, madeAt: now, end: end), for: token.key)
    }
}
