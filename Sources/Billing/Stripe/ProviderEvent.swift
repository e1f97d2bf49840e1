// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// An event of the payment provider in its short form: what Tollgate uses of it and nothing else.
package struct ProviderEvent: Sendable, Hashable {
    /// The types that have an effect.
    package enum Kind: String, Sendable, CaseIterable {
        case sessionCompleted = "checkout.session.completed"
        case sessionPaidLater = "checkout.session.async_payment_succeeded"
        case subscriptionCreated = "customer.subscription.created"
        case subscriptionUpdated = "customer.subscription.updated"
        case subscriptionDeleted = "customer.subscription.deleted"
        case paymentFailed = "invoice.payment_failed"
        case invoicePaid = "invoice.paid"
        case paymentSucceeded = "invoice.payment_succeeded"

        /// Order of events of one second.
        package var rank: Int {
            switch self {
            case .sessionCompleted, .sessionPaidLater: 0
            case .subscriptionCreated: 1
            case .subscriptionUpdated: 2
            case .paymentFailed: 3
            case .invoicePaid, .paymentSucceeded: 4
            case .subscriptionDeleted: 5
            }
        }

        /// Whether the event is about a checkout session.
        package var isSession: Bool { self == .sessionCompleted || self == .sessionPaidLater }
        /// Whether the event is about a subscription itself.
        package var isSubscription: Bool {
            self == .subscriptionCreated || self == .subscriptionUpdated || self == .subscriptionDeleted
        }
    }

    package var id: String
    package var type: String
    /// The provider's own time.
    package var created: Timestamp
    /// Nil where the event does not say.
    package var isLive: Bool?
    /// The account that the event names itself.
    package var account: String?
    /// Whether that comes from metadata that Tollgate wrote.
    package var isOwn = false
    package var customer: String?
    package var subscription: String?
    package var invoice: String?
    package var session: String?
    package var paymentIntent: String?
    /// Of a session: `subscription`, `payment` or `setup`.
    package var mode: String?
    /// Of a session: `paid`, `unpaid` or `no_payment_required`.
    package var paymentStatus: String?
    /// Of a subscription, as the provider says it.
    package var status: String?
    /// Of the items of a subscription, in their order.
    package var prices: [String] = []
    package var periodStart: Timestamp?
    package var periodEnd: Timestamp?
    package var cancelAtPeriodEnd: Bool?
    /// When the subscription was made.
    package var subscribedAt: Timestamp?
    /// The plan in Tollgate's own metadata.
    package var metadataPlan: String?
    /// The pack in Tollgate's own metadata.
    package var pack: String?
    /// The plan itself, where a front end says it instead of a price.
    package var plan: String?

    package init(id: String, type: String, created: Timestamp) {
        self.id = id
        self.type = type
        self.created = created
    }

    /// Nil for a type that is not used.
    package var kind: Kind? { Kind(rawValue: type) }

    /// Whether a session needs no further payment.
    package var isPaid: Bool { paymentStatus == "paid" || paymentStatus == "no_payment_required" }

    /// Whether this is a session that sells a pack or other single payment.
    package var isSale: Bool { kind?.isSession == true && mode == "payment" }

    /// The subscription whose standing this event is a fact of; nil where it is none.
    package var fact: String? {
        guard let kind, !kind.isSession || mode == "subscription" else { return nil }
        return subscription
    }

    /// Where the event stands among all others: by time, then type, then the bytes of the id.
    package var position: Position {
        Position(created: created, rank: kind?.rank ?? Int.max, id: id)
    }

    /// The order in which events are folded, whenever they arrive.
    package struct Position: Sendable, Hashable, Comparable {
        package var created: Timestamp
        package var rank: Int
        package var id: String

        package init(created: Timestamp, rank: Int, id: String) {
            self.created = created
            self.rank = rank
            self.id = id
        }

        package static func < (left: Position, right: Position) -> Bool {
            if left.created != right.created { return left.created < right.created }
            if left.rank != right.rank { return left.rank < right.rank }
            return left.id.utf8.lexicographicallyPrecedes(right.id.utf8)
        }
    }
}
