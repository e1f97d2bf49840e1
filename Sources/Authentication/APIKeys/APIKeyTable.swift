// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
internal import Synchronization

/// Every API key with the present roles of its owner, held in memory for the request path: a look-up takes one short lock and one hash.
package final class APIKeyTable: Sendable {
    /// A key as the request path needs it. Replaced as a whole when its record or its owner's roles change.
    package final class Entry: Sendable {
        /// The record; its use counters are those of the last load.
        package let record: APIKeyRecord
        /// Made once.
        package let principal: Principal
        let allowed: [CIDR]
        let uses: CredentialUses
        let usage: APIKeyUsageCounter
        /// The table's mark when the record was put in.
        fileprivate let mark: UInt64

        fileprivate init(
            record: APIKeyRecord, roles: [String], uses: CredentialUses, usage: APIKeyUsageCounter, mark: UInt64
        ) {
            self.record = record
            self.mark = mark
            principal = record.principal(roles: roles)
            // A record with an unreadable block is refused where it is read; here it could only match nothing.
            allowed = record.allowedCIDRs.compactMap { CIDR($0) }
            self.uses = uses
            self.usage = usage
        }

        /// The record with its counters as they are now.
        package var current: APIKeyRecord {
            var record = record
            (record.useCount, record.lastUsedAt) = uses.total
            return record
        }

        /// Counts a use.
        func used(at now: Timestamp, from address: IPAddress?) { uses.add(at: now, from: address) }

        /// The requests that are not written yet.
        var unwrittenUsage: [APIKeyUsageRow] { usage.rows(id: record.id, tenantID: record.tenantID) }
    }

    private struct Owner: Sendable {
        var roles: [String]
        var keys: [String] = []
        /// Whether the store does not have these roles yet.
        var isChanged = false
        /// Whether they are on their way to the store.
        var isWriting = false
        /// The table's mark when this replica changed them.
        var mark: UInt64 = 0
    }

    private struct State: Sendable {
        var entries: [String: Entry] = [:]
        var order = CredentialOrder()
        /// The ids of each rotation chain.
        var families: [String: [String]] = [:]
        var owners: [APIKeyOwner.Identity: Owner] = [:]
        /// Counts what was put in.
        var mark: UInt64 = 0
    }

    private let state = Mutex(State())
    private let heardAt: Atomic<Int64>
    private let entryCount = Atomic<Int>(0)
    /// Owners in all, and those that are service tokens: nobody is looked up while there is none.
    private let ownerCount = Atomic<Int>(0)
    private let tokenOwnerCount = Atomic<Int>(0)
    /// Called when roles changed that the store does not have yet.
    let ownersChanged = Signal()

    /// Told of every change of what is in force; uses are none.
    package let changes = ChangeHook()

    /// An empty table that has heard from the store just now; by default one that needs no store.
    package init(heardAt now: Timestamp = .latest) { heardAt = Atomic(now.microseconds) }

    /// Notes that the store answered.
    package func heard(at now: Timestamp) { heardAt.store(now.microseconds, ordering: .relaxed) }

    /// Whether the store was heard of within 60 s.
    package func isFresh(at now: Timestamp) -> Bool {
        now.microseconds - heardAt.load(ordering: .relaxed) <= ServiceTokenTable.freshForSeconds * 1_000_000
    }

    /// The number of records, whatever their state.
    package var count: Int { entryCount.load(ordering: .relaxed) }

    /// The key of that id.
    package func entry(_ id: String) -> Entry? { state.withLock { $0.entries[id] } }

    /// Every key, the newest first.
    package var newestFirst: [Entry] {
        state.withLock { state in state.order.positions.reversed().compactMap { state.entries[$0.identifier] } }
    }

    /// The keys of a rotation chain, in the order in which they came.
    package func family(_ family: String) -> [Entry] {
        state.withLock { state in (state.families[family] ?? []).compactMap { state.entries[$0] } }
    }

    /// Puts records in force, new ones or changed ones, all at once. A record that is older than the known one changes nothing.
    ///
    /// - Parameter owners: roles that the store has, for owners of whom nothing newer is known.
    package func put(_ records: [APIKeyRecord], owners: [APIKeyOwner] = []) {
        state.withLock { state in
            state.mark += 1
            for owner in owners where state.owners[owner.identity] == nil {
                state.owners[owner.identity] = Owner(roles: owner.roles, mark: state.mark)
            }
            for record in records { Self.put(record, &state) }
            entryCount.store(state.entries.count, ordering: .relaxed)
            countOwners(state)
        }
        changes.call()
    }

    /// Puts these records and owners in force and no others, all at once; uses of keys that stay are kept. Where a record is older than the
    /// known one, that one stays: whoever tells of them may not have heard of everything yet.
    package func replace(with records: [APIKeyRecord], owners: [APIKeyOwner]) {
        state.withLock { state in
            let known = state.entries
            state = State(mark: state.mark + 1)
            for owner in owners { state.owners[owner.identity] = Owner(roles: owner.roles) }
            for record in records {
                if let entry = known[record.id], state.entries[record.id] == nil {
                    let roles = state.owners[record.owner]?.roles ?? []
                    Self.put(
                        Entry(
                            record: entry.record, roles: roles, uses: entry.uses, usage: entry.usage, mark: state.mark),
                        &state)
                }
                Self.put(record, &state)
            }
            entryCount.store(state.entries.count, ordering: .relaxed)
            countOwners(state)
        }
        changes.call()
    }

    /// Every record in no order with the present roles of its owner; use counters are those of the last load.
    package var records: [(record: APIKeyRecord, roles: [String])] {
        state.withLock { $0.entries.values.map { ($0.record, $0.principal.roles) } }
    }

    private static func put(_ record: APIKeyRecord, _ state: inout State) {
        let known = state.entries[record.id]
        if let known {
            known.uses.adopt(count: record.useCount, lastUsedAt: record.lastUsedAt)
            guard known.record.revision < record.revision else { return }
        }
        let roles = state.owners[record.owner]?.roles ?? []
        put(
            Entry(
                record: record, roles: roles,
                uses: known?.uses ?? CredentialUses(count: record.useCount, lastUsedAt: record.lastUsedAt),
                usage: known?.usage ?? APIKeyUsageCounter(), mark: state.mark), &state)
    }

    private static func put(_ entry: Entry, _ state: inout State) {
        let record = entry.record
        guard state.entries.updateValue(entry, forKey: record.id) == nil else { return }
        state.families[record.family, default: []].append(record.id)
        state.order.insert(CredentialPosition(issuedAt: record.issuedAt, identifier: record.id))
        state.owners[record.owner, default: Owner(roles: [])].keys.append(record.id)
    }

    /// Where the table stands: whoever reads the store afterwards knows what was put in meanwhile.
    var mark: UInt64 { state.withLock(\.mark) }

    /// Brings keys to what was read from the store: what it does not have is dropped, unless it was put in after the mark.
    ///
    /// - Parameters:
    ///   - ids: which were asked for; nil = all.
    ///   - owners: the roles that the store has; those that this replica changed since stay.
    func bring(_ ids: [String]?, to records: [APIKeyRecord], owners: [APIKeyOwner], readAfter mark: UInt64) {
        state.withLock { state in
            state.mark += 1
            for owner in owners { Self.bring(owner, readAfter: mark, &state) }
            let found = Set(records.map(\.id))
            for id in ids ?? Array(state.entries.keys) where !found.contains(id) {
                guard let entry = state.entries[id], entry.mark <= mark else { continue }
                Self.drop(entry.record, &state)
            }
            for record in records { Self.put(record, &state) }
            entryCount.store(state.entries.count, ordering: .relaxed)
            countOwners(state)
        }
        changes.call()
    }

    private static func bring(_ owner: APIKeyOwner, readAfter mark: UInt64, _ state: inout State) {
        guard let known = state.owners[owner.identity] else {
            state.owners[owner.identity] = Owner(roles: owner.roles)
            return
        }
        guard !known.isChanged, !known.isWriting, known.mark <= mark, known.roles != owner.roles else { return }
        give(owner, &state)
    }

    /// The owner's keys have these roles from now on.
    private static func give(_ owner: APIKeyOwner, _ state: inout State) {
        state.owners[owner.identity]?.roles = owner.roles
        for id in state.owners[owner.identity]?.keys ?? [] {
            guard let entry = state.entries[id] else { continue }
            state.entries[id] = Entry(
                record: entry.record, roles: owner.roles, uses: entry.uses, usage: entry.usage, mark: entry.mark)
        }
    }

    private static func drop(_ record: APIKeyRecord, _ state: inout State) {
        let id = record.id
        state.entries[id] = nil
        state.families[record.family]?.removeAll { $0 == id }
        if state.families[record.family]?.isEmpty == true { state.families[record.family] = nil }
        state.order.remove(CredentialPosition(issuedAt: record.issuedAt, identifier: id))
        state.owners[record.owner]?.keys.removeAll { $0 == id }
    }

    private func countOwners(_ state: borrowing State) {
        ownerCount.store(state.owners.count, ordering: .relaxed)
        let tokens = state.owners.keys.count { $0.issuer == APIKeyOwner.Identity.serviceTokens }
        tokenOwnerCount.store(tokens, ordering: .relaxed)
    }
}

// MARK: - Owners

extension APIKeyTable {
    /// Takes notice of the roles of a verified caller: when somebody who owns keys has others than before, the keys have them at once.
    package func note(_ principal: Principal) {
        let owners =
            principal.authSource == .serviceToken
            ? tokenOwnerCount.load(ordering: .relaxed) : ownerCount.load(ordering: .relaxed)
        guard owners > 0 else { return }
        note(APIKeyOwner(identity: APIKeyOwner.Identity(of: principal), roles: principal.roles))
    }

    /// Takes notice of the roles of somebody who may own keys.
    ///
    /// - Parameter isStored: whether the store has them already.
    package func note(_ owner: APIKeyOwner, isStored: Bool = false) {
        let (isNews, isChange) = state.withLock { state -> (Bool, Bool) in
            guard let known = state.owners[owner.identity], isStored || known.roles != owner.roles else {
                return (false, false)
            }
            state.mark += 1
            state.owners[owner.identity]?.mark = state.mark
            state.owners[owner.identity]?.isChanged = !isStored
            let isChange = known.roles != owner.roles
            if isChange { Self.give(owner, &state) }
            return (!isStored, isChange)
        }
        if isNews { ownersChanged.call() }
        if isChange { changes.call() }
    }

    /// The present roles of an owner of keys.
    package func roles(of owner: APIKeyOwner.Identity) -> [String] {
        state.withLock { $0.owners[owner]?.roles ?? [] }
    }

    /// The keys of an owner.
    func keys(of owner: APIKeyOwner.Identity) -> [String] { state.withLock { $0.owners[owner]?.keys ?? [] } }

    /// Takes the owners whose roles the store does not have.
    func drainOwners() -> [APIKeyOwner] {
        state.withLock { state in
            let changed = state.owners.filter(\.value.isChanged)
            for identity in changed.keys {
                state.owners[identity]?.isChanged = false
                state.owners[identity]?.isWriting = true
            }
            return changed.map { APIKeyOwner(identity: $0.key, roles: $0.value.roles) }
        }
    }

    /// The store has these now.
    func stored(_ owners: [APIKeyOwner]) {
        state.withLock { state in
            state.mark += 1
            for owner in owners {
                state.owners[owner.identity]?.isWriting = false
                state.owners[owner.identity]?.mark = state.mark
            }
        }
    }

    /// Gives back owners that could not be written.
    func restore(_ owners: [APIKeyOwner]) {
        state.withLock { state in
            for owner in owners {
                state.owners[owner.identity]?.isWriting = false
                state.owners[owner.identity]?.isChanged = true
            }
        }
    }
}

// MARK: - Counters

extension APIKeyTable {
    /// Counts a decision about a request with that key.
    package func decided(_ id: String, status: Int, at now: Timestamp) {
        entry(id)?.usage.add(status: status, at: now)
    }

    /// Adds uses that somebody else has counted, of keys that fit; others are passed over.
    package func take(_ uses: [CredentialUse], where fits: (APIKeyRecord) -> Bool) {
        for use in uses {
            guard let entry = entry(use.identifier), fits(entry.record) else { continue }
            entry.uses.take(use)
        }
    }

    /// Adds counts of requests that somebody else has made.
    package func take(_ rows: [APIKeyUsageRow], where fits: (APIKeyRecord) -> Bool) {
        for row in rows {
            guard let entry = entry(row.id), fits(entry.record) else { continue }
            entry.usage.restore(row)
        }
    }

    /// Takes the uses since the last call.
    func drainUses() -> [CredentialUse] {
        let entries = state.withLock { Array($0.entries.values) }
        return entries.compactMap { entry in entry.uses.drain(identifier: entry.record.id) }
    }

    /// Gives back uses that could not be written.
    func restore(_ uses: [CredentialUse]) {
        for use in uses { entry(use.identifier)?.uses.restore(use) }
    }

    /// Takes the counts of requests since the last call.
    func drainUsage() -> [APIKeyUsageRow] {
        let entries = state.withLock { Array($0.entries.values) }
        return entries.flatMap { $0.usage.drain(id: $0.record.id, tenantID: $0.record.tenantID) }
    }

    /// Gives back counts that could not be written.
    func restore(_ rows: [APIKeyUsageRow]) {
        for row in rows { entry(row.id)?.usage.restore(row) }
    }
}
