// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Connectors
internal import HTTPService
internal import Synchronization

/// What the health endpoints report of a worker: ready as soon as a round of work went well. A database that goes away
/// later is told and is no reason not to be ready: it goes away for every worker at once.
final class WorkerReadiness: ReadinessReporting {
    private struct State {
        var isListening = false
        var isDraining = false
        /// By the name of the work; nil = the last round went well.
        var faults: [String: String?] = [:]
        var hasWorked = false
    }

    private let state = Mutex(State())
    private let redis: RedisClient?

    init(redis: RedisClient?) { self.redis = redis }

    /// The probe listener accepts.
    func listening() { state.withLock { $0.isListening = true } }

    /// The process is on its way out.
    func drain() { state.withLock { $0.isDraining = true } }

    /// A round of some work is over.
    func ended(_ work: String, _ fault: (any Error)?) {
        state.withLock { state in
            state.faults[work] = .some(fault.map { String("\($0)".prefix(256)) })
            if fault == nil { state.hasWorked = true }
        }
    }

    var isDraining: Bool { state.withLock(\.isDraining) }

    var isLive: Bool { true }

    func checks() -> [ReadinessCheck] {
        let (isListening, isDraining, hasWorked, faults) = state.withLock {
            ($0.isListening, $0.isDraining, $0.hasWorked, $0.faults)
        }
        let broken = faults.compactMap { name, fault in fault.map { "\(name): \($0)" } }.sorted()
        let isWell = hasWorked && broken.isEmpty
        var checks = [
            ReadinessCheck(name: "listener", status: isListening ? .ok : .failed),
            ReadinessCheck(
                name: "work", status: isWell ? .ok : hasWorked ? .degraded : .failed,
                detail: hasWorked || !broken.isEmpty ? broken.joined(separator: "; ") : "no round is over yet"),
        ]
        if let status = redis?.status {
            checks.append(
                ReadinessCheck(
                    name: "redis", status: status.fault == nil ? .ok : .degraded,
                    detail: status.fault.map { "\(status.address) is away: \($0); usage is looked for in the database" }
                        ?? status.address))
        }
        return checks + [ReadinessCheck(name: "draining", status: isDraining ? .failed : .ok)]
    }
}
