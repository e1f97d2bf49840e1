// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// What the events of one subscription of the provider say, folded one after another in the order of their positions.
///
/// A plain value: the same events in the same order give the same fold, and folding on from a kept one (the base) gives what folding all of
/// them gives.
package struct SubscriptionFold: Sendable, Hashable {
    package let subscription: String
    /// Nil as long as nothing but invoices is known: they alone decide nothing.
    package internal(set) var state: SubscriptionState?
    package internal(set) var boughtPlan: String?
    package internal(set) var isPlanKnown = true
    /// Whether the last status that the provider named is one that Tollgate knows.
    package internal(set) var isStatusKnown = true
    package internal(set) var periodStart: Timestamp?
    package internal(set) var periodEnd: Timestamp?
    package internal(set) var cancelAtPeriodEnd = false
    package internal(set) var pastDueSince: Timestamp?
    /// The one whose payment ends the past due; nil = any.
    package internal(set) var failedInvoice: String?
    /// When the provider made the subscription; until it says so, the first event's time.
    package internal(set) var subscribedAt: Timestamp?
    /// The last event that counted.
    package internal(set) var last: ProviderEvent.Position?
    package internal(set) var lastType: String?
    /// `canceled` for good: nothing after it counts.
    package internal(set) var isEnded = false
    /// The plan with the most credits that was in force in the present period while it was paid for or on trial: its credits were granted, and
    /// no cheaper plan takes them back.
    var creditedPlan: String?
    /// The start of the period that this is about.
    var creditedStart: Timestamp?
    var knowsSubscribedAt = false
    var isOnlySession = false
    /// Those that were paid last, the latest at the end.
    var paidInvoices: [String] = []

    /// Two events tell one payment, and stand close together; so many invoices are not between them.
    private static let rememberedInvoices = 16

    /// Nothing is known yet.
    package init(_ subscription: String) { self.subscription = subscription }

    /// Takes the next event: none of an earlier position may have been left out.
    package mutating func take(_ event: ProviderEvent, catalogue: PlanCatalogue) {
        guard let kind = event.kind, !isEnded else { return }
        noteBirth(event)
        last = event.position
        lastType = event.type
        switch kind {
        case .sessionCompleted, .sessionPaidLater: takeSession(event, catalogue)
        case .subscriptionCreated, .subscriptionUpdated: takeSubscription(event, catalogue)
        case .subscriptionDeleted:
            takePlan(event, catalogue, isEnd: true)
            takePeriod(event)
            isStatusKnown = true
            enter(.canceled, at: event.created)
        case .paymentFailed: takeFailure(event)
        case .invoicePaid, .paymentSucceeded: takePayment(event)
        }
        noteCredits(catalogue)
    }

    private mutating func noteCredits(_ catalogue: PlanCatalogue) {
        guard let state, state.grantsCredits, let plan = boughtPlan.flatMap(catalogue.plan) else { return }
        let known = creditedStart == periodStart ? creditedPlan.flatMap(catalogue.plan) : nil
        creditedStart = periodStart
        creditedPlan = [known, plan].compactMap(\.self).max { Self.credits($0) < Self.credits($1) }?.name
    }

    private static func credits(_ plan: Plan) -> Int64 { plan.limits.creditsPerPeriod ?? .max }

    private mutating func noteBirth(_ event: ProviderEvent) {
        if let told = event.subscribedAt, !knowsSubscribedAt {
            subscribedAt = told
            knowsSubscribedAt = true
        } else if subscribedAt == nil {
            subscribedAt = event.created
        }
    }

    private mutating func takeSession(_ event: ProviderEvent, _ catalogue: PlanCatalogue) {
        guard state == nil || isOnlySession else { return }
        isOnlySession = true
        let plan = event.metadataPlan.flatMap(catalogue.plan)?.name
        boughtPlan = plan ?? boughtPlan
        // What was paid once stays paid.
        guard state != .active else { return }
        state = event.isPaid && boughtPlan != nil ? .active : .incomplete
    }

    private mutating func takeSubscription(_ event: ProviderEvent, _ catalogue: PlanCatalogue) {
        guard let status = event.status.flatMap(Self.state(ofStatus:)) else {
            isStatusKnown = false
            return
        }
        isStatusKnown = true
        isOnlySession = false
        takePlan(event, catalogue, isEnd: status == .canceled)
        takePeriod(event)
        cancelAtPeriodEnd = event.cancelAtPeriodEnd ?? cancelAtPeriodEnd
        enter(status, at: event.created)
    }

    private mutating func takePlan(_ event: ProviderEvent, _ catalogue: PlanCatalogue, isEnd: Bool) {
        let found =
            event.plan.flatMap(catalogue.plan)
            ?? catalogue.plans.last { plan in
                plan.stripePriceID.map { event.prices.contains($0) } ?? false
            }
        if let found {
            boughtPlan = found.name
            isPlanKnown = true
        } else if !isEnd || !event.prices.isEmpty {
            isPlanKnown = false
        }
    }

    private mutating func takePeriod(_ event: ProviderEvent) {
        periodStart = event.periodStart ?? periodStart
        periodEnd = event.periodEnd ?? periodEnd
    }

    private mutating func takeFailure(_ event: ProviderEvent) {
        switch state {
        case .active, .trialing:
            enter(.pastDue, at: event.created)
            failedInvoice = event.invoice
        case .pastDue: failedInvoice = failedInvoice ?? event.invoice
        case nil, .unpaid, .incomplete, .canceled: break
        }
    }

    private mutating func takePayment(_ event: ProviderEvent) {
        guard state != nil else { return }
        // Both types tell the same payment: the second must not end a failure that came after the first.
        if let invoice = event.invoice {
            guard !paidInvoices.contains(invoice) else { return }
            paidInvoices = (paidInvoices + [invoice]).suffix(Self.rememberedInvoices)
        }
        switch state {
        case .incomplete: enter(.active, at: event.created)
        case .pastDue where failedInvoice == nil || failedInvoice == event.invoice:
            enter(.active, at: event.created)
        default: break
        }
    }

    private mutating func enter(_ next: SubscriptionState, at time: Timestamp) {
        if next == .pastDue {
            pastDueSince = state == .pastDue ? pastDueSince : time
        } else {
            pastDueSince = nil
            failedInvoice = nil
        }
        state = next
        isEnded = next == .canceled
    }

    /// The state that a status of the provider means; nil where it is none that is listed.
    package static func state(ofStatus status: String) -> SubscriptionState? {
        switch status {
        case "active": .active
        case "trialing": .trialing
        case "past_due": .pastDue
        case "unpaid", "paused": .unpaid
        case "incomplete": .incomplete
        case "canceled", "incomplete_expired": .canceled
        default: nil
        }
    }

    /// What it comes to; nil where nothing is known yet that decides.
    package var standing: ProviderStanding? {
        guard let state, let last, let lastType else { return nil }
        return ProviderStanding(
            subscription: subscription, state: state, boughtPlan: boughtPlan, isPlanKnown: isPlanKnown,
            isStatusKnown: isStatusKnown, creditedPlan: creditedStart == periodStart ? creditedPlan : nil,
            periodStart: periodStart, periodEnd: periodEnd,
            cancelAtPeriodEnd: cancelAtPeriodEnd, pastDueSince: pastDueSince, subscribedAt: subscribedAt,
            lastEventID: last.id, lastEventType: lastType, lastEventCreated: last.created)
    }
}
