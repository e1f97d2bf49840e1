// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials
internal import Metrics
internal import Synchronization

/// What the pipeline counts. Labels are doors, codes and steps: bounded by the tables in the source.
final class PipelineMetrics: Sendable {
    private struct DecisionKey: Hashable {
        let door: Door
        let code: ErrorCode?
    }

    private let factory: any MetricsFactory
    private let decisions = Mutex<[DecisionKey: Counter]>([:])
    private let allowed: [Door: Counter]
    private let seconds: [Door: Metrics.Timer]
    private let stepSeconds: [DecisionStep: Metrics.Timer]
    private let pathRejected: [String: Counter]

    init(factory: any MetricsFactory) {
        self.factory = factory
        allowed = Dictionary(uniqueKeysWithValues: Door.allCases.map { ($0, Self.counter($0, nil, factory)) })
        seconds = Dictionary(
            uniqueKeysWithValues: Door.allCases.map {
                ($0, Timer(label: "tollgate_decision_seconds", dimensions: [("door", $0.rawValue)], factory: factory))
            })
        stepSeconds = Dictionary(
            uniqueKeysWithValues: DecisionStep.allCases.map {
                (
                    $0,
                    Timer(
                        label: "tollgate_decision_step_seconds", dimensions: [("step", $0.rawValue)], factory: factory)
                )
            })
        pathRejected = Dictionary(
            uniqueKeysWithValues: PathFault.allCases.map {
                let reason = $0.rawValue
                let counter = Counter(
                    label: "tollgate_path_rejected_total", dimensions: [("reason", reason)], factory: factory)
                counter.increment(by: 0)
                return (reason, counter)
            })
    }

    func decided(door: Door, refusal: Refusal?, nanoseconds: Int64) {
        seconds[door]?.recordNanoseconds(nanoseconds)
        guard let code = refusal?.code else {
            allowed[door]?.increment()
            return
        }
        let key = DecisionKey(door: door, code: code)
        let counter = decisions.withLock { counters in
            if let counter = counters[key] { return counter }
            let counter = Self.counter(door, code, factory)
            counters[key] = counter
            return counter
        }
        counter.increment()
    }

    func step(_ step: DecisionStep, nanoseconds: Int64) { stepSeconds[step]?.recordNanoseconds(nanoseconds) }

    func rejectedPath(reason: String) { pathRejected[reason]?.increment() }

    private static func counter(_ door: Door, _ code: ErrorCode?, _ factory: any MetricsFactory) -> Counter {
        let result = code.map { $0.status == 503 ? "unavailable" : "deny" } ?? "allow"
        let counter = Counter(
            label: "tollgate_decisions_total",
            dimensions: [("door", door.rawValue), ("result", result), ("code", code?.rawValue ?? "")],
            factory: factory)
        counter.increment(by: 0)
        return counter
    }
}
