// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Says how a pod is: the first rule that fits.
package struct PodClassifier: Sendable {
    package let rules: HealthRules

    package init(_ rules: HealthRules) { self.rules = rules }

    private static let configurationFaults: Set<String> = [
        "CreateContainerConfigError", "CreateContainerError", "InvalidImageName", "ErrImageNeverPull",
    ]
    private static let pullFaults: Set<String> = [
        "ImagePullBackOff", "ErrImagePull", "RegistryUnavailable", "ImageInspectError",
    ]

    /// How long the pod has not been ready: since Ready was lost, without such a condition since it was made.
    package func stalled(_ pod: OwnPod, at now: Timestamp) -> Duration {
        guard !pod.isReady, let since = pod.readyLostAt ?? pod.createdAt else { return .zero }
        return max(.zero, now.since(since))
    }

    /// The verdict, with what may be done about it.
    package func verdict(_ pod: OwnPod, history: RestartHistory, at now: Timestamp) -> PodVerdict {
        var verdict = classify(pod, history: history, at: now)
        if pod.isLeftAlone, [.evict, .delete, .forceDelete].contains(verdict.action) { verdict.action = .report }
        return verdict
    }

    private func classify(_ pod: OwnPod, history: RestartHistory, at now: Timestamp) -> PodVerdict {
        if let deletion = pod.deletionAt {
            return now.since(deletion) > rules.terminatingAfter
                ? PodVerdict(.unhealthy, .stuckTerminating, rules.forcesDeletion ? .forceDelete : .report)
                : PodVerdict(.ignored, .terminating)
        }
        switch pod.phase {
        case "Failed":
            return PodVerdict(.unhealthy, pod.statusReason == "Evicted" ? .evicted : .failed, .delete)
        case "Succeeded": return PodVerdict(.unhealthy, .completed, .delete)
        default: break
        }
        let stalled = stalled(pod, at: now)
        func after(_ limit: Duration, _ reason: PodVerdict.Reason, _ action: PodVerdict.Action) -> PodVerdict {
            stalled > limit ? PodVerdict(.unhealthy, reason, action) : PodVerdict(.healthy, .starting)
        }
        if pod.waitingFor.contains(where: Self.configurationFaults.contains) {
            return after(rules.imagePullAfter, .containerConfig, .report)
        }
        if pod.waitingFor.contains(where: Self.pullFaults.contains) {
            return after(rules.imagePullAfter, .imagePullBackOff, .evict)
        }
        if pod.waitingFor.contains("CrashLoopBackOff") { return PodVerdict(.unhealthy, .crashLoopBackOff, .evict) }
        let growth = history.growth(
            to: pod.restarts, at: now, window: rules.restartWindow, createdAt: pod.createdAt)
        if let growth, growth >= rules.restarts { return PodVerdict(.unhealthy, .tooManyRestarts, .evict) }
        if pod.isUnschedulable { return after(rules.notReadyAfter, .unschedulable, .report) }
        if pod.phase == "Pending" { return after(rules.pendingAfter, .stuckPending, .evict) }
        guard !pod.isReady else { return PodVerdict(.healthy, .ready) }
        return after(rules.notReadyAfter, .notReady, .evict)
    }
}
