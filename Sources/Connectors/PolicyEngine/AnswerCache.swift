// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authorization
internal import Crypto
package import Essentials

/// Answers of a policy engine that still hold, under the digest of everything that was asked and of the policy data in force.
///
/// A plain value without a lock. Errors are never put into it.
package struct AnswerCache: Sendable {
    /// SHA-256 over the revision and the canonical JSON of the whole input.
    package struct Key: Sendable, Hashable {
        private let words: (UInt64, UInt64, UInt64, UInt64)

        /// - Parameter input: canonical JSON: members sorted by name, no white space.
        package init(input: [UInt8], revision: String) {
            var hash = SHA256()
            hash.update(data: Array(revision.utf8))
            // No revision holds this byte: revision and input cannot run into each other.
            hash.update(data: [0])
            hash.update(data: input)
            words = hash.finalize().withUnsafeBytes {
                (
                    $0.loadUnaligned(fromByteOffset: 0, as: UInt64.self),
                    $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
                    $0.loadUnaligned(fromByteOffset: 16, as: UInt64.self),
                    $0.loadUnaligned(fromByteOffset: 24, as: UInt64.self)
                )
            }
        }

        package static func == (left: Key, right: Key) -> Bool { left.words == right.words }

        package func hash(into hasher: inout Hasher) {
            hasher.combine(words.0)
            hasher.combine(words.1)
        }
    }

    private struct Entry: Sendable {
        let answer: EngineAnswer
        let from: Timestamp
        let until: Timestamp
    }

    /// The most entries; the least recently used goes first.
    package static let capacity = 10_000

    private var entries: LRUCache<Key, Entry>
    private var revision: String?
    private let lifetimeMicroseconds: Int64

    /// - Parameter lifetime: how long an answer is kept; zero keeps none.
    package init(lifetime: Duration, capacity: Int = AnswerCache.capacity) {
        entries = LRUCache(capacity: capacity)
        lifetimeMicroseconds = lifetime.wholeMicroseconds
    }

    /// Whether answers are kept at all.
    package var isOn: Bool { lifetimeMicroseconds > 0 }

    /// The number of entries, ended ones too.
    package var count: Int { entries.count }

    /// The answer, while it holds. The first question under another revision empties the cache.
    package mutating func answer(for key: Key, revision: String, now: Timestamp) -> EngineAnswer? {
        guard isOn else { return nil }
        if self.revision != revision {
            entries.removeAll()
            self.revision = revision
        }
        guard let entry = entries.value(for: key) else { return nil }
        guard entry.from <= now, now < entry.until else {
            _ = entries.remove(key)
            return nil
        }
        return entry.answer
    }

    /// Keeps an answer.
    ///
    /// - Parameters:
    ///   - revision: under which it was asked for; an answer of a revision that is no longer in force is not kept.
    ///   - expiresIn: how long the credential is still good; nil = it does not end.
    package mutating func keep(
        _ answer: EngineAnswer, for key: Key, revision: String, now: Timestamp, expiresIn: Duration?
    ) {
        guard isOn, self.revision == revision else { return }
        if case .unavailable = answer { return }
        let life = min(lifetimeMicroseconds, expiresIn?.wholeMicroseconds ?? .max)
        guard life > 0 else { return }
        let (end, overflow) = now.microseconds.addingReportingOverflow(life)
        let until = overflow ? Timestamp.latest : Timestamp(microseconds: end)
        _ = entries.insert(Entry(answer: answer, from: now, until: until), for: key)
    }
}
