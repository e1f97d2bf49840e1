// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Authentication
internal import Connectors
internal import Essentials
internal import HTTPService
internal import RuntimeState
internal import Synchronization

/// What the health endpoints report of the running server.
final class Readiness: ReadinessReporting {
    private struct State {
        var isDraining = false
        var isListening = false
        var keysSettled = false
    }

    private let state = Mutex(State())
    private let snapshots: SnapshotStore
    private let stores: @Sendable (Timestamp) -> [ReadinessCheck]
    private let audit: AuditLog
    private let keySets: RemoteKeySets
    private let engine: OPAClient?
    private let maxSnapshotAge: Duration?
    private let mode: (configured: AuthMode, effective: AuthMode)
    private let policy: @Sendable () -> ReadinessCheck
    private let redis: RedisParts?
    private let control: any ControlSide
    private let clock: any WallClock

    init(
        snapshots: SnapshotStore, stores: @escaping @Sendable (Timestamp) -> [ReadinessCheck], audit: AuditLog,
        keySets: RemoteKeySets,
        engine: OPAClient?, maxSnapshotAge: Duration?, mode: (configured: AuthMode, effective: AuthMode),
        policy: @escaping @Sendable () -> ReadinessCheck, redis: RedisParts?, control: any ControlSide,
        clock: any WallClock
    ) {
        self.redis = redis
        self.control = control
        self.snapshots = snapshots
        self.stores = stores
        self.audit = audit
        self.keySets = keySets
        self.engine = engine
        self.maxSnapshotAge = maxSnapshotAge
        self.mode = mode
        self.policy = policy
        self.clock = clock
    }

    /// The API listener accepts.
    func listening() { state.withLock { $0.isListening = true } }

    /// The first key sets are there, or were waited for long enough.
    func keysSettled() { state.withLock { $0.keysSettled = true } }

    /// The process is on its way out.
    func drain() { state.withLock { $0.isDraining = true } }

    var isDraining: Bool { state.withLock(\.isDraining) }

    var isLive: Bool { control.isLive }

    func checks() -> [ReadinessCheck] {
        let (isDraining, isListening, keysSettled) = state.withLock { ($0.isDraining, $0.isListening, $0.keysSettled) }
        let now = clock.now()
        let trail = audit.status
        return [
            ReadinessCheck(name: "listener", status: isListening ? .ok : .failed),
            snapshotCheck(now),
            ReadinessCheck(
                name: "keys", status: keysSettled ? .ok : .failed,
                detail: keysSettled ? keyDetail : "waiting for the first key sets"),
        ] + stores(now) + [
            Self.audit(trail),
            policy(),
            ReadinessCheck(
                name: "auth_mode", status: mode.configured == mode.effective ? .ok : .degraded,
                detail: "configured \(mode.configured.rawValue), in force \(mode.effective.rawValue)"),
            PolicyEngineCheck.check(engine),
        ] + (redis.map { [$0.readiness()] } ?? []) + control.checks() + [
            ReadinessCheck(name: "draining", status: isDraining ? .failed : .ok)
        ]
    }

    private static func audit(_ trail: AuditStatus) -> ReadinessCheck {
        var details: [String] = []
        if let file = trail.corruptSegment { details.append("segment \(file) was found damaged") }
        if let volume = trail.volume, volume.isHigh { details.append("its volume is \(volume.percent) % full") }
        return ReadinessCheck(
            name: "audit", status: trail.isWritable ? (details.isEmpty ? .ok : .degraded) : .failed,
            detail: details.joined(separator: "; "))
    }

    private func snapshotCheck(_ now: Timestamp) -> ReadinessCheck {
        guard let snapshot = snapshots.current() else {
            return ReadinessCheck(name: "snapshot", status: .failed, detail: "none is in force yet")
        }
        let age = now.seconds - snapshot.builtAt.seconds
        let isTooOld = maxSnapshotAge.map { age > $0.wholeSeconds } ?? false
        return ReadinessCheck(
            name: "snapshot", status: isTooOld ? .failed : .ok, detail: "generation \(snapshot.generation)")
    }

    private var keyDetail: String {
        let missing = keySets.status().filter { !$0.isUsable }.map(\.source.label)
        return missing.isEmpty ? "" : "no keys from \(missing.joined(separator: ", "))"
    }
}
