// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Billing
package import Essentials
package import ResourceModel

/// What the ledger is to be told of one Subscription object.
package enum AccountOrder: Sendable, Hashable {
    /// It speaks for the account.
    case keep(SubscriptionOrder, account: String)
    /// It must not, or is not there any more: what it put in force is taken away.
    case withdraw(uid: String, account: String)

    /// The account that it is about.
    package var account: String {
        switch self {
        case .keep(_, let account), .withdraw(_, let account): account
        }
    }

    /// What an object is called in the ledger: its uid, or where it stands when it has none.
    package static func uid(of key: ObjectKey, _ object: Subscription) -> String {
        guard let uid = object.metadata.uid, !uid.isEmpty else { return place(of: key) }
        return uid
    }

    /// What an object without a uid of its own is called.
    package static func place(of key: ObjectKey) -> String { "\(placePrefix)\(key.namespace)/\(key.name)" }

    /// Where the object of an account stands whose uid says it; nil for uids of an API server.
    package static func key(ofUID uid: String) -> ObjectKey? {
        guard uid.hasPrefix(placePrefix) else { return nil }
        let place = uid.dropFirst(placePrefix.count).prefix { $0 != "@" }
        let parts = place.split(separator: "/", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { return nil }
        return ObjectKey(kind: .subscription, namespace: parts[0], name: parts[1])
    }

    private static let placePrefix = "manifest:"
}

extension SubscriptionOrder {
    /// What an object asks for.
    ///
    /// - Parameter createdAt: of the object; periods are counted from that UTC day where `spec.periodAnchor` says nothing.
    package init(_ object: Subscription, key: ObjectKey, createdAt: Timestamp) {
        let spec = object.spec
        self.init(
            spec: StatedSubscription(
                uid: AccountOrder.uid(of: key, object), source: spec.source == .stripe ? .stripe : .manual,
                plan: spec.plan,
                anchor: spec.periodAnchor?.timestamp ?? BillingPeriod.day(containing: createdAt).start,
                overrides: spec.overrides, isSuspended: spec.suspended, validUntil: spec.validUntil?.timestamp),
            grants: spec.grants.compactMap(GrantOrder.init), budgets: spec.budgets.compactMap(Budget.init),
            customer: spec.stripe?.customerId, isNamedByPlace: object.metadata.uid?.isEmpty ?? true,
            statesAnchor: spec.periodAnchor != nil)
    }
}

extension GrantOrder {
    /// Nil for what the schema does not let through.
    fileprivate init?(_ grant: SubscriptionSpec.Grant) {
        guard let microCredits = CreditAmount.microCredits(grant.credits) else { return nil }
        self.init(
            key: grant.key, microCredits: microCredits, source: .admin, priority: grant.priority,
            effectiveAt: grant.effectiveAt?.timestamp, expiresAt: grant.expiresAt?.timestamp, reason: grant.reason)
    }
}

extension Budget {
    /// Nil for what the schema does not let through.
    fileprivate init?(_ budget: SubscriptionSpec.Budget) {
        guard let scope = Scope(rawValue: budget.scope), let period = Period(rawValue: budget.period),
            let onSoft = SoftAction(rawValue: budget.actionOnSoft),
            let onHard = HardAction(rawValue: budget.actionOnHard)
        else { return nil }
        self.init(
            name: budget.name, scope: scope, match: budget.match ?? "", period: period,
            softLimitMicroUSD: budget.softLimitMicroUSD, hardLimitMicroUSD: budget.hardLimitMicroUSD,
            actionOnSoft: onSoft, actionOnHard: onHard, webhookURL: budget.webhookURL, isOfObject: true)
    }
}
