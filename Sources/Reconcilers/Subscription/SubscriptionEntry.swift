// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import ResourceModel

/// What one Subscription makes of its account, and what its status says of that.
struct SubscriptionEntry {
    private(set) var account: AccountState
    private(set) var conditions = Conditions()
    private(set) var members = JSONObject()

    /// - Parameter earlier: `status` of the last pass.
    init(_ spec: SubscriptionSpec, catalogue: PlanCatalogue, earlier: JSONValue?, now: Timestamp) {
        switch spec.source {
        case .manual:
            let bought = Self.bought(spec, catalogue: catalogue, earlier: earlier)
            let plan = bought ?? catalogue.fallback
            let limits = plan.limits.overridden(by: spec.overrides)
            account = AccountState(
                plan: plan, limits: limits, isSubscribed: true, isSuspended: spec.suspended,
                validUntil: spec.validUntil?.timestamp)
            notePlan(spec, catalogue: catalogue, inForce: plan.name)
            let isOver = spec.validUntil.map { $0.timestamp <= now } ?? false
            describe(
                state: isOver ? "canceled" : "active",
                reason: isOver ? "spec.validUntil is over" : "spec.plan",
                plan: isOver ? catalogue.fallback.name : plan.name, bought: bought?.name)
            noteEntitlement(spec, isOver: isOver, fallback: catalogue.fallback.name)
        case .stripe:
            account = AccountState(
                plan: catalogue.fallback, limits: catalogue.fallback.limits, isSubscribed: true,
                isSuspended: spec.suspended)
            notePlan(spec, catalogue: catalogue, inForce: catalogue.fallback.name)
            describe(
                state: "active", reason: "nothing is known from the payment provider",
                plan: catalogue.fallback.name, bought: nil)
            conditions.set(
                "ProviderSynced", .unknown, "NotConnected",
                "this release does not read the payment provider: the account is on the fallback plan; source manual puts a plan in force"
            )
            noteEntitlement(spec, isOver: false, fallback: catalogue.fallback.name)
        }
        noteWhatIsNotEnforced(spec)
    }

    /// The plan that the object names; where the catalogue does not have it, the one that the account was on before.
    private static func bought(_ spec: SubscriptionSpec, catalogue: PlanCatalogue, earlier: JSONValue?) -> Plan? {
        spec.plan.flatMap(catalogue.plan) ?? earlier?["boughtPlan"]?.stringValue.flatMap(catalogue.plan)
    }

    private mutating func describe(state: String, reason: String, plan: String, bought: String?) {
        members = [
            "state": .string(state), "reason": .string(reason), "plan": .string(plan),
            "boughtPlan": .optional(bought),
        ]
    }

    private mutating func notePlan(_ spec: SubscriptionSpec, catalogue: PlanCatalogue, inForce: String) {
        guard let name = spec.plan else { return }
        guard catalogue.plan(name) == nil else { return conditions.set("PlanKnown", .true, "Known") }
        let known = catalogue.plans.map(\.name).joined(separator: ", ")
        conditions.set(
            "PlanKnown", .false, "UnknownPlan",
            "the catalogue has no plan \(name), only \(known); the account stays on \(inForce)")
    }

    private mutating func noteEntitlement(_ spec: SubscriptionSpec, isOver: Bool, fallback: String) {
        if spec.suspended {
            conditions.set("Entitled", .false, "Suspended", "spec.suspended is true")
        } else if isOver {
            conditions.set(
                "Entitled", .false, "Ended", "spec.validUntil is over: the account is on plan \(fallback)")
        } else {
            conditions.set("Entitled", .true, "Active")
        }
    }

    /// What has no effect yet is named, so that nobody believes it to be in force.
    private mutating func noteWhatIsNotEnforced(_ spec: SubscriptionSpec) {
        var fields: [String] = []
        if !spec.grants.isEmpty { fields.append("spec.grants") }
        if !spec.budgets.isEmpty { fields.append("spec.budgets") }
        if spec.suspended { fields.append("spec.suspended for callers with the token of an issuer") }
        guard !fields.isEmpty else { return }
        conditions.set(
            "Unenforced", .true, "NotSupported",
            "not supported by this release and without effect: \(fields.joined(separator: ", "))")
    }
}
