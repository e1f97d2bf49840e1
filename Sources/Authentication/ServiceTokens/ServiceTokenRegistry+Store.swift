// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
internal import Logging

/// A change was computed from a record that is not the store's any more.
private struct StaleRecord: Error {
    let fault: ServiceTokenStoreError
}

// MARK: - Changes

extension ServiceTokenRegistry {
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
            var stale = ServiceTokenStoreError(.conflict, "The record kept changing")
            for _ in 0..<Self.attempts {
                do {
                    return try await body()
                } catch let refusal as Refusal {
                    throw refusal
                } catch let error as StaleRecord {
                    stale = error.fault
                    try await bringUp(.family(family))
                } catch {
                    stale = ServiceTokenStoreError(.unavailable, "The change failed", cause: error)
                    break
                }
            }
            throw unavailable(stale)
        }
    }

    /// Durable first, then in force.
    ///
    /// - Throws: a refusal, or what makes `changing` try again.
    func store(_ changes: [ServiceTokenChange]) async throws {
        do throws(ServiceTokenStoreError) {
            try await store.write(changes)
        } catch {
            guard error.code == .conflict || error.code == .notFound else { throw refusal(for: error, changes) }
            throw StaleRecord(fault: error)
        }
        table.put(
            changes.map { change in
                switch change {
                case .insert(let record), .update(let record): record
                }
            })
        heard()
    }

    /// Stores new records, which nobody can have changed.
    func commit(_ changes: [ServiceTokenChange]) async throws(Refusal) {
        do {
            try await store(changes)
        } catch let refusal as Refusal {
            throw refusal
        } catch {
            throw unavailable(ServiceTokenStoreError(.conflict, "A new record is in the way of itself", cause: error))
        }
    }

    /// Where nobody else writes, every answer of the store says that the table is right.
    func heard() { if !isShared { table.heard(at: clock.now()) } }
}

// MARK: - What others change

extension ServiceTokenRegistry {
    /// Brings the table to what the store has of a selection; older records change nothing.
    func read(_ selection: CredentialSelection) async throws(ServiceTokenStoreError) {
        let mark = table.mark
        let records = try await store.serviceTokens(selection)
        switch selection {
        case .all: table.bring(nil, to: records, readAfter: mark)
        case .identifiers(let identifiers): table.bring(identifiers, to: records, readAfter: mark)
        case .family: table.put(records)
        }
        if isShared { try await restore(over: records) }
    }

    /// A database that goes on without its last commits, as a standby may, is given again what was acknowledged: a revocation stays one.
    private func restore(over stored: [ServiceTokenRecord]) async throws(ServiceTokenStoreError) {
        for old in stored {
            guard let known = table.entry(old.identifier)?.record, known.revision > old.revision,
                known.revision - old.revision <= Self.restorable
            else { continue }
            let changes = (old.revision + 1...known.revision).map { revision -> ServiceTokenChange in
                var record = known
                record.revision = revision
                return .update(record)
            }
            do throws(ServiceTokenStoreError) {
                try await store.write(changes)
                logger.warning(
                    "the store had lost a change, which is written again",
                    metadata: ["identifier": "\(old.identifier)", "revision": "\(known.revision)"])
            } catch {
                // Somebody was faster, or it was this replica's own write that had just come about.
                guard error.code == .conflict || error.code == .notFound else { throw error }
            }
        }
    }

    /// Where others write too, brings a selection up to date before something is decided on it.
    ///
    /// - Throws: `auth.store_unavailable`.
    package func bringUp(_ selection: CredentialSelection) async throws(Refusal) {
        do throws(ServiceTokenStoreError) {
            try await read(selection)
        } catch {
            throw unavailable(error)
        }
    }
}

extension ServiceTokenRegistry: FollowedBook {
    package var kinds: Set<StoreChange.Kind> { [.serviceToken] }

    package func reload() async throws(FollowError) {
        try await following { () throws(ServiceTokenStoreError) in try await read(.all) }
    }

    package func refresh(_ kind: StoreChange.Kind, _ keys: [String]) async throws(FollowError) {
        try await following { () throws(ServiceTokenStoreError) in try await read(.identifiers(keys)) }
    }

    package func withdraw(_ kind: StoreChange.Kind, _ key: String) {
        table.bring([key], to: [], readAfter: table.mark)
    }

    private func following(_ body: () async throws(ServiceTokenStoreError) -> Void) async throws(FollowError) {
        do throws(ServiceTokenStoreError) {
            try await body()
        } catch {
            throw FollowError(
                error.code == .corrupt ? .corrupt : .unavailable, "Service tokens cannot be read", cause: error)
        }
    }
}
