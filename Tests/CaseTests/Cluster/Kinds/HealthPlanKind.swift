// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import SelfManagement
internal import TestSupport
internal import Testing

extension ClusterKinds {
    @Sendable static func healthPlan(_ record: CaseRecord) async throws {
        let given = record.given
        var limits = HealthPlanner.Limits()
        if let evictions = given["settings"]?["evictions"]?.intValue { limits.evictions = Int(evictions) }
        let planner = HealthPlanner(limits)
        let steps = try #require(given["steps"]?.arrayValue)
        let expected = try #require(record.json["expect"]?.arrayValue)
        try #require(steps.count == expected.count)
        var memory = HealingMemory()
        for (step, expect) in zip(steps, expected) {
            let now = Timestamp(seconds: 1_770_000_000 + (try #require(step["at_seconds"]?.intValue)))
            let (plan, next) = try planner.plan(
                (step["pods"]?.arrayValue ?? []).map(judged),
                isRollingOut: isRollingOut(#require(step["deployment"])),
                ownPod: #require(given["self_pod"]?.stringValue),
                // As another leader would read it.
                memory: HealingMemory(reading: memory.text, at: now, budget: limits.evictions), at: now)
            #expect(plan.action.rawValue == expect["action"]?.stringValue, "at \(now)")
            #expect(.strings([plan.pod].compactMap(\.self)) == expect["pods"], "at \(now)")
            #expect(.strings(plan.deletes) == expect["delete"], "at \(now)")
            let isBlocked = step["blocked"]?.boolValue ?? false
            if plan.action != .evict || !isBlocked { memory = next }
        }
    }

    private static func judged(_ pod: JSONValue) throws -> JudgedPod {
        func value<Value: RawRepresentable>(_ name: String) throws -> Value where Value.RawValue == String {
            try #require(pod[name]?.stringValue.flatMap(Value.init(rawValue:)), "\(name) of \(pod)")
        }
        return JudgedPod(
            name: try #require(pod["name"]?.stringValue),
            verdict: PodVerdict(try value("verdict"), try value("reason"), try value("action")),
            stalled: .seconds(try #require(pod["stalled"]?.intValue)))
    }

    /// A Deployment as the case describes it.
    private static func isRollingOut(_ deployment: JSONValue) throws -> Bool {
        try #require(
            OwnDeployment([
                "metadata": ["name": "tollgate", "generation": deployment["generation"] ?? 0],
                "spec": ["replicas": deployment["replicas"] ?? 1],
                "status": [
                    "observedGeneration": deployment["observed_generation"] ?? 0,
                    "updatedReplicas": deployment["updated_replicas"] ?? 0,
                ],
            ])
        ).isRollingOut
    }
}
