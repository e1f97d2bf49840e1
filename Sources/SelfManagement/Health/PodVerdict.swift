// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// How a pod is, and what could be done about it.
package struct PodVerdict: Sendable, Hashable {
    package enum Health: String, Sendable, CaseIterable {
        case healthy, unhealthy
        /// It is on its way out and does not count.
        case ignored
    }

    package enum Action: String, Sendable {
        case none, report, evict, delete
        case forceDelete = "force_delete"
    }

    package enum Reason: String, Sendable, CaseIterable {
        case ready = "Ready"
        case starting = "Starting"
        case terminating = "Terminating"
        case stuckTerminating = "StuckTerminating"
        case evicted = "Evicted"
        case failed = "Failed"
        case completed = "Completed"
        case containerConfig = "ContainerConfig"
        case imagePullBackOff = "ImagePullBackOff"
        case crashLoopBackOff = "CrashLoopBackOff"
        case tooManyRestarts = "TooManyRestarts"
        case unschedulable = "Unschedulable"
        case stuckPending = "StuckPending"
        case notReady = "NotReady"
    }

    package var health: Health
    package var reason: Reason
    package var action: Action

    package init(_ health: Health, _ reason: Reason, _ action: Action = .none) {
        self.health = health
        self.reason = reason
        self.action = action
    }

    /// Unhealthy, and a new pod could do better.
    package var isLive: Bool { health == .unhealthy && action == .evict }
}
