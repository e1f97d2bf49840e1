// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Authorization
internal import Essentials
internal import Logging
internal import Metrics
internal import MetricsTestKit
internal import Synchronization
internal import TestSupport
internal import Testing

/// What one process holds in memory of a shared database, and its reader.
final class FakeReplica: Sendable {
    let tokens: ServiceTokenRegistry
    let keys: APIKeyRegistry
    let keeper: APIKeyKeeper
    let projects: ProjectRegistry
    let follower: ChangeFollower
    /// The highest revision that was seen in force here, and what was seen revoked.
    private let seen = Mutex<(revisions: [String: Int64], revoked: Set<String>)>(([:], []))

    static let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    init(_ shared: FakeSharedStore, clock: ManualMonotonicClock, random: SeededRandom) {
        let wall = shared.clock
        let metrics = NOOPMetricsHandler.instance
        tokens = ServiceTokenRegistry(
            table: ServiceTokenTable(heardAt: Timestamp(seconds: 0)), store: SharedTokens(shared: shared), clock: wall,
            random: random, logger: Self.logger, isShared: true)
        keys = APIKeyRegistry(
            table: APIKeyTable(heardAt: Timestamp(seconds: 0)), store: SharedKeys(shared: shared),
            prefixes: TokenPrefixes(),
            rules: APIKeyRules(catalogue: { APIKeyCatalogue() }) { _, _ in
                APIKeyAllowance(plan: "pro", limit: nil) { _ in .null }
            }, clock: wall, random: random, logger: Self.logger, isShared: true)
        keeper = APIKeyKeeper(registry: keys, metricsFactory: metrics)
        let table = PublishedShares()
        shares = table
        projects = ProjectRegistry(
            store: SharedProjects(shared: shared), clock: wall, random: random, publish: { table.put($0) },
            report: { _ in })
        follower = ChangeFollower(
            ChangeFollower.Parts(
                feed: shared, signals: [], books: [tokens, keys, projects],
                heard: { [tokens, keys] now in
                    tokens.table.heard(at: now)
                    keys.table.heard(at: now)
                }), wall: wall, clock: clock, logger: Self.logger, metricsFactory: metrics)
    }

    private let shares: PublishedShares
    var shareTable: ShareTable { shares.table }
    var hasStarted: Bool { follower.status.heardAt != nil }

    /// Nothing goes back: neither a revision nor a revocation, and nothing vanishes.
    func check(_ place: String) {
        let records = tokens.table.newestFirst.map { ($0.record.identifier, $0.record.revision, $0.record.revokedAt) }
        let keyRecords = keys.table.newestFirst.map { ($0.record.id, $0.record.revision, $0.record.revokedAt) }
        seen.withLock { seen in
            var present: Set<String> = []
            for (id, revision, revokedAt) in records + keyRecords {
                present.insert(id)
                #expect(revision >= seen.revisions[id] ?? 0, "\(place): \(id) went back")
                #expect(revokedAt != nil || !seen.revoked.contains(id), "\(place): \(id) came back to life")
                seen.revisions[id] = revision
                if revokedAt != nil { seen.revoked.insert(id) }
            }
            let gone = Set(seen.revisions.keys).subtracting(present)
            #expect(gone.isEmpty, "\(place): \(gone) vanished")
        }
    }
}

/// The shares that a registry put in force last.
final class PublishedShares: Sendable {
    private let state = Mutex(ShareTable.empty)
    var table: ShareTable { state.withLock(\.self) }
    func put(_ table: ShareTable) { state.withLock { $0 = table } }
}
