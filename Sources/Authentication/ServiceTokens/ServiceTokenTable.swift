// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
internal import Synchronization

/// Every service token, held in memory for the request path: a look-up takes one short lock and one hash.
package final class ServiceTokenTable: Sendable {
    /// A token as the request path needs it. Replaced as a whole when its record changes.
    package final class Entry: Sendable {
        /// The record; its use counters are those of the last load.
        package let record: ServiceTokenRecord
        /// Made once.
        package let principal: Principal
        let allowed: [CIDR]
        let uses: CredentialUses

        init(record: ServiceTokenRecord, uses: CredentialUses) {
            self.record = record
            principal = record.principal
            // A record with an unreadable block is refused where it is read; here it could only match nothing.
            allowed = record.allowedCIDRs.compactMap { CIDR($0) }
            self.uses = uses
        }

        /// The record with its counters as they are now.
        package var current: ServiceTokenRecord {
            var record = record
            (record.useCount, record.lastUsedAt) = uses.total
            return record
        }

        /// Counts a use.
        func used(at now: Timestamp, from address: IPAddress?) { uses.add(at: now, from: address) }
    }

    private struct State: Sendable {
        var entries: [String: Entry] = [:]
        var order = CredentialOrder()
        /// The identifiers of each rotation chain.
        var families: [String: [String]] = [:]
        /// Tokens that may make tokens, whatever their state.
        var minters: Set<String> = []
    }

    /// How long the table is good without a word from the store.
    package static let freshForSeconds: Int64 = 60
    private let state = Mutex(State())
    private let heardAt: Atomic<Int64>
    private let entryCount = Atomic<Int>(0)
    /// Told of every change of what is in force; uses are none.
    package let changes = ChangeHook()

    /// An empty table that has heard from the store just now.
    package init(heardAt now: Timestamp) { heardAt = Atomic(now.microseconds) }

    /// Notes that the store answered.
    package func heard(at now: Timestamp) { heardAt.store(now.microseconds, ordering: .relaxed) }

    /// Whether the store was heard of within 60 s.
    package func isFresh(at now: Timestamp) -> Bool {
        now.microseconds - heardAt.load(ordering: .relaxed) <= Self.freshForSeconds * 1_000_000
    }

    /// The number of records, whatever their state.
    package var count: Int { entryCount.load(ordering: .relaxed) }

    /// The token of that id.
    package func entry(_ identifier: String) -> Entry? { state.withLock { $0.entries[identifier] } }

    /// Puts records in force, new ones or changed ones, all at once.
    package func put(_ records: [ServiceTokenRecord]) {
        state.withLock { state in
            for record in records {
                let known = state.entries[record.identifier]
                let uses = known?.uses ?? CredentialUses(count: record.useCount, lastUsedAt: record.lastUsedAt)
                state.entries[record.identifier] = Entry(record: record, uses: uses)
                if known == nil {
                    state.families[record.family, default: []].append(record.identifier)
                    state.order.insert(
                        CredentialPosition(issuedAt: record.issuedAt, identifier: record.identifier))
                }
                if Self.makesTokens(record) {
                    state.minters.insert(record.identifier)
                } else {
                    state.minters.remove(record.identifier)
                }
            }
            entryCount.store(state.entries.count, ordering: .relaxed)
        }
        changes.call()
    }

    /// Puts these records in force and no others, all at once; uses of those that stay are kept.
    package func replace(with records: [ServiceTokenRecord]) {
        state.withLock { state in
            var next = State()
            for record in records where next.entries[record.identifier] == nil {
                let uses =
                    state.entries[record.identifier]?.uses
                    ?? CredentialUses(count: record.useCount, lastUsedAt: record.lastUsedAt)
                next.entries[record.identifier] = Entry(record: record, uses: uses)
                next.families[record.family, default: []].append(record.identifier)
                next.order.insert(CredentialPosition(issuedAt: record.issuedAt, identifier: record.identifier))
                if Self.makesTokens(record) { next.minters.insert(record.identifier) }
            }
            state = next
            entryCount.store(state.entries.count, ordering: .relaxed)
        }
        changes.call()
    }

    /// Every record in no order; their use counters are those of the last load.
    package var records: [ServiceTokenRecord] { state.withLock { $0.entries.values.map(\.record) } }

    /// Every token, the newest first.
    package var newestFirst: [Entry] {
        state.withLock { state in state.order.positions.reversed().compactMap { state.entries[$0.identifier] } }
    }

    /// The tokens of a rotation chain, in the order in which they came.
    package func family(_ family: String) -> [Entry] {
        state.withLock { state in (state.families[family] ?? []).compactMap { state.entries[$0] } }
    }

    /// Whether an active token may make tokens (`admin:tokens:write`).
    package func hasActiveMinter(at now: Timestamp) -> Bool {
        state.withLock { state in
            state.minters.contains { state.entries[$0]?.record.status(at: now) == .active }
        }
    }

    /// Takes the uses since the last call.
    package func drainUses() -> [CredentialUse] {
        let entries = state.withLock { Array($0.entries.values) }
        return entries.compactMap { entry in entry.uses.drain(identifier: entry.record.identifier) }
    }

    /// Gives back uses that could not be written.
    package func restore(_ uses: [CredentialUse]) {
        for use in uses { entry(use.identifier)?.uses.restore(use) }
    }

    /// Adds uses that somebody else has counted, of tokens that fit; others are passed over.
    package func take(_ uses: [CredentialUse], where fits: (ServiceTokenRecord) -> Bool) {
        for use in uses {
            guard let entry = entry(use.identifier), fits(entry.record) else { continue }
            entry.uses.take(use)
        }
    }

    private static func makesTokens(_ record: ServiceTokenRecord) -> Bool {
        record.scopes.contains("admin:tokens:write") || record.scopes.contains("admin:tokens:*")
    }
}
