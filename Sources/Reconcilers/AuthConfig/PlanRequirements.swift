// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import ResourceModel

/// What AuthConfigs say of the plans that their metering requires.
enum PlanRequirements {
    /// Says of each AuthConfig that requires plans whether the catalogue has them: nobody has a plan that it does not know.
    static func note(
        _ required: [ObjectKey: Set<String>], catalogue: PlanCatalogue, statuses: inout [ObjectKey: ObjectStatus]
    ) {
        for (key, plans) in required where !plans.isEmpty {
            let unknown = plans.filter { catalogue.plan($0) == nil }.sorted()
            if unknown.isEmpty {
                statuses[key]?.conditions.set("PlanKnown", .true, "Known")
            } else {
                let known = catalogue.plans.map(\.name).joined(separator: ", ")
                statuses[key]?.conditions.set(
                    "PlanKnown", .false, "UnknownPlan",
                    "metering requires plan \(unknown.joined(separator: ", ")), the catalogue has only \(known): nobody passes there"
                )
            }
        }
    }
}
