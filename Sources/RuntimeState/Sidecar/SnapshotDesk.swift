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
    /// Callers that wait at once; more are refused.
    package static let mostWaiting = 10_000

    private let documents: SidecarDocuments
    private let feed: SnapshotFeed
    private let clock: any MonotonicClock
    private let waiting = Mutex(0)
    private let waitingGauge: Gauge

    /// - Parameter clock: bounds waits; tests drive it.
    package init(_ sources: SidecarDocuments.Sources, clock: any MonotonicClock, metricsFactory: any MetricsFactory) {
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
    package var waitingCallers: Int { waiting.withLock { $0 } }

    /// The document for AuthConfigs, once it has another tag than those that the caller has.
    ///
    /// - Parameters:
    ///   - tags: of `If-None-Match`; empty = the caller has none and is answered at once.
    ///   - mayStillKnow: asked after a wait, before anything new is given.
    /// - Throws: `decision.not_ready` while nothing is in force or the process ends, `decision.overloaded` when too many wait,
    ///   `auth.no_config`, `policy.tenant_denied`, `auth.store_unavailable`, and what `mayStillKnow` throws.
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
        try begin()
        defer { finish() }
        while true {
            switch await feed.wait(after: version, atMost: end - clock.now()) {
            case .timeout:
                // Saying that nothing changed is a word about what was revoked: only who may give the document may say it.
                _ = try await documents.document(for: names, scope: scope, version: version)
                return .unchanged(entityTag: document.entityTag, isClosing: feed.isClosed)
            case .closed: return .unchanged(entityTag: document.entityTag, isClosing: true)
            case .changed: break
            }
            version = feed.version
            // Whoever has lost the right to ask meanwhile learns nothing more, not even that it changed.
            try await mayStillKnow()
            document = try await documents.document(for: names, scope: scope, version: version)
            if !tags.contains(document.entityTag) { return .document(document) }
        }
    }

    private func begin() throws(Refusal) {
        let count = waiting.withLock { waiting -> Int? in
            guard waiting < Self.mostWaiting else { return nil }
            waiting += 1
            return waiting
        }
        guard let count else {
            throw Refusal(.decisionOverloaded, message: "Too many sidecars wait here", retryAfterSeconds: 1)
        }
        waitingGauge.record(Int64(count))
    }

    private func finish() {
        let count = waiting.withLock { waiting in
            waiting -= 1
            return waiting
        }
        waitingGauge.record(Int64(count))
    }
}
