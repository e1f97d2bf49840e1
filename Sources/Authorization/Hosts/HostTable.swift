// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Which AuthConfig covers which host. The outcome depends only on the objects, never on the order in which they came.
package struct HostTable: Sendable {
    /// One AuthConfig as the table needs it.
    package struct Candidate: Sendable {
        /// `namespace/name`.
        package var key: String
        package var createdAt: Timestamp
        /// Entries of `spec.hosts`, as written.
        package var hosts: [String]
        /// A broken object keeps its hosts: they are refused with 503 `config.invalid`.
        package var broken: Bool

        package init(key: String, createdAt: Timestamp, hosts: [String], broken: Bool = false) {
            self.key = key
            self.createdAt = createdAt
            self.hosts = hosts
            self.broken = broken
        }
    }

    /// What covers a host.
    package struct Match: Sendable, Hashable {
        /// Place of the AuthConfig in the list that the table was made of.
        package let index: Int
        /// The normalised entry that matched.
        package let rule: String
        package let broken: Bool
    }

    /// An entry that an older AuthConfig has too.
    package struct Conflict: Sendable, Hashable {
        package let loser: String
        /// The normalised entry.
        package let host: String
        package let winner: String
    }

    /// An entry that could not be normalised.
    package struct InvalidEntry: Sendable, Hashable {
        package let key: String
        package let entry: String
        package let fault: HostPattern.Fault
    }

    /// Sorted by loser, then host.
    package private(set) var conflicts: [Conflict] = []
    /// Sorted by object, then in the order of its entries.
    package private(set) var invalid: [InvalidEntry] = []

    private var exact: [String: Match] = [:]
    private var suffixes: [Substring: Match] = [:]
    private var any: Match?

    /// The place of an entry that belongs to somebody who is not in the list.
    private static let elsewhere = -1

    /// The oldest object keeps a disputed entry, then the one whose `namespace/name` is the smallest by bytes.
    ///
    /// - Parameter elsewhere: entries of objects that are not here: their hosts are covered by nobody, not even by a wider entry.
    package init(_ candidates: [Candidate] = [], elsewhere: [String] = []) {
        for entry in elsewhere {
            // What is no entry covers no host.
            guard case .success(let pattern) = HostPattern.parse(entry) else { continue }
            _ = claim(pattern, Match(index: Self.elsewhere, rule: pattern.text, broken: false))
        }
        let order = candidates.indices.sorted { left, right in
            let (first, second) = (candidates[left], candidates[right])
            if first.createdAt != second.createdAt { return first.createdAt < second.createdAt }
            return first.key.utf8.lexicographicallyPrecedes(second.key.utf8)
        }
        for index in order {
            for entry in candidates[index].hosts {
                switch HostPattern.parse(entry) {
                case .failure(let fault):
                    invalid.append(InvalidEntry(key: candidates[index].key, entry: entry, fault: fault))
                case .success(let pattern):
                    let match = Match(index: index, rule: pattern.text, broken: candidates[index].broken)
                    guard let winner = claim(pattern, match), winner.index != index, winner.index != Self.elsewhere
                    else {
                        continue
                    }
                    conflicts.append(
                        Conflict(
                            loser: candidates[index].key, host: pattern.text, winner: candidates[winner.index].key))
                }
            }
        }
        conflicts = Set(conflicts).sorted { ($0.loser, $0.host) < ($1.loser, $1.host) }
        invalid.sort { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
    }

    /// Takes an entry unless it is taken.
    ///
    /// - Returns: who has it already.
    private mutating func claim(_ pattern: HostPattern, _ match: Match) -> Match? {
        switch pattern {
        case .exact(let host):
            if let winner = exact[host] { return winner }
            exact[host] = match
        case .suffix(let suffix):
            if let winner = suffixes[Substring(suffix)] { return winner }
            suffixes[Substring(suffix)] = match
        case .any:
            if let any { return any }
            any = match
        }
        return nil
    }

    /// Every entry with whom it belongs to, in no order.
    package var entries: [Match] { Array(exact.values) + Array(suffixes.values) + (any.map { [$0] } ?? []) }

    /// Finds who covers a normalised host: exact, then the wildcard with the most labels, then `*`. Nil is 404 `auth.no_config`.
    package func match(_ host: String) -> Match? {
        guard let match = nearest(host), match.index != Self.elsewhere else { return nil }
        return match
    }

    private func nearest(_ host: String) -> Match? {
        if let match = exact[host] { return match }
        // An IPv6 address has no labels.
        if !suffixes.isEmpty, host.utf8.first != UInt8(ascii: "[") {
            var rest = host[...]
            while let dot = rest.utf8.firstIndex(of: UInt8(ascii: ".")) {
                rest = rest[rest.utf8.index(after: dot)...]
                if let match = suffixes[rest] { return match }
            }
        }
        return any
    }
}
