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
        /// The table's mark when it was put in.
        fileprivate let mark: UInt64

        fileprivate init(record: ServiceTokenRecord, uses: CredentialUses, mark: UInt64) {
            self.record = record
            self.mark = mark
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
        /// Counts what was put in.
        var mark: UInt64 = 0
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

    /// Puts records in force, new ones or changed ones, all at once. A record that is older than the known one changes nothing.
    package func put(_ records: [ServiceTokenRecord]) {
        state.withLock { state in
            state.mark += 1
            for record in records { Self.put(record, &state) }
            entryCount.store(state.entries.count, ordering: .relaxed)
        }
        changes.call()
    }

    private static func put(_ record: ServiceTokenRecord, _ state: inout State) {
        let known = state.entries[record.identifier]
        if let known {
            known.uses.adopt(count: record.useCount, lastUsedAt: record.lastUsedAt)
            guard known.record.revision < record.revision else { return }
        }
        let uses = known?.uses ?? CredentialUses(count: record.useCount, lastUsedAt: record.lastUsedAt)
        put(Entry(record: record, uses: uses, mark: state.mark), &state)
    }

    private static func put(_ entry: Entry, _ state: inout State) {
        let record = entry.record
        let isNew = state.entries.updateValue(entry, forKey: record.identifier) == nil
        if isNew {
            state.families[record.family, default: []].append(record.identifier)
            state.order.insert(CredentialPosition(issuedAt: record.issuedAt, identifier: record.identifier))
        }
        if makesTokens(record) {
            state.minters.insert(record.identifier)
        } else {
            state.minters.remove(record.identifier)
        }
    }

    /// Where the table stands: whoever reads the store afterwards knows what was put in meanwhile.
    var mark: UInt64 { state.withLock(\.mark) }

    /// Brings tokens to what was read from the store: what it does not have is dropped, unless it was put in after the mark.
    ///
    /// - Parameter identifiers: which were asked for; nil = all.
    func bring(_ identifiers: [String]?, to records: [ServiceTokenRecord], readAfter mark: UInt64) {
        state.withLock { state in
            state.mark += 1
            let found = Set(records.map(\.identifier))
            for identifier in identifiers ?? Array(state.entries.keys) where !found.contains(identifier) {
                guard let entry = state.entries[identifier], entry.mark <= mark else { continue }
                Self.drop(entry.record, &state)
            }
            for record in records { Self.put(record, &state) }
            entryCount.store(state.entries.count, ordering: .relaxed)
        }
        changes.call()
    }

    private static func drop(_ record: ServiceTokenRecord, _ state: inout State) {
        let identifier = record.identifier
        state.entries[identifier] = nil
        state.families[record.family]?.removeAll { $0 == identifier }
        if state.families[record.family]?.isEmpty == true { state.families[record.family] = nil }
        state.order.remove(CredentialPosition(issuedAt: record.issuedAt, identifier: identifier))
        state.minters.remove(identifier)
    }

    /// Puts these records in force and no others, all at once; uses of those that stay are kept. Where a record is older than the known
    /// one, that one stays: whoever tells of them may not have heard of everything yet.
    package func replace(with records: [ServiceTokenRecord]) {
        state.withLock { state in
            let known = state.entries
            state = State(mark: state.mark + 1)
            for record in records {
                if let entry = known[record.identifier], state.entries[record.identifier] == nil {
                    Self.put(entry, &state)
                }
                Self.put(record, &state)
            }
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
