// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// `POST /v1/billing/sync/subscription`: `{event_id, occurred_at, account_id, plan, status, current_period_start, current_period_end,
/// cancel_at_period_end?, stripe_customer_id?, stripe_subscription_id?}`
package struct SyncSubscriptionRequest: Sendable, Hashable {
    package var eventID: String
    package var occurredAt: Timestamp
    package var account: String
    package var plan: String
    /// As the payment provider names it.
    package var status: String
    package var periodStart: Timestamp
    package var periodEnd: Timestamp
    package var cancelAtPeriodEnd: Bool
    package var customer: String?
    package var subscription: String?

    /// - Throws: `request.malformed`, `request.invalid`.
    package static func read(_ body: JSONObject) throws(Refusal) -> SyncSubscriptionRequest {
        var fields = try BodyFields(
            body,
            known: [
                "event_id", "occurred_at", "account_id", "plan", "status", "current_period_start",
                "current_period_end", "cancel_at_period_end", "stripe_customer_id", "stripe_subscription_id",
            ])
        let request = SyncSubscriptionRequest(
            eventID: fields.requiredText("event_id"), occurredAt: fields.requiredInstant("occurred_at"),
            account: fields.requiredText("account_id"), plan: fields.requiredText("plan", atMost: 63),
            status: fields.requiredText("status", atMost: 63),
            periodStart: fields.requiredInstant("current_period_start"),
            periodEnd: fields.requiredInstant("current_period_end"),
            cancelAtPeriodEnd: fields.flag("cancel_at_period_end") ?? false,
            customer: fields.text("stripe_customer_id"), subscription: fields.text("stripe_subscription_id"))
        if fields.faults.isEmpty, request.periodEnd <= request.periodStart {
            fields.fault("current_period_end", "not after current_period_start")
        }
        try fields.finish()
        return request
    }
}

/// `POST /v1/billing/sync/credits`: `{event_id, account_id, micro_credits, payment_intent_id, paid_micro_usd}`
package struct SyncCreditsRequest: Sendable, Hashable {
    package var eventID: String
    package var account: String
    package var microCredits: Int64
    package var paymentIntent: String
    package var paidMicroUSD: Int64

    /// - Parameter creditValueMicroUSD: what a credit is worth; divides 1 000 000.
    /// - Throws: `request.malformed`, `request.invalid`: also for more credits than were paid for.
    package static func read(
        _ body: JSONObject, creditValueMicroUSD: Int64
    ) throws(Refusal) -> SyncCreditsRequest {
        var fields = try BodyFields(
            body, known: ["event_id", "account_id", "micro_credits", "payment_intent_id", "paid_micro_usd"])
        let request = SyncCreditsRequest(
            eventID: fields.requiredText("event_id"), account: fields.requiredText("account_id"),
            microCredits: fields.requiredNumber("micro_credits", 1...BodyFields.maximumAmount),
            paymentIntent: fields.requiredText("payment_intent_id"),
            paidMicroUSD: fields.requiredNumber("paid_micro_usd", 0...BodyFields.maximumAmount))
        if fields.faults.isEmpty {
            let paidFor = try RatedAmount.microCredits(
                request.paidMicroUSD, creditValueMicroUSD: creditValueMicroUSD)
            if request.microCredits > paidFor { fields.fault("micro_credits", "more than was paid for: \(paidFor)") }
        }
        try fields.finish()
        return request
    }
}
