// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import Pipeline

/// Purchases that older callers report. In mode `direct` nothing of what they say counts but the id, which is looked up at the provider.
extension BillingAliasRoutes {
    /// `{amount, payment_intent_id?, account_id?, reason?}`
    func addCredits(_ call: OwnCall) async throws(Refusal) -> OwnAnswer {
        try call.requirePlatform()
        let request = try AddCreditsRequest.read(call.body)
        let account = try call.writtenAccount(request.account)
        guard let payment = request.paymentIntent else { return try await give(request, account, call) }
        var sale = PackSale(
            key: "pi:\(payment)", microCredits: request.microCredits, paymentIntent: payment,
            reason: request.reason ?? "payment \(payment)")
        if services.settings.mode == .direct { try await check(payment, of: account, against: &sale) }
        let booked = try await services.book(sale, account: account)
        var answer = Self.added(sale.microCredits, booked.after)
        answer.note(
            account: account, resource: sale.key, before: booked.before.credits, after: booked.after.credits)
        return answer
    }

    /// Without a payment only a platform admin gives credits, and says why.
    private func give(
        _ request: AddCreditsRequest, _ account: String, _ call: OwnCall
    ) async throws(Refusal) -> OwnAnswer {
        try call.requirePlatformAdmin()
        guard let reason = request.reason else {
            try OwnCall.refuse("reason", "required without payment_intent_id")
            throw Refusal(.requestInvalid)
        }
        let before = try await services.billing.view(account).credits
        let order = GrantOrder(
            key: call.wish("credits-add"), microCredits: request.microCredits, source: .admin, reason: reason)
        let grant = try await services.billing.grant(order, account: account, actor: call.actor)
        let view = try await services.billing.view(account)
        var answer = Self.added(request.microCredits, view)
        answer.note(account: account, resource: grant.grant.id, before: before, after: view.credits)
        answer.auditMetadata["reason"] = .string(reason)
        return answer
    }

    private static func added(_ microCredits: Int64, _ view: AccountView) -> OwnAnswer {
        .json([
            "success": true, "credits_added": .int(whole(microCredits)),
            "credits_added_micro_credits": .int(microCredits),
            "total_credits": .int(whole(view.availableMicroCredits)),
            "total_micro_credits": .int(view.availableMicroCredits),
        ])
    }

    /// The number of credits comes from what was paid.
    ///
    /// - Throws: 422 `request.invalid` where the payment has not succeeded, is another customer's, pays an invoice or bought another amount.
    private func check(
        _ payment: String, of account: String, against sale: inout PackSale
    ) async throws(Refusal) {
        let paid = try await services.configuredProvider().paymentIntent(payment)
        let customers = try await services.customers(of: account)
        guard paid.customer.map(customers.contains) ?? false else {
            return try OwnCall.refuse("payment_intent_id", "not a payment of this account's customer")
        }
        guard paid.isSucceeded, paid.currency == "usd" else {
            return try OwnCall.refuse("payment_intent_id", "not a payment in usd that has succeeded")
        }
        guard paid.invoice == nil else {
            return try OwnCall.refuse("payment_intent_id", "the payment of an invoice, which bought what it lists")
        }
        let (dollars, overflow) = paid.amountReceived.multipliedReportingOverflow(by: Self.microUSDPerCent)
        guard !overflow else { throw Refusal(.billingOverflow) }
        let value = services.billing.plans.catalogue.creditValueMicroUSD
        let worth = PackSale.worth(paidMicroUSD: dollars, creditValueMicroUSD: value)
        guard sale.microCredits == worth else {
            return try OwnCall.refuse("amount", "not what was paid for: \(CreditText.credits(worth))")
        }
        sale.microCredits = worth
    }

    private static let microUSDPerCent: Int64 = 10_000

    /// `{session_id, account_id, subscription_info?, credits_added?}`
    func processCheckout(_ call: OwnCall) async throws(Refusal) -> OwnAnswer {
        try call.requirePlatform()
        let request = try ProcessCheckoutRequest.read(call.body)
        let account = try call.writtenAccount(request.account)
        guard services.settings.mode == .frontend else { return try await readSession(request.session, account) }
        _ = try request.purchase()
        let reported = try FrontendSync.checkout(
            .object(call.body), catalogue: services.billing.plans.catalogue, at: services.clock.now())
        switch reported {
        case .subscription(let account, let event): return try await processed(event, account)
        case .credits(let account, let sale):
            let booked = try await services.book(sale, account: account)
            var answer = Self.added(sale.microCredits, booked.after)
            answer.note(
                account: account, resource: sale.key, before: booked.before.credits, after: booked.after.credits)
            return answer
        }
    }

    /// The session has to be complete and to carry the account.
    private func readSession(_ id: String, _ account: String) async throws(Refusal) -> OwnAnswer {
        let session = try await services.configuredProvider().session(id)
        guard session.isComplete else {
            try OwnCall.refuse("session_id", "not a session that is complete")
            throw Refusal(.requestInvalid)
        }
        // Paid later, it would have been taken once already.
        guard !session.fact.isSale || session.fact.isPaid else {
            try OwnCall.refuse("session_id", "not a session that is paid")
            throw Refusal(.requestInvalid)
        }
        guard let owner = session.fact.account, owner.utf8.elementsEqual(account.utf8) else {
            try OwnCall.refuse("account_id", "not the account of the session")
            throw Refusal(.requestInvalid)
        }
        return try await processed(session.fact, account)
    }

    private func processed(_ event: ProviderEvent, _ account: String) async throws(Refusal) -> OwnAnswer {
        var answer = try await services.take(event, account: account)
        answer.json?["success"] = true
        return answer
    }
}
