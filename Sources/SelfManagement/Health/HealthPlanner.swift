// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// One judged pod.
package struct JudgedPod: Sendable, Hashable {
    package var name: String
    package var verdict: PodVerdict
    package var stalled: Duration

    package init(name: String, verdict: PodVerdict, stalled: Duration) {
        self.name = name
        self.verdict = verdict
        self.stalled = stalled
    }
}

/// What one pass does.
package struct HealthPlan: Sendable, Hashable {
    package enum Action: String, Sendable {
        case none, wait, evict, suspended
        case rollingRestart = "rolling_restart"
    }

    package var action: Action
    /// The pod to evict.
    package var pod: String?
    /// Pods that have ended, by name.
    package var deletes: [String]

    package init(_ action: Action, pod: String? = nil, deletes: [String] = []) {
        self.action = action
        self.pod = pod
        self.deletes = deletes
    }
}

/// Decides what one pass does about the own pods, within budgets and back-off. Pure: the memory goes in and out.
package struct HealthPlanner: Sendable {
    /// The bounds of what is done.
    package struct Limits: Sendable, Hashable {
        package var evictions = 3
        package var evictionWindow = Duration.seconds(600)
        package var firstRestartPause = Duration.seconds(3600)
        package var longestRestartPause = Duration.seconds(86_400)
        /// So long without an unhealthy pod, and restarts are forgotten.
        package var goodTime = Duration.seconds(1800)
        package var deletes = 10

        /// The values for operation.
        package init() {}
    }

    package let limits: Limits

    package init(_ limits: Limits = Limits()) { self.limits = limits }

    /// The plan, and what is to be remembered if it is carried out.
    ///
    /// - Parameters:
    ///   - isRollingOut: whether the controller replaces pods already.
    ///   - ownPod: the acting pod, which never evicts itself.
    package func plan(
        _ pods: [JudgedPod], isRollingOut: Bool, ownPod: String, memory: HealingMemory, at now: Timestamp
    ) -> (plan: HealthPlan, memory: HealingMemory) {
        var memory = memory
        let counted = pods.filter { $0.verdict.health != .ignored }
        let unhealthy = counted.filter { $0.verdict.health == .unhealthy }
        let live = unhealthy.filter(\.verdict.isLive)
        let deletes = unhealthy.filter { [.delete, .forceDelete].contains($0.verdict.action) }
            .map(\.name).sorted().prefix(limits.deletes)
        memory.evictions.removeAll { now.since($0) >= limits.evictionWindow }
        rememberHealth(&memory, isHealthy: unhealthy.isEmpty, at: now)
        // One suspension lasts as long as acts that did not mend the fault count: an eviction now and then does not end it.
        if memory.evictions.isEmpty, memory.restarts == 0 { memory.toldSuspended = nil }
        func plan(_ action: HealthPlan.Action, _ pod: String? = nil) -> (HealthPlan, HealingMemory) {
            (HealthPlan(action, pod: pod, deletes: Array(deletes)), memory)
        }
        if live.isEmpty { return plan(.none) }
        if isRollingOut { return plan(.wait) }
        if counted.count >= 2, live.count * 2 > counted.count {
            if let next = nextRestart(memory), now < next { return plan(.suspended) }
            memory.restarts += 1
            memory.lastRestart = now
            return plan(.rollingRestart)
        }
        let chosen = live.filter { $0.name != ownPod }
            .min { $0.stalled != $1.stalled ? $0.stalled > $1.stalled : $0.name < $1.name }
        guard let chosen else { return plan(.none) }
        if pods.contains(where: { [.terminating, .starting].contains($0.verdict.reason) }) { return plan(.wait) }
        guard memory.evictions.count < limits.evictions else { return plan(.suspended) }
        memory.evictions.append(now)
        return plan(.evict, chosen.name)
    }

    /// From when on the next rolling restart is allowed; nil when it is now.
    package func nextRestart(_ memory: HealingMemory) -> Timestamp? {
        guard let last = memory.lastRestart, memory.restarts > 0 else { return nil }
        let pause = min(limits.firstRestartPause * (1 << min(memory.restarts - 1, 16)), limits.longestRestartPause)
        return last.adding(pause)
    }

    /// How many pods may be evicted now.
    package func evictionsLeft(_ memory: HealingMemory, at now: Timestamp) -> Int {
        max(0, limits.evictions - memory.evictions.count { now.since($0) < limits.evictionWindow })
    }

    private func rememberHealth(_ memory: inout HealingMemory, isHealthy: Bool, at now: Timestamp) {
        guard isHealthy, memory.restarts > 0 else {
            memory.healthySince = nil
            return
        }
        guard let since = memory.healthySince else {
            memory.healthySince = now
            return
        }
        guard now.since(since) >= limits.goodTime else { return }
        memory.restarts = 0
        memory.lastRestart = nil
        memory.healthySince = nil
    }
}
