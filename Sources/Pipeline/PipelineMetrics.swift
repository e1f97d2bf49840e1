// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials
internal import Metrics
internal import Synchronization

/// What the pipeline counts. Labels are doors, codes and steps: bounded by the tables in the source.
///
/// What every decision touches stands in arrays by position; what only refusals touch is looked up.
final class PipelineMetrics: Sendable {
    private struct RefusalKey: Hashable {
        let door: Door
        let code: ErrorCode
    }

    private let factory: any MetricsFactory
    private let refused = Mutex<[RefusalKey: Counter]>([:])
    private let allowed: [Counter]
    private let seconds: [Metrics.Timer]
    private let stepSeconds: [DecisionStep: Metrics.Timer]
    private let pathRejected: [String: Counter]
    private let served: ServedMetrics
    private let failOpen: Counter

    init(factory: any MetricsFactory) {
        self.factory = factory
        allowed = Door.allCases.map { Self.counter($0, nil, factory) }
        seconds = Door.allCases.map {
            Timer(label: "tollgate_decision_seconds", dimensions: [("door", $0.rawValue)], factory: factory)
        }
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
        served = ServedMetrics(factory: factory)
        failOpen = Counter(label: "tollgate_policy_fail_open_total", factory: factory)
        failOpen.increment(by: 0)
    }

    /// A request passed although the policy engine could not be asked.
    func failedOpen() { failOpen.increment() }

    /// - Parameter hasConfig: whether an AuthConfig was found for the host.
    func decided(door: Door, refusal: Refusal?, hasConfig: Bool, nanoseconds: Int64) {
        seconds[door.position].recordNanoseconds(nanoseconds)
        served.count(status: refusal?.status ?? 200, hasConfig: hasConfig, nanoseconds: nanoseconds)
        guard let code = refusal?.code else {
            allowed[door.position].increment()
            return
        }
        let key = RefusalKey(door: door, code: code)
        let counter = refused.withLock { counters in
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

/// The names that dashboards of other external authorisers expect, counted beside our own.
private struct ServedMetrics: Sendable {
    private static let statuses: [(name: String, code: Int)] = [
        ("OK", 200), ("INVALID_ARGUMENT", 400), ("UNAUTHENTICATED", 401), ("PERMISSION_DENIED", 403),
        ("NOT_FOUND", 404), ("RESOURCE_EXHAUSTED", 429), ("UNAVAILABLE", 503),
    ]

    private let total: Counter
    private let duration: Metrics.Timer
    private let byConfig: [Counter]
    private let all: [Counter]

    init(factory: any MetricsFactory) {
        func counters(_ label: String) -> [Counter] {
            Self.statuses.map {
                let counter = Counter(label: label, dimensions: [("status", $0.name)], factory: factory)
                counter.increment(by: 0)
                return counter
            }
        }
        total = Counter(label: "auth_server_authconfig_total", factory: factory)
        total.increment(by: 0)
        duration = Timer(label: "auth_server_authconfig_duration_seconds", factory: factory)
        byConfig = counters("auth_server_authconfig_response_status")
        all = counters("auth_server_response_status")
    }

    func count(status: Int, hasConfig: Bool, nanoseconds: Int64) {
        let position =
            switch status {
            case 200: 0
            case 401: 2
            case 403: 3
            case 404: 4
            case 402, 429: 5
            case 503: 6
            default: 1
            }
        all[position].increment()
        guard hasConfig else { return }
        total.increment()
        duration.recordNanoseconds(nanoseconds)
        byConfig[position].increment()
    }
}

extension Door {
    /// Its place in `allCases`.
    fileprivate var position: Int {
        switch self {
        case .json: 0
        case .nginx: 1
        case .traefik: 2
        case .caddy: 3
        case .envoy: 4
        case .plain: 5
        case .oauth2: 6
        case .grpc: 7
        }
    }
}
