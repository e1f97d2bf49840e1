// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Billing
package import Essentials

extension StripeClient: PaymentProvider {
    package func createCustomer(account: String, wish: String) async throws(Refusal) -> ProviderCustomer {
        let form: FormBody = FormBody(["metadata[tollgate_account]": account])
        let json = try await write(.createCustomer, "POST", "/v1/customers", form: form, account: account, wish: wish)
        return try StripeReading.customer(json)
    }

    package func customer(_ id: String) async throws(Refusal) -> ProviderCustomer {
        try StripeReading.customer(try await get(.readCustomer, "/v1/customers/\(FormBody.encoded(id))"))
    }

    package func createCheckout(_ checkout: CheckoutRequest, wish: String) async throws(Refusal) -> String {
        var form = FormBody()
        let price: String
        switch checkout.goods {
        case .plan(let name, let id, let trialDays):
            price = id
            form.add("mode", "subscription")
            form.add("metadata[tollgate_plan]", name)
            form.add("subscription_data[metadata][tollgate_account]", checkout.account)
            form.add("subscription_data[metadata][tollgate_plan]", name)
            if trialDays > 0 { form.add("subscription_data[trial_period_days]", "\(trialDays)") }
        case .pack(let name, let id):
            price = id
            form.add("mode", "payment")
            form.add("metadata[tollgate_pack]", name)
        }
        form.add("line_items[0][price]", price)
        form.add("line_items[0][quantity]", "1")
        form.add("client_reference_id", checkout.account)
        form.add("metadata[tollgate_account]", checkout.account)
        form.add("customer", checkout.customer)
        form.add("success_url", checkout.successURL)
        form.add("cancel_url", checkout.cancelURL)
        let json = try await write(
            .createCheckout, "POST", "/v1/checkout/sessions", form: form, account: checkout.account, wish: wish)
        return try StripeReading.text(json, "url")
    }

    package func createPortal(
        account: String, customer: String, returnURL: String, wish: String
    ) async throws(Refusal) -> String {
        let form = FormBody(["customer": customer, "return_url": returnURL])
        let json = try await write(
            .createPortal, "POST", "/v1/billing_portal/sessions", form: form, account: account, wish: wish)
        return try StripeReading.text(json, "url")
    }

    package func subscription(_ id: String) async throws(Refusal) -> ProviderSubscription {
        let json = try await get(.readSubscription, "/v1/subscriptions/\(FormBody.encoded(id))")
        return try StripeReading.subscription(json)
    }

    package func cancel(
        _ subscription: String, atPeriodEnd: Bool, account: String, wish: String
    ) async throws(Refusal) -> ProviderSubscription {
        let path = "/v1/subscriptions/\(FormBody.encoded(subscription))"
        let json =
            if atPeriodEnd {
                try await write(
                    .cancelSubscription, "POST", path, form: FormBody(["cancel_at_period_end": "true"]),
                    account: account, wish: wish)
            } else {
                try await write(.cancelSubscription, "DELETE", path, form: FormBody(), account: account, wish: wish)
            }
        return try StripeReading.subscription(json)
    }

    package func change(
        _ subscription: String, item: String, price: String, account: String, wish: String
    ) async throws(Refusal) -> ProviderSubscription {
        let form = FormBody([
            "items[0][id]": item, "items[0][price]": price, "proration_behavior": "create_prorations",
        ])
        let json = try await write(
            .changeSubscription, "POST", "/v1/subscriptions/\(FormBody.encoded(subscription))", form: form,
            account: account, wish: wish)
        return try StripeReading.subscription(json)
    }

    package func invoices(customer: String, limit: Int) async throws(Refusal) -> [ProviderInvoice] {
        let json = try await get(
            .listInvoices, "/v1/invoices?customer=\(FormBody.encoded(customer))&limit=\(min(max(1, limit), 100))")
        guard let list = json["data"]?.arrayValue else { throw StripeReading.unreadable("data") }
        var invoices: [ProviderInvoice] = []
        for entry in list { invoices.append(try StripeReading.invoice(entry)) }
        return invoices
    }

    package func paymentIntent(_ id: String) async throws(Refusal) -> ProviderPayment {
        let json = try await get(.readPaymentIntent, "/v1/payment_intents/\(FormBody.encoded(id))")
        return try StripeReading.payment(json)
    }

    package func session(_ id: String) async throws(Refusal) -> ProviderSession {
        let json = try await get(.readSession, "/v1/checkout/sessions/\(FormBody.encoded(id))")
        return try StripeReading.session(json)
    }

    package func price(_ id: String) async throws(Refusal) -> ProviderPrice? {
        do throws(Refusal) {
            return try StripeReading.price(try await get(.readPrice, "/v1/prices/\(FormBody.encoded(id))"))
        } catch {
            if error.details?["stripe_code"] == "resource_missing" { return nil }
            throw error
        }
    }

    package func report(_ report: MeterReport, event: String, customer: String) async throws(Refusal) {
        let form = FormBody([
            "event_name": event, "payload[stripe_customer_id]": customer, "payload[value]": "\(report.value)",
            "identifier": report.identifier,
        ])
        _ = try await write(
            .reportUsage, "POST", "/v1/billing/meter_events", form: form, account: report.account,
            wish: report.identifier)
    }
}
