// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import ResourceModel

/// What the status of one Subscription says of its account.
struct SubscriptionEntry {
    private(set) var conditions = Conditions()
    private(set) var members = JSONObject()
    private let spec: SubscriptionSpec
    private let catalogue: PlanCatalogue
    private let now: Timestamp

    init(_ spec: SubscriptionSpec, catalogue: PlanCatalogue, now: Timestamp) {
        self.spec = spec
        self.catalogue = catalogue
        self.now = now
    }

    /// Says what the object alone comes to.
    mutating func describe(_ stated: AccountStates.Stated) {
        notePlan(inForce: stated.plan, provider: nil)
        noteEntitlement(stated.state, graceEndsAt: nil, plan: stated.plan)
        members = [
            "state": .string(stated.state.rawValue), "reason": .string(reason(stated.state, provider: nil)),
            "plan": .string(stated.plan), "boughtPlan": .optional(stated.boughtPlan),
        ]
    }

    /// Says how the ledger has the account.
    mutating func describe(_ report: AccountReport) {
        notePlan(inForce: report.plan, provider: report.provider)
        if spec.source == .stripe {
            noteProvider(report)
            noteMatch(report)
        }
        noteEntitlement(report.state, graceEndsAt: report.graceEndsAt, plan: report.plan)
        if report.isOverLimit {
            conditions.set(
                "OverLimit", .true, "TooManySlots",
                "more places are taken than plan \(report.plan) has: new ones are refused until there is room")
        } else {
            conditions.set("OverLimit", .false, "WithinLimits")
        }
        members = report.members(reason: reason(report.state, provider: report.provider))
        guard !report.faults.isEmpty else { return }
        conditions.set(
            "Ready", .false, "Refused",
            "in force without what the ledger refused: \(report.faults.joined(separator: "; "))")
    }

    /// Says that the ledger was not asked yet for what the object says now.
    mutating func noteOutage(_ reason: String) {
        conditions.set(
            "Ready", .false, "LedgerUnavailable",
            "requests are judged by the object; credits, grants and budgets wait for the ledger: \(reason)")
    }

    private func reason(_ state: SubscriptionState, provider: ProviderStanding?) -> String {
        if spec.source == .manual { return state == .canceled ? "spec.validUntil is over" : "spec.plan" }
        guard let provider else { return "nothing is known from the payment provider" }
        if state == provider.state { return "the payment provider says so" }
        return provider.state == .pastDue
            ? "a payment failed and its grace is over" : "no news from the payment provider for too long"
    }

    private mutating func notePlan(inForce: String, provider: ProviderStanding?) {
        if let provider, spec.source == .stripe, !provider.isPlanKnown {
            return conditions.set(
                "PlanKnown", .false, "UnknownPrice",
                "the catalogue has no plan with the price of subscription \(provider.subscription); the account stays on \(inForce)"
            )
        }
        guard let name = spec.plan else { return }
        guard catalogue.plan(name) == nil else { return conditions.set("PlanKnown", .true, "Known") }
        let known = catalogue.plans.map(\.name).joined(separator: ", ")
        conditions.set(
            "PlanKnown", .false, "UnknownPlan",
            "the catalogue has no plan \(name), only \(known); the account stays on \(inForce)")
    }

    /// Whether what the provider says is there, understood, recent, and of the ids that the object names.
    private mutating func noteProvider(_ report: AccountReport) {
        let fault: (reason: String, message: String)? =
            if report.hasParkedEvents {
                (
                    "CustomerConflict",
                    "events of the provider wait: their customer is not the one that is linked to the account"
                )
            } else if let customer = spec.stripe?.customerId, !report.customers.contains(customer) {
                (
                    "CustomerDiffers",
                    "customer \(customer) cannot be linked: the account has \(report.customers.isEmpty ? "none, and the customer is another account's" : report.customers.joined(separator: ", "))"
                )
            } else if let provider = report.provider {
                providerFault(provider, report)
            } else {
                ("NothingKnown", "nothing was heard of the account from the payment provider")
            }
        guard let fault else { return conditions.set("ProviderSynced", .true, "Synced") }
        conditions.set("ProviderSynced", .false, fault.reason, fault.message)
    }

    private func providerFault(
        _ provider: ProviderStanding, _ report: AccountReport
    ) -> (reason: String, message: String)? {
        if let wanted = spec.stripe?.subscriptionId, wanted != provider.subscription {
            return (
                "SubscriptionDiffers",
                "the events are of subscription \(provider.subscription), spec.stripe.subscriptionId is \(wanted)"
            )
        }
        if !provider.isStatusKnown {
            return ("UnknownStatus", "the provider named a status that is not known: it changed nothing")
        }
        if report.isStale { return ("NoNews", "nothing was heard since the end of the provider's period") }
        return nil
    }

    /// What is expected and what the provider sold.
    private mutating func noteMatch(_ report: AccountReport) {
        guard let expected = spec.plan else { return }
        guard report.boughtPlan != expected else { return conditions.set("PlanMatches", .true, "Matches") }
        conditions.set(
            "PlanMatches", .false, "OtherPlan",
            "plan \(expected) is expected, \(report.boughtPlan.map { "\($0) was bought" } ?? "none was bought")")
    }

    private mutating func noteEntitlement(_ state: SubscriptionState, graceEndsAt: Timestamp?, plan: String) {
        if spec.suspended {
            return conditions.set("Entitled", .false, "Suspended", "spec.suspended is true")
        }
        switch state {
        case .active: conditions.set("Entitled", .true, "Active")
        case .trialing: conditions.set("Entitled", .true, "Trialing")
        case .pastDue:
            conditions.set(
                "Entitled", .true, "PastDue",
                "a payment failed; the plan stays until \(graceEndsAt?.rfc3339 ?? "the grace is over")")
        case .unpaid: conditions.set("Entitled", .false, "Unpaid", "the account is on plan \(plan)")
        case .incomplete:
            conditions.set(
                "Entitled", .false, "Incomplete", "the first payment is not made; the account is on plan \(plan)")
        case .canceled:
            let cause = spec.source == .manual ? "spec.validUntil is over" : "the subscription was canceled"
            conditions.set("Entitled", .false, "Ended", "\(cause): the account is on plan \(plan)")
        }
    }
}
