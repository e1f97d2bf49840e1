// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
internal import Logging

/// A change was computed from a record that is not the store's any more.
private struct StaleRecord: Error {
    let fault: APIKeyStoreError
}

// MARK: - Changes

extension APIKeyRegistry {
    /// How often a change is computed anew because somebody else changed the same record.
    private static let attempts = 8
    /// How many changes of a record are written again at the most.
    private static let restorable: Int64 = 1000

    /// Runs a change while no other of the same chain runs here. Where others write too it begins with what the store has, and again when
    /// somebody was faster.
    ///
    /// - Parameter body: throws a refusal, or what `store` throws.
    func changing<Value>(
        family: String, _ body: () async throws -> Value
    ) async throws(Refusal) -> Value {
        try await locks.withLock(family) { () throws(Refusal) in
            if isShared { try await bringUp(.family(family)) }
            var stale = APIKeyStoreError(.conflict, "The record kept changing")
            for _ in 0..<Self.attempts {
                do {
                    return try await body()
                } catch let refusal as Refusal {
                    throw refusal
                } catch let error as StaleRecord {
                    stale = error.fault
                    try await bringUp(.family(family))
                } catch {
                    stale = APIKeyStoreError(.unavailable, "The change failed", cause: error)
                    break
                }
            }
            throw unavailable(stale)
        }
    }

    /// Durable first, then in force.
    ///
    /// - Throws: a refusal, or what makes `changing` try again.
    func store(
        _ changes: [APIKeyChange], limit: APIKeyLimit? = nil, allowance: APIKeyAllowance? = nil
    ) async throws {
        do throws(APIKeyStoreError) {
            try await store.write(changes, limit: limit)
        } catch {
            if case .limitReached(let current) = error.code, let allowance, let limit {
                throw Self.limitReached(limit.limit, current: current, allowance)
            }
            guard error.code == .conflict || error.code == .notFound else { throw unavailable(error) }
            throw StaleRecord(fault: error)
        }
        var records: [APIKeyRecord] = []
        var owners: [APIKeyOwner] = []
        for change in changes {
            switch change {
            case .insert(let record), .update(let record): records.append(record)
            case .owner(let owner): owners.append(owner)
            }
        }
        for owner in owners { table.note(owner, isStored: true) }
        table.put(records, owners: owners)
        heard()
    }

    /// Stores new records, which nobody can have changed.
    func commit(
        _ changes: [APIKeyChange], limit: APIKeyLimit?, allowance: APIKeyAllowance
    ) async throws(Refusal) {
        do {
            try await store(changes, limit: limit, allowance: allowance)
        } catch let refusal as Refusal {
            throw refusal
        } catch {
            throw unavailable(APIKeyStoreError(.conflict, "A new record is in the way of itself", cause: error))
        }
    }

    private func unavailable(_ error: APIKeyStoreError) -> Refusal {
        logger.error(
            "The key store did not do its work", metadata: [LogKeys.error: .string(String(describing: error))])
        return Refusal(.authStoreUnavailable, retryAfterSeconds: 1)
    }

    /// Where nobody else writes, every answer of the store says that the table is right.
    func heard() { if !isShared { table.heard(at: clock.now()) } }
}

// MARK: - What others change

extension APIKeyRegistry {
    /// Brings the table to what the store has.
    func readAll() async throws(APIKeyStoreError) {
        let mark = table.mark
        let (records, owners) = try await store.load()
        table.bring(nil, to: records, owners: owners, readAfter: mark)
        try await restore(over: records)
    }

    /// A database that goes on without its last commits, as a standby may, is given again what was acknowledged: a revocation stays one.
    private func restore(over stored: [APIKeyRecord]) async throws(APIKeyStoreError) {
        guard isShared else { return }
        for old in stored {
            guard let known = table.entry(old.id)?.record, known.revision > old.revision,
                known.revision - old.revision <= Self.restorable
            else { continue }
            let changes = (old.revision + 1...known.revision).map { revision -> APIKeyChange in
                var record = known
                record.revision = revision
                return .update(record)
            }
            do throws(APIKeyStoreError) {
                try await store.write(changes, limit: nil)
                logger.warning(
                    "the store had lost a change, which is written again",
                    metadata: ["key": "\(old.id)", "revision": "\(known.revision)"])
            } catch {
                // Somebody was faster, or it was this replica's own write that had just come about.
                guard error.code == .conflict || error.code == .notFound else { throw error }
            }
        }
    }

    /// Brings the table to what the store has of a selection, the owners included; older records change nothing.
    private func read(_ selection: CredentialSelection) async throws(APIKeyStoreError) {
        let mark = table.mark
        let records = try await store.records(selection)
        // A key without its owner's roles would have those that nobody stated.
        let owners = try await store.owners(Array(Set(records.map(\.owner))))
        var asked: [String] = []
        if case .identifiers(let ids) = selection { asked = ids }
        table.bring(asked, to: records, owners: owners, readAfter: mark)
        try await restore(over: records)
    }

    private func readOwners(_ identities: [APIKeyOwner.Identity]) async throws(APIKeyStoreError) {
        let mark = table.mark
        table.bring([], to: [], owners: try await store.owners(identities), readAfter: mark)
    }

    /// Where others write too, brings a selection up to date before something is decided on it.
    ///
    /// - Throws: `auth.store_unavailable`.
    func bringUp(_ selection: CredentialSelection) async throws(Refusal) {
        do throws(APIKeyStoreError) {
            try await read(selection)
        } catch {
            throw unavailable(error)
        }
    }
}

extension APIKeyRegistry: FollowedBook {
    package var kinds: Set<StoreChange.Kind> { [.apiKey, .apiKeyOwner] }

    package func reload() async throws(FollowError) {
        try await following { () throws(APIKeyStoreError) in try await readAll() }
    }

    package func refresh(_ kind: StoreChange.Kind, _ keys: [String]) async throws(FollowError) {
        try await following { () throws(APIKeyStoreError) in
            if kind == .apiKeyOwner {
                try await readOwners(keys.compactMap { APIKeyOwner.Identity(changeKey: $0) })
            } else {
                try await read(.identifiers(keys))
            }
        }
    }

    package func withdraw(_ kind: StoreChange.Kind, _ key: String) {
        if kind == .apiKeyOwner {
            guard let identity = APIKeyOwner.Identity(changeKey: key) else { return }
            for id in table.keys(of: identity) { withdraw(.apiKey, id) }
        } else {
            table.bring([key], to: [], owners: [], readAfter: table.mark)
        }
    }

    private func following(_ body: () async throws(APIKeyStoreError) -> Void) async throws(FollowError) {
        do throws(APIKeyStoreError) {
            try await body()
        } catch {
            throw FollowError(error.code == .corrupt ? .corrupt : .unavailable, "API keys cannot be read", cause: error)
        }
    }
}
