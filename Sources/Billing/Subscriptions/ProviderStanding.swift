// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// What the events of the payment provider say of one account, folded: a function of the set of events, not of their order.
package struct ProviderStanding: Sendable, Hashable {
    /// The provider's subscription that is in force; the origin of its pools of credits.
    package var subscription: String
    /// As the events say; that a grace or a lapse is over is found when it is looked at.
    package var state: SubscriptionState
    /// The plan that was bought; nil = nothing known, the fallback plan.
    package var boughtPlan: String?
    /// Whether the catalogue knows a price of the last subscription event.
    package var isPlanKnown: Bool
    /// Whether the last status that the provider named is one that is listed; where not, it changed nothing.
    package var isStatusKnown: Bool
    /// The plan whose credits were granted for the present period at some time: the one with the most of them; nil where none was.
    package var creditedPlan: String?
    package var periodStart: Timestamp?
    package var periodEnd: Timestamp?
    package var cancelAtPeriodEnd: Bool
    package var pastDueSince: Timestamp?
    /// When the subscription was made.
    package var subscribedAt: Timestamp?
    /// Of the last event that was folded.
    package var lastEventID: String
    package var lastEventType: String
    package var lastEventCreated: Timestamp

    package init(
        subscription: String, state: SubscriptionState, boughtPlan: String?, isPlanKnown: Bool = true,
        isStatusKnown: Bool = true, creditedPlan: String? = nil, periodStart: Timestamp? = nil,
        periodEnd: Timestamp? = nil,
        cancelAtPeriodEnd: Bool = false, pastDueSince: Timestamp? = nil, subscribedAt: Timestamp? = nil,
        lastEventID: String, lastEventType: String, lastEventCreated: Timestamp
    ) {
        self.subscription = subscription
        self.state = state
        self.boughtPlan = boughtPlan
        self.isPlanKnown = isPlanKnown
        self.isStatusKnown = isStatusKnown
        self.creditedPlan = creditedPlan
        self.periodStart = periodStart
        self.periodEnd = periodEnd
        self.cancelAtPeriodEnd = cancelAtPeriodEnd
        self.pastDueSince = pastDueSince
        self.subscribedAt = subscribedAt
        self.lastEventID = lastEventID
        self.lastEventType = lastEventType
        self.lastEventCreated = lastEventCreated
    }
}
