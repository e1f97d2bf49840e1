// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials

/// Where the payment provider tells what happened. The call proves itself by the signature over its raw bytes.
struct ProviderEventRoutes: Sendable {
    let services: BillingServices

    var routes: [OwnRoute] {
        var routes = ["/v1/billing/webhooks/stripe", "/v1/webhooks/stripe"].map { path in
            OwnRoute("POST", path, .write, bodyBytes: StripeEventReader.maximumBytes, isRaw: true) {
                call throws(Refusal) in try await receive(call)
            }
        }
        routes.append(
            OwnRoute("POST", "/v1/billing/sync/subscription", .write) { call throws(Refusal) in
                try await syncSubscription(call)
            })
        routes.append(
            OwnRoute("POST", "/v1/billing/sync/credits", .write) { call throws(Refusal) in try await syncCredits(call) }
        )
        routes.append(listing)
        return routes
    }

    private func receive(_ call: OwnCall) async throws(Refusal) -> OwnAnswer {
        // Two headers are one that does not hold: both are looked at, and the check says why.
        let lines = call.exchange.headers.all("stripe-signature")
        let header = lines.isEmpty ? nil : lines.joined(separator: ",")
        let taken = try await services.events.receive(header: header, body: call.bytes)
        var answer = OwnAnswer.object(taken.json)
        answer.auditAction = "billing.provider_event"
        answer.auditMetadata["event_type"] = .string(taken.type)
        answer.auditMetadata["outcome"] = .string(taken.outcome.rawValue)
        return answer
    }

    private func requireFrontend() throws(Refusal) {
        guard services.settings.mode == .frontend else { throw Refusal(.billingMode) }
    }

    private func syncSubscription(_ call: OwnCall) async throws(Refusal) -> OwnAnswer {
        try call.requirePlatform()
        try requireFrontend()
        _ = try call.query.object(known: [])
        let request = try SyncSubscriptionRequest.read(call.body)
        let event = try FrontendSync.subscription(
            .object(call.body), catalogue: services.billing.plans.catalogue)
        return try await services.take(event, account: request.account)
    }

    private func syncCredits(_ call: OwnCall) async throws(Refusal) -> OwnAnswer {
        try call.requirePlatform()
        try requireFrontend()
        _ = try call.query.object(known: [])
        let catalogue = services.billing.plans.catalogue
        let request = try SyncCreditsRequest.read(
            call.body, creditValueMicroUSD: catalogue.creditValueMicroUSD)
        let (account, sale) = try FrontendSync.credits(.object(call.body), catalogue: catalogue)
        let booked = try await services.book(sale, account: account)
        var answer = OwnAnswer.json([
            "status": "ok", "account_id": .string(account), "micro_credits": .int(sale.microCredits),
            "payment_intent_id": .string(request.paymentIntent), "key": .string(sale.key),
            "remaining_micro_credits": .int(booked.after.availableMicroCredits),
        ])
        answer.note(
            account: account, resource: sale.key, before: booked.before.credits, after: booked.after.credits)
        return answer
    }
}

extension BillingServices {
    /// Folds what was reported or read of a subscription, and answers how the account stands then.
    func take(_ event: ProviderEvent, account: String) async throws(Refusal) -> OwnAnswer {
        let before = try await billing.view(account).subscription
        let taken = try await events.take(event)
        let after = try await billing.view(account).subscription
        var object = taken.json.objectValue ?? JSONObject()
        object["subscription"] = after
        var answer = OwnAnswer.json(object)
        answer.note(account: account, resource: event.subscription ?? account, before: before, after: after)
        answer.auditMetadata["outcome"] = .string(taken.outcome.rawValue)
        return answer
    }

    /// Grants what was bought, once for its payment.
    ///
    /// - Throws: 422 `request.idempotency_mismatch` where the same payment bought another amount, or something under another key.
    func book(
        _ sale: PackSale, account: String
    ) async throws(Refusal) -> (before: AccountView, after: AccountView) {
        let before = try await billing.view(account)
        let row = try await rows(account) { try $0.grant(key: sale.key) }
        if let row {
            guard let known = try? Grant(row) else { throw Refusal(.billingUnavailable) }
            guard known.microCredits == sale.microCredits else { throw Refusal(.requestIdempotencyMismatch) }
            return (before, before)
        }
        guard try await events.book(sale, account: account) else {
            throw Refusal(
                .requestIdempotencyMismatch, message: "The payment has bought something before",
                details: ["payment_intent_id": .optional(sale.paymentIntent)])
        }
        return (before, try await billing.view(account))
    }
}
