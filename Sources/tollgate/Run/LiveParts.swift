// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Essentials
internal import HTTPService
internal import Logging

/// Live events of this process and, where there is a store that replicas share, of the others.
struct LiveParts: Sendable {
    let hub: LiveHub
    /// Nil where this process is the only one.
    private let follower: LiveFollower?

    init(
        _ settings: AuditTrailSettings, audit: AuditLog, shared: SharedAudit?, redis: RedisParts?,
        clock: any WallClock, logger: Logger, metrics: PrometheusRegistry
    ) {
        var bounds = LiveSettings(ring: settings.eventsRing)
        // A notice that is lost costs 10 s; as much again is for the clocks of the replicas.
        if shared != nil { bounds.overlap = .seconds(20) }
        let hub = LiveHub(
            settings: bounds, history: audit, clock: SystemMonotonicClock(),
            metrics: LiveMetrics(factory: metrics))
        self.hub = hub
        audit.observe { hub.add($0) }
        guard let shared else {
            follower = nil
            return
        }
        let follower = LiveFollower(
            trail: shared.trail, channel: redis?.events ?? shared.notices, ownWriter: settings.trail.writer,
            startedAt: clock.now(), clock: SystemMonotonicClock(), logger: logger
        ) { hub.add($0) }
        shared.observe { follower.announce($0) }
        self.follower = follower
    }

    /// Finds out where the others stand, before anybody can watch.
    func start() async throws { try await follower?.start() }

    /// What has to run as long as the server does.
    var services: [ClosureService] {
        [
            ClosureService(name: "live events") { [hub] in await hub.run() },
            ClosureService(name: "events of other replicas") { [follower] in await follower?.run() },
        ]
    }
}
