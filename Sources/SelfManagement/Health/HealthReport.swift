// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// What a look at the own pods came to.
package struct HealthReport: Sendable, Hashable {
    /// One unhealthy pod.
    package struct Finding: Sendable, Hashable {
        package var pod: String
        package var reason: PodVerdict.Reason
        package var action: PodVerdict.Action
        /// What was done about it: `evicted`, `deleted`, `gone`, `blocked`, `failed`, `reported`, `waiting`, `suspended`, `restarting`,
        /// `dry_run`, `disabled`.
        package var result: String
    }

    package var checked: Int
    package var healthy: Int
    package var unhealthy: [Finding]
    package var plan: HealthPlan
    package var evictionsLeft: Int
    package var nextRestart: Timestamp?
    package var isDryRun: Bool
    package var at: Timestamp
    /// Why something could not be done; nil when all was.
    package var fault: Refusal?

    /// The answer of `POST /v1/k8s/health`.
    package var json: JSONObject {
        [
            "checked": .int(Int64(checked)), "healthy": .int(Int64(healthy)),
            "unhealthy": .array(
                unhealthy.map { finding in
                    [
                        "pod": .string(finding.pod), "reason": .string(finding.reason.rawValue),
                        "action": .string(finding.action.rawValue), "result": .string(finding.result),
                    ]
                }),
            "action": .string(plan.action.rawValue),
            "budget": [
                "evictions_left": .int(Int64(evictionsLeft)),
                "next_restart_at": .optional(nextRestart?.rfc3339Micros),
            ],
            "dry_run": .bool(isDryRun), "timestamp": .string(at.rfc3339Micros),
        ]
    }
}
