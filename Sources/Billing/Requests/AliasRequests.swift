// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// `POST /billing/credits/add`: `{amount, payment_intent_id?, account_id?, reason?}`
package struct AddCreditsRequest: Sendable, Hashable {
    /// `amount`, in micro-credits.
    package var microCredits: Int64
    package var paymentIntent: String?
    /// Nil = the caller's tenant.
    package var account: String?
    package var reason: String?

    /// - Throws: `request.malformed`, `request.invalid`.
    package static func read(_ body: JSONObject) throws(Refusal) -> AddCreditsRequest {
        var fields = try BodyFields(body, known: ["amount", "payment_intent_id", "account_id", "reason"])
        if !fields.has("amount") { fields.fault("amount", "required") }
        let request = AddCreditsRequest(
            microCredits: fields.credits("amount") ?? 0, paymentIntent: fields.text("payment_intent_id"),
            account: fields.text("account_id"), reason: fields.text("reason"))
        try fields.finish()
        return request
    }
}

/// `POST /billing/checkout/process`: `{session_id, account_id, subscription_info?, credits_added?}`
package struct ProcessCheckoutRequest: Sendable, Hashable {
    /// What a front end knows of a subscription. Limits in it are not kept: the catalogue decides.
    package struct SubscriptionInfo: Sendable, Hashable {
        package var customer: String?
        package var subscription: String?
        /// Name of the plan.
        package var tier: String
        /// As the payment provider names it, also where the front end has another word.
        package var status: String
        package var createdAt: Timestamp?
        package var periodStart: Timestamp
        package var periodEnd: Timestamp
        package var renews: Bool
    }

    /// What was bought.
    package enum Purchase: Sendable, Hashable {
        case subscription(SubscriptionInfo)
        case microCredits(Int64)
    }

    package var session: String
    package var account: String
    package var subscriptionInfo: SubscriptionInfo?
    /// `credits_added`, in micro-credits.
    package var microCredits: Int64?

    /// What the body says was bought: where it says both, the subscription counts.
    ///
    /// - Throws: `request.malformed` where it says neither.
    package func purchase() throws(Refusal) -> Purchase {
        if let subscriptionInfo { return .subscription(subscriptionInfo) }
        if let microCredits { return .microCredits(microCredits) }
        throw Refusal(.requestMalformed, message: "subscription_info or credits_added is required")
    }

    /// - Throws: `request.malformed`, `request.invalid`.
    package static func read(_ body: JSONObject) throws(Refusal) -> ProcessCheckoutRequest {
        var fields = try BodyFields(body, known: ["session_id", "account_id", "subscription_info", "credits_added"])
        let session = fields.requiredText("session_id")
        let account = fields.requiredText("account_id")
        let info = try fields.inner("subscription_info").map { (info) throws(Refusal) in try read(info, &fields) }
        let credits = fields.credits("credits_added")
        try fields.finish()
        return ProcessCheckoutRequest(
            session: session, account: account, subscriptionInfo: info, microCredits: credits)
    }

    private static func read(_ body: JSONObject, _ outer: inout BodyFields) throws(Refusal) -> SubscriptionInfo {
        var fields = try BodyFields(
            body,
            known: [
                "stripe_customer_id", "stripe_subscription_id", "tier", "status", "created_at", "current_period_start",
                "current_period_end", "auto_renew", "max_agents", "inference_credits_per_period",
            ], path: "subscription_info.")
        let status = fields.requiredText("status", atMost: 63)
        let info = SubscriptionInfo(
            customer: fields.text("stripe_customer_id"), subscription: fields.text("stripe_subscription_id"),
            tier: fields.requiredText("tier", atMost: 63), status: providerStatus[status] ?? status,
            createdAt: fields.instant("created_at", orSeconds: true),
            periodStart: fields.requiredInstant("current_period_start", orSeconds: true),
            periodEnd: fields.requiredInstant("current_period_end", orSeconds: true),
            renews: fields.flag("auto_renew") ?? true)
        if fields.faults.isEmpty, info.periodEnd <= info.periodStart {
            fields.fault("current_period_end", "not after current_period_start")
        }
        outer.take(fields)
        return info
    }

    /// The words of the alias that are others than the provider's.
    private static let providerStatus = ["trial": "trialing", "expired": "unpaid", "error": "incomplete"]
}
