// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Reads what a front end that takes the payments itself reports, as the same facts that the provider's own events are.
package enum FrontendSync {
    /// What a finished checkout brought.
    package enum Checkout: Sendable, Hashable {
        case subscription(account: String, ProviderEvent)
        case credits(account: String, PackSale)
    }

    private static let statuses: [String: String] = [
        "trial": "trialing", "expired": "unpaid", "error": "incomplete",
    ]

    /// `{event_id, occurred_at, account_id, plan, status, current_period_start, current_period_end, cancel_at_period_end?,
    /// stripe_customer_id?, stripe_subscription_id?}`, folded as an update of the subscription.
    ///
    /// - Throws: 422 `request.invalid` with the field.
    package static func subscription(
        _ json: JSONValue, catalogue: PlanCatalogue
    ) throws(Refusal) -> ProviderEvent {
        let account = try text(json, "account_id")
        var event = try fact(
            json, id: text(json, "event_id"), at: time(json, "occurred_at"), account: account,
            plan: text(json, "plan"), catalogue: catalogue, statuses: [:])
        event.cancelAtPeriodEnd = try flag(json, "cancel_at_period_end") ?? false
        return event
    }

    /// `{event_id, account_id, micro_credits, payment_intent_id, paid_micro_usd}`, once for a payment.
    ///
    /// - Throws: 422 `request.invalid` with the field; more credits than were paid for too.
    package static func credits(
        _ json: JSONValue, catalogue: PlanCatalogue
    ) throws(Refusal) -> (account: String, sale: PackSale) {
        let account = try text(json, "account_id")
        _ = try text(json, "event_id")
        let amount = try positive(json, "micro_credits")
        let payment = try text(json, "payment_intent_id")
        let paid = try positive(json, "paid_micro_usd")
        guard amount <= PackSale.worth(paidMicroUSD: paid, creditValueMicroUSD: catalogue.creditValueMicroUSD) else {
            throw invalid("micro_credits", "These are more credits than were paid for")
        }
        let sale = PackSale(
            key: "pi:\(payment)", microCredits: amount, paymentIntent: payment, reason: "payment \(payment)")
        return (account, sale)
    }

    /// `{session_id, account_id, subscription_info?, credits_added?}`: the subscription counts where both are there.
    ///
    /// - Throws: 400 `request.malformed` where neither is there; 422 `request.invalid` with the field.
    package static func checkout(
        _ json: JSONValue, catalogue: PlanCatalogue, at now: Timestamp
    ) throws(Refusal) -> Checkout {
        let session = try text(json, "session_id")
        let account = try text(json, "account_id")
        if let info = json["subscription_info"], !info.isNull {
            var event = try fact(
                info, id: "cs:\(session)", at: now.cutToSecond, account: account, plan: text(info, "tier"),
                catalogue: catalogue, statuses: statuses)
            event.cancelAtPeriodEnd = try flag(info, "auto_renew").map { !$0 } ?? false
            return .subscription(account: account, event)
        }
        guard let credits = json["credits_added"], !credits.isNull else {
            throw Refusal(
                .requestMalformed, message: "Neither subscription_info nor credits_added is there")
        }
        guard let amount = CreditAmount.microCredits(credits), amount > 0 else { throw invalid("credits_added") }
        return .credits(
            account: account,
            PackSale(
                key: "cs:\(session)", microCredits: amount, paymentIntent: nil, reason: "session \(session)"))
    }

    private static func fact(
        _ json: JSONValue, id: String, at time: Timestamp, account: String, plan: String, catalogue: PlanCatalogue,
        statuses: [String: String]
    ) throws(Refusal) -> ProviderEvent {
        var event = ProviderEvent(id: id, type: ProviderEvent.Kind.subscriptionUpdated.rawValue, created: time)
        guard catalogue.plan(plan) != nil else {
            throw invalid(statuses.isEmpty ? "plan" : "tier", "The catalogue has no such plan")
        }
        let named = try text(json, "status")
        let status = statuses[named] ?? named
        guard SubscriptionFold.state(ofStatus: status) != nil else { throw invalid("status") }
        event.plan = plan
        event.status = status
        event.account = account
        event.isOwn = true
        event.customer = try optionalText(json, "stripe_customer_id")
        event.subscription = try optionalText(json, "stripe_subscription_id") ?? "frontend:\(account)"
        event.periodStart = try self.time(json, "current_period_start")
        event.periodEnd = try self.time(json, "current_period_end")
        guard let start = event.periodStart, let end = event.periodEnd, start < end else {
            throw invalid("current_period_end", "The period ends before it begins")
        }
        return event
    }

    private static func text(_ json: JSONValue, _ name: String) throws(Refusal) -> String {
        guard let text = try optionalText(json, name) else { throw invalid(name) }
        return text
    }

    private static func optionalText(_ json: JSONValue, _ name: String) throws(Refusal) -> String? {
        guard let value = json[name], !value.isNull else { return nil }
        guard let text = value.stringValue, (1...255).contains(text.utf8.count) else { throw invalid(name) }
        return text
    }

    private static func flag(_ json: JSONValue, _ name: String) throws(Refusal) -> Bool? {
        guard let value = json[name], !value.isNull else { return nil }
        guard let flag = value.boolValue else { throw invalid(name) }
        return flag
    }

    private static func positive(_ json: JSONValue, _ name: String) throws(Refusal) -> Int64 {
        guard let number = json[name]?.intValue, (1...1_000_000_000_000_000).contains(number) else {
            throw invalid(name)
        }
        return number
    }

    /// UNIX seconds, or an RFC 3339 text; kept to the second, as the provider's own times are.
    private static func time(_ json: JSONValue, _ name: String) throws(Refusal) -> Timestamp {
        switch json[name] {
        case .int(let seconds) where (0...Timestamp.latest.seconds).contains(seconds):
            return Timestamp(seconds: seconds)
        case .string(let text):
            guard let time = Timestamp(rfc3339: text) else { throw invalid(name) }
            return time.cutToSecond
        default: throw invalid(name)
        }
    }

    private static func invalid(_ field: String, _ message: String? = nil) -> Refusal {
        Refusal(.requestInvalid, message: message, details: ["field": .string(field)])
    }
}
