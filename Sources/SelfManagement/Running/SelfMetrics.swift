// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Metrics

/// What self-management counts and shows.
package struct SelfMetrics: Sendable {
    /// What is done, as the counter names it.
    package enum Action: String, Sendable, CaseIterable {
        case ensure, scale, evict, delete
        case rollingRestart = "rolling_restart"
    }

    /// How it ended.
    package enum Result: String, Sendable, CaseIterable {
        case ok, failed, blocked, gone
    }

    private let factory: any MetricsFactory
    private let suspended: Gauge

    /// Everything is there from the start, at nought.
    package init(factory: any MetricsFactory) {
        self.factory = factory
        suspended = Gauge(label: "tollgate_self_suspended", factory: factory)
        suspended.record(0)
        for action in Action.allCases {
            for result in Result.allCases { counter(action, result).increment(by: 0) }
        }
        show(pods: [:])
        show(replicas: nil)
    }

    /// Counts an act.
    package func count(_ action: Action, _ result: Result) { counter(action, result).increment() }

    /// Whether healing waits for its budget.
    package func suspended(_ isSuspended: Bool) { suspended.record(isSuspended ? 1 : 0) }

    /// How many pods there are of each verdict.
    package func show(pods: [PodVerdict.Health: Int]) {
        for health in PodVerdict.Health.allCases {
            Gauge(label: "tollgate_self_pods", dimensions: [("verdict", health.rawValue)], factory: factory)
                .record(pods[health] ?? 0)
        }
    }

    /// How many replicas are wanted and there.
    package func show(replicas deployment: OwnDeployment?) {
        let states = [
            ("wanted", deployment?.replicas), ("present", deployment?.presentReplicas),
            ("ready", deployment?.readyReplicas), ("available", deployment?.availableReplicas),
            ("updated", deployment?.updatedReplicas),
        ]
        for (state, count) in states {
            Gauge(label: "tollgate_replicas", dimensions: [("state", state)], factory: factory).record(count ?? 0)
        }
    }

    private func counter(_ action: Action, _ result: Result) -> Counter {
        Counter(
            label: "tollgate_self_actions_total",
            dimensions: [("action", action.rawValue), ("result", result.rawValue)],
            factory: factory)
    }
}
