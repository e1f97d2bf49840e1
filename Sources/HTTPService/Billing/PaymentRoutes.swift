// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials

/// What the payment provider is asked to do for an account: customer, checkout, portal, subscription, invoices.
struct PaymentRoutes: Sendable {
    let services: BillingServices

    private static let base = "/v1/billing"

    var routes: [OwnRoute] {
        [
            OwnRoute("POST", Self.base + "/setup", .write) { call throws(Refusal) in
                try call.takesNoBody()
                let account = try call.writtenAccount()
                let customer = try await services.customer(of: account, provider: try services.configuredProvider())
                var answer = OwnAnswer.json([
                    "customer_id": .string(customer.id), "has_payment_method": .bool(customer.hasPaymentMethod),
                ])
                answer.note(account: account, resource: customer.id)
                return answer
            },
            OwnRoute("POST", Self.base + "/checkout", .write) { call throws(Refusal) in try await checkout(call) },
            OwnRoute("POST", Self.base + "/portal", .write) { call throws(Refusal) in try await portal(call) },
            OwnRoute("POST", Self.base + "/subscription/cancel", .write) { call throws(Refusal) in
                try await cancel(call)
            },
            OwnRoute("POST", Self.base + "/subscription/change", .write) { call throws(Refusal) in
                try await change(call)
            },
            OwnRoute("GET", Self.base + "/invoices", .read) { call throws(Refusal) in try await invoices(call) },
        ]
    }

    private func checkout(_ call: OwnCall) async throws(Refusal) -> OwnAnswer {
        let request = try CheckoutBody.read(call.body, hosts: services.settings.redirectHosts)
        let account = try call.writtenAccount()
        let provider = try services.configuredProvider()
        let goods = try await self.goods(request.wanted, account: account)
        let customer = try await services.customer(of: account, provider: provider)
        let url = try await provider.createCheckout(
            CheckoutRequest(
                account: account, customer: customer.id, goods: goods, successURL: request.successURL,
                cancelURL: request.cancelURL), wish: call.wish("checkout"))
        var answer = OwnAnswer.json(["checkout_url": .string(url)])
        answer.note(account: account, resource: request.wanted.name)
        return answer
    }

    /// Prices come from the catalogue and from nowhere else; only the first subscription of an account begins with a trial.
    ///
    /// - Throws: 400 `billing.unknown_plan`.
    private func goods(
        _ wanted: CheckoutBody.Wanted, account: String
    ) async throws(Refusal) -> CheckoutRequest.Goods {
        let catalogue = services.billing.plans.catalogue
        switch wanted {
        case .pack(let id):
            guard let price = catalogue.creditPacks.first(where: { $0.id == id })?.stripePriceID else {
                throw Refusal(.billingUnknownPlan, details: ["pack": .string(id)])
            }
            return .pack(id: id, price: price)
        case .plan(let name):
            let (plan, price) = try services.pricedPlan(name)
            let known = try await services.rows(account) { try $0.named(.providerSubscription, after: nil, limit: 1) }
            return .plan(name: name, price: price, trialDays: known.isEmpty ? plan.trialDays : 0)
        }
    }

    private func portal(_ call: OwnCall) async throws(Refusal) -> OwnAnswer {
        try BodyReader.checkMembers(of: call.body, known: ["return_url"])
        var reader = FieldReader()
        let hosts = services.settings.redirectHosts
        let target = RedirectTarget.read("return_url", call.body, hosts: hosts, &reader)
        try reader.finish()
        let account = try call.writtenAccount()
        let provider = try services.configuredProvider()
        let customer = try await services.customer(of: account, provider: provider)
        let url = try await provider.createPortal(
            account: account, customer: customer.id, returnURL: target, wish: call.wish("portal"))
        var answer = OwnAnswer.json(["portal_url": .string(url)])
        answer.note(account: account, resource: customer.id)
        return answer
    }

    private func cancel(_ call: OwnCall) async throws(Refusal) -> OwnAnswer {
        var reader = FieldReader()
        try reader.checkMembers(of: call.body, known: ["at_period_end"])
        var atPeriodEnd = true
        if call.body["at_period_end"] != nil { atPeriodEnd = reader.flag(call.body, "at_period_end") }
        try reader.finish()
        let account = try call.writtenAccount()
        let provider = try services.configuredProvider()
        let subscription = try await services.providerSubscription(of: account)
        let read = try await provider.cancel(
            subscription, atPeriodEnd: atPeriodEnd, account: account, wish: call.wish("cancel"))
        return try await changed(read, account)
    }

    private func change(_ call: OwnCall) async throws(Refusal) -> OwnAnswer {
        var reader = FieldReader()
        try reader.checkMembers(of: call.body, known: ["new_plan"])
        let name = reader.text(call.body, "new_plan", required: true) ?? ""
        try reader.finish()
        let account = try call.writtenAccount()
        let provider = try services.configuredProvider()
        let (_, price) = try services.pricedPlan(name)
        let id = try await services.providerSubscription(of: account)
        guard let item = try await provider.subscription(id).items.first else {
            throw Refusal(.stripeUpstreamError, message: "The subscription has no item")
        }
        let read = try await provider.change(
            id, item: item, price: price, account: account, wish: call.wish("change"))
        return try await changed(read, account)
    }

    /// What was read is folded at once, so that nobody waits for its event.
    private func changed(_ read: ProviderSubscription, _ account: String) async throws(Refusal) -> OwnAnswer {
        let event = read.event(of: account, at: services.clock.now(), random: SystemRandomSource())
        var answer = try await services.take(event, account: account)
        answer.json = answer.json?["subscription"]?.objectValue
        return answer
    }

    private func invoices(_ call: OwnCall) async throws(Refusal) -> OwnAnswer {
        let (query, account) = try call.billingQuery("limit")
        var limit = 10
        if let text = query["limit"]?.stringValue {
            limit = text.utf8.count <= 3 ? Int(text) ?? 0 : 0
            if !(1...100).contains(limit) { try OwnCall.refuse("limit", "not a whole number from 1 to 100") }
        }
        let provider = try services.configuredProvider()
        var invoices: [ProviderInvoice] = []
        for customer in try await services.customers(of: account) {
            invoices += try await provider.invoices(customer: customer, limit: limit)
        }
        invoices.sort { ($1.created, $1.id) < ($0.created, $0.id) }
        return .json(["invoices": .array(invoices.prefix(limit).map(\.json))])
    }
}

extension BillingServices {
    func customers(of account: String) async throws(Refusal) -> [String] {
        try await rows(account) { try $0.customers() }
    }

    /// The account's customer, made and linked where there is none.
    func customer(of account: String, provider: any PaymentProvider) async throws(Refusal) -> ProviderCustomer {
        if let known = try await customers(of: account).first { return try await provider.customer(known) }
        // The wish is the same however often it is tried: two calls at once make one customer.
        let made = try await provider.createCustomer(account: account, wish: "customer")
        let linked: String
        do {
            linked = try await billing.ledger.transact(account) { transaction in
                if let other = try transaction.customers().first { return other }
                try transaction.link(customer: made.id)
                return made.id
            }
        } catch {
            throw Refusal(.billingUnavailable)
        }
        return linked == made.id ? made : try await provider.customer(linked)
    }

    /// The provider's subscription that the account has.
    ///
    /// - Throws: 404 `billing.no_subscription`.
    func providerSubscription(of account: String) async throws(Refusal) -> String {
        let view = try await billing.view(account)
        guard view.standing.source == .stripe, view.standing.state != .canceled,
            let subscription = view.book.provider?.subscription
        else { throw Refusal(.billingNoSubscription) }
        return subscription
    }

    /// - Throws: 400 `billing.unknown_plan`, also for one without a price at the provider.
    func pricedPlan(_ name: String) throws(Refusal) -> (plan: Plan, price: String) {
        guard let plan = billing.plans.catalogue.plan(name), let price = plan.stripePriceID else {
            throw Refusal(.billingUnknownPlan, details: ["plan": .string(String(name.prefix(64)))])
        }
        return (plan, price)
    }
}
