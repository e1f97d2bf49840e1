// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
internal import Synchronization

/// Projects and the shares between them. A change is durable in the store before it is in force, and in force before it is answered: once
/// `revoke` has returned, no request that begins is let through by the share.
///
/// Bounds, per tenant: 10 000 projects; per project 10 000 pending or accepted shares given and as many received. Of declined and revoked
/// shares the newest 10 000 that a project gave are kept.
package final class ProjectRegistry: Sendable {
    /// How many there may be.
    package struct Limits: Sendable {
        package var projectsOfTenant: Int
        package var sharesOfSide: Int

        package init(projectsOfTenant: Int = 10_000, sharesOfSide: Int = 10_000) {
            self.projectsOfTenant = projectsOfTenant
            self.sharesOfSide = sharesOfSide
        }
    }

    let store: any ProjectStore
    let clock: any WallClock
    let random: any RandomSource
    let limits: Limits
    private let publish: @Sendable (ShareTable) -> Void
    private let report: @Sendable (ProjectStoreError) -> Void
    private let changes = SerialLock()
    private let index = Mutex(ShareIndex())

    /// - Parameters:
    ///   - publish: puts a table in force before it returns.
    ///   - report: tells an operator of a store that failed.
    package init(
        store: any ProjectStore, clock: any WallClock, random: any RandomSource, limits: Limits = Limits(),
        publish: @escaping @Sendable (ShareTable) -> Void, report: @escaping @Sendable (ProjectStoreError) -> Void
    ) {
        self.store = store
        self.clock = clock
        self.random = random
        self.limits = limits
        self.publish = publish
        self.report = report
    }

    /// Puts the stored shares in force, in the place of whatever was. Called before anything is asked.
    package func load() async throws(ProjectStoreError) {
        try await changes.withLock { () throws(ProjectStoreError) in
            let accepted = try await store.acceptedShares()
            let now = clock.now()
            publish(
                index.withLock { index in
                    index = ShareIndex()
                    for record in accepted { index.put(record, at: now) }
                    return index.table
                })
        }
    }

    /// Brings shares to what the store has. No change of this replica runs meanwhile, so what is read is the newest.
    private func read(_ ids: [String]) async throws(ProjectStoreError) {
        try await changes.withLock { () throws(ProjectStoreError) in
            let found = try await store.shares(ids: ids)
            let gone = Set(ids).subtracting(found.map(\.id))
            let now = clock.now()
            publish(
                index.withLock { index in
                    for id in gone { index.remove(id, at: now) }
                    // What ended makes room for what came in its place.
                    for record in found where !record.counts(at: now) { index.put(record, at: now) }
                    for record in found where record.counts(at: now) { index.put(record, at: now) }
                    return index.table
                })
        }
    }

    /// How often a change is computed anew because another process changed the same record.
    private static let maximumTries = 8

    /// Computes changes from what is stored, stores them, puts them in force. One at a time.
    ///
    /// - Throws: what the body throws; `auth.store_unavailable`.
    func change<Outcome>(
        _ body: () async throws(ChangeFault) -> (changes: [ProjectChange], outcome: Outcome)
    ) async throws(Refusal) -> Outcome {
        try await changes.withLock { () throws(Refusal) in
            var lastFault = ProjectStoreError(.conflict, "The record kept changing")
            for _ in 0..<Self.maximumTries {
                do throws(ChangeFault) {
                    let (changes, outcome) = try await body()
                    guard !changes.isEmpty else { return outcome }
                    do throws(ProjectStoreError) {
                        try await store.write(changes)
                    } catch {
                        throw .store(error)
                    }
                    putInForce(changes.compactMap(\.share))
                    return outcome
                } catch {
                    switch error {
                    case .refused(let refusal): throw refusal
                    // What was read is no longer so: read again, and say what is true now.
                    case .store(let fault) where [.conflict, .exists, .notFound].contains(fault.code): lastFault = fault
                    case .store(let fault): throw unavailable(fault)
                    }
                }
            }
            throw unavailable(lastFault)
        }
    }

    /// Reads; a store that fails is a refusal.
    func read<Value>(_ body: () async throws(ProjectStoreError) -> Value) async throws(Refusal) -> Value {
        do throws(ProjectStoreError) {
            return try await body()
        } catch {
            throw unavailable(error)
        }
    }

    private func putInForce(_ records: [ProjectResourceAccess]) {
        guard !records.isEmpty else { return }
        let now = clock.now()
        let table = index.withLock { index in
            for record in records { index.put(record, at: now) }
            return index.table
        }
        publish(table)
    }

    private func unavailable(_ fault: ProjectStoreError) -> Refusal {
        report(fault)
        return Refusal(.authStoreUnavailable, message: "Project store unavailable", retryAfterSeconds: 1)
    }
}

extension ProjectRegistry: FollowedBook {
    package var kinds: Set<StoreChange.Kind> { [.share] }

    package func reload() async throws(FollowError) {
        try await following { () throws(ProjectStoreError) in try await load() }
    }

    package func refresh(_ kind: StoreChange.Kind, _ keys: [String]) async throws(FollowError) {
        try await following { () throws(ProjectStoreError) in try await read(keys) }
    }

    package func withdraw(_ kind: StoreChange.Kind, _ key: String) {
        let now = clock.now()
        publish(
            index.withLock { index in
                index.remove(key, at: now)
                return index.table
            })
    }

    private func following(_ body: () async throws(ProjectStoreError) -> Void) async throws(FollowError) {
        do throws(ProjectStoreError) {
            try await body()
        } catch {
            throw FollowError(error.code == .corrupt ? .corrupt : .unavailable, "Shares cannot be read", cause: error)
        }
    }
}

/// Why a change was not computed.
enum ChangeFault: Error {
    case refused(Refusal)
    case store(ProjectStoreError)
}

extension ProjectChange {
    /// The share that is stored with it.
    fileprivate var share: ProjectResourceAccess? {
        switch self {
        case .insertShare(let share), .updateShare(let share): share
        default: nil
        }
    }
}
