// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
package import Essentials
package import Metrics
internal import Synchronization

/// What `GET /v1/snapshot` comes to.
package enum SnapshotAnswer: Sendable {
    /// The caller does not have this one.
    case document(WrittenSidecarDocument)
    /// The caller has the one in force; `isClosing` when it should ask somebody else next.
    case unchanged(entityTag: String, isClosing: Bool)
}

/// Answers sidecars: at once where they do not have what is in force, else as soon as it changes.
package final class SnapshotDesk: Sendable {
    /// How long a caller that has what is in force is kept waiting.
    package static let patience = Duration.seconds(30)
    /// How many may wait at once. To one more it is said at once that nothing changed: it asks again by and by.
    package struct Room: Sendable {
        /// All together.
        package var all: Int
        /// Those of one scope, so that one tenant leaves room for the others.
        package var ofScope: Int

        package init(all: Int = 10_000, ofScope: Int = 2000) {
            self.all = all
            self.ofScope = ofScope
        }
    }

    private struct Waiting {
        var count = 0
        var byScope: [SnapshotScope: Int] = [:]
    }

    private let documents: SidecarDocuments
    private let feed: SnapshotFeed
    private let clock: any MonotonicClock
    private let room: Room
    private let waiting = Mutex(Waiting())
    private let waitingGauge: Gauge

    /// - Parameter clock: bounds waits; tests drive it.
    package init(
        _ sources: SidecarDocuments.Sources, room: Room = Room(), clock: any MonotonicClock,
        metricsFactory: any MetricsFactory
    ) {
        self.room = room
        documents = SidecarDocuments(sources)
        let feed = SnapshotFeed(clock: clock)
        self.feed = feed
        self.clock = clock
        waitingGauge = Gauge(label: "tollgate_snapshot_polls_waiting", factory: metricsFactory)
        waitingGauge.record(0)
        sources.snapshots.changes.listen { feed.changed() }
        sources.tokens.changes.listen { feed.changed() }
        sources.keys.changes.listen { feed.changed() }
    }

    /// Wakes those who wait, until it is cancelled. Runs once.
    package func run() async { await feed.run() }

    /// Ends every wait: the process is on its way out.
    package func close() { feed.close() }

    /// How many wait.
    package var waitingCallers: Int { waiting.withLock(\.count) }

    /// The document for AuthConfigs, once it has another tag than those that the caller has.
    ///
    /// - Parameters:
    ///   - tags: of `If-None-Match`; empty = the caller has none and is answered at once.
    ///   - mayStillKnow: asked after a wait, before anything new is given.
    /// - Throws: `decision.not_ready` while nothing is in force or the process ends, `auth.no_config`, `policy.tenant_denied`,
    ///   `auth.store_unavailable`, and what `mayStillKnow` throws.
    package func answer(
        for names: [String], scope: SnapshotScope, tags: Set<String>,
        mayStillKnow: () async throws(Refusal) -> Void = {}
    ) async throws(Refusal) -> SnapshotAnswer {
        guard !feed.isClosed else { throw Refusal(.decisionNotReady, retryAfterSeconds: 1) }
        let names = Set(names).sorted()
        let end = clock.now() + Self.patience
        var version = feed.version
        var document = try await documents.document(for: names, scope: scope, version: version)
        guard tags.contains(document.entityTag) else { return .document(document) }
        guard begin(scope) else { return .unchanged(entityTag: document.entityTag, isClosing: false) }
        defer { finish(scope) }
        while true {
            switch await feed.wait(after: version, atMost: end - clock.now()) {
            case .timeout, .closed:
                // Saying that nothing changed is a word about what was revoked: only who may give the document may say it.
                _ = try await documents.document(for: names, scope: scope, version: version)
                return .unchanged(entityTag: document.entityTag, isClosing: feed.isClosed)
            case .changed: break
            }
            version = feed.version
            // Whoever has lost the right to ask meanwhile learns nothing more, not even that it changed.
            try await mayStillKnow()
            document = try await documents.document(for: names, scope: scope, version: version)
            if !tags.contains(document.entityTag) { return .document(document) }
        }
    }

    /// - Returns: whether there is room for one more.
    private func begin(_ scope: SnapshotScope) -> Bool {
        let count = waiting.withLock { waiting -> Int? in
            guard waiting.count < room.all, waiting.byScope[scope, default: 0] < room.ofScope else { return nil }
            waiting.count += 1
            waiting.byScope[scope, default: 0] += 1
            return waiting.count
        }
        guard let count else { return false }
        waitingGauge.record(Int64(count))
        return true
    }

    private func finish(_ scope: SnapshotScope) {
        let count = waiting.withLock { waiting in
            waiting.count -= 1
            let rest = waiting.byScope[scope, default: 1] - 1
            waiting.byScope[scope] = rest > 0 ? rest : nil
            return waiting.count
        }
        waitingGauge.record(Int64(count))
    }
}
