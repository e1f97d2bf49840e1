// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import Reconcilers
internal import ResourceModel

/// An account that a development server begins with.
struct DevnetAccount: Sendable {
    /// Days of usage it has.
    static let days: Int64 = 31

    let name: String
    let plan: Plan
    let anchor: Timestamp
    /// How much of the plan's credits a period of usage costs, in percent.
    let percentOfCredits: Int64
    /// By how much the last day is above the first, in percent.
    let growthPercent: Int64
    let eventsPerDay: Int64
    let users: [String]
    let projects: [String]
    let agents: [String]

    /// The three accounts: on the fallback plan, on the dearest one, and on `pro` or what is in the middle.
    static func all(_ catalogue: PlanCatalogue, now: Timestamp) -> [DevnetAccount] {
        // A boundary of periods lies within the month, so that there is a finished one to look at.
        let day: Int64 = 86_400
        let anchor = Timestamp(seconds: now.seconds / day * day - 48 * day)
        let paid = catalogue.plans.filter { $0.name != catalogue.fallback.name }
        let dearest = paid.last ?? catalogue.fallback
        let middle =
            catalogue.plan("pro") ?? paid.dropLast().dropFirst(max(0, (paid.count - 1) / 2)).first ?? dearest
        return [
            DevnetAccount(
                name: "demo-free", plan: catalogue.fallback, anchor: anchor, percentOfCredits: 50, growthPercent: 0,
                eventsPerDay: 6, users: ["ada"], projects: ["hobby"], agents: ["helper"]),
            DevnetAccount(
                name: "demo-pro", plan: middle, anchor: anchor, percentOfCredits: 105, growthPercent: 80,
                eventsPerDay: 24, users: ["grace", "linus", "margaret"], projects: ["research", "website"],
                agents: ["researcher", "reviewer"]),
            DevnetAccount(
                name: "demo-enterprise", plan: catalogue.plan("enterprise") ?? dearest, anchor: anchor,
                percentOfCredits: 60, growthPercent: -30, eventsPerDay: 60,
                users: ["alan", "barbara", "edsger", "frances", "ken", "radia"],
                projects: ["analytics", "mobile", "platform", "support"],
                agents: ["analyst", "coder", "researcher", "reviewer", "support"]),
        ]
    }

    /// Its Subscription object.
    var manifest: String {
        """
        apiVersion: tollgate.dev/v1alpha1
        kind: Subscription
        metadata:
          name: \(name)
          namespace: \(TollgateSettings.standaloneNamespace)
        spec:
          tenant: \(name)
          source: manual
          plan: \(plan.name)
          periodAnchor: \(anchor.rfc3339)

        """
    }

    /// What the object asks for.
    var order: SubscriptionOrder {
        let key = ObjectKey(kind: .subscription, namespace: TollgateSettings.standaloneNamespace, name: name)
        return SubscriptionOrder(
            spec: StatedSubscription(uid: AccountOrder.place(of: key), plan: plan.name, anchor: anchor),
            isNamedByPlace: true)
    }
}
