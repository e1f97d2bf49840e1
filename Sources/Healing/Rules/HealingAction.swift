// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// What a rule has done. There is no shell and no free command.
package enum HealingAction: Sendable, Hashable {
    /// The replicas that a scale asks for.
    package enum Scale: Sendable, Hashable {
        case to(Int64)
        /// So many more (or fewer), kept within the bounds.
        case by(Int64, minimum: Int64, maximum: Int64)

        /// The replicas wanted where there are so many now.
        package func wanted(from present: Int64) -> Int64 {
            switch self {
            case .to(let count): return count
            case .by(let step, let minimum, let maximum):
                return min(max(present.addingSaturated(step), minimum), maximum)
            }
        }
    }

    case rolloutRestart
    case scale(Scale)
    case deletePod
    case cordon
    case notify
    case none

    /// The name that rules and events use.
    package var type: String {
        switch self {
        case .rolloutRestart: "rollout-restart"
        case .scale: "scale"
        case .deletePod: "delete-pod"
        case .cordon: "cordon"
        case .notify: "notify"
        case .none: "none"
        }
    }

    /// The kinds that it can be done to; empty where it has no target.
    package var kinds: [HealingTarget.Kind] {
        switch self {
        case .rolloutRestart, .scale: [.deployment, .statefulSet]
        case .deletePod: [.pod]
        case .cordon: [.node]
        case .notify, .none: []
        }
    }

    /// Whether it changes something in the cluster: it costs budget and a slot then.
    package var actsOnCluster: Bool { !kinds.isEmpty }

    /// The command for people: `scale deployment/crm/worker to 5`.
    package func command(_ target: HealingTarget?) -> String {
        guard let target else { return type }
        switch self {
        case .scale(.to(let count)): return "scale \(target.text) to \(count)"
        case .scale(.by(let step, _, _)): return "scale \(target.text) by \(step > 0 ? "+" : "")\(step)"
        default: return "\(type) \(target.text)"
        }
    }
}
