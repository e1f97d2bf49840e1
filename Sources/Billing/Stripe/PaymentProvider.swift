// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// What Tollgate asks of the payment provider.
///
/// Every call throws 402 `stripe.card_error`, 502 `stripe.upstream_error` or 503 `billing.not_configured`. A call that writes takes the
/// account and a `wish`: the same wish of the same account again, after a crash or a lost answer, is the same call and has its effect once.
package protocol PaymentProvider: Sendable {
    /// Makes a customer of the account.
    func createCustomer(account: String, wish: String) async throws(Refusal) -> ProviderCustomer
    func customer(_ id: String) async throws(Refusal) -> ProviderCustomer
    /// Where the customer pays.
    func createCheckout(_ checkout: CheckoutRequest, wish: String) async throws(Refusal) -> String
    /// Where the customer sees and changes what was bought.
    func createPortal(
        account: String, customer: String, returnURL: String, wish: String
    ) async throws(Refusal) -> String
    func subscription(_ id: String) async throws(Refusal) -> ProviderSubscription
    /// At the end of the period, or at once.
    func cancel(
        _ subscription: String, atPeriodEnd: Bool, account: String, wish: String
    ) async throws(Refusal) -> ProviderSubscription
    /// Another price for an item, with proration.
    func change(
        _ subscription: String, item: String, price: String, account: String, wish: String
    ) async throws(Refusal) -> ProviderSubscription
    /// The newest first.
    func invoices(customer: String, limit: Int) async throws(Refusal) -> [ProviderInvoice]
    func paymentIntent(_ id: String) async throws(Refusal) -> ProviderPayment
    /// As the event of its completion tells it.
    func session(_ id: String) async throws(Refusal) -> ProviderSession
    /// Nil where there is none of that id.
    func price(_ id: String) async throws(Refusal) -> ProviderPrice?
    /// Reports metered use; the identifier tells repeats apart.
    func report(_ report: MeterReport, event: String, customer: String) async throws(Refusal)
}

/// A customer of the provider.
package struct ProviderCustomer: Sendable, Hashable {
    package var id: String
    package var hasPaymentMethod: Bool

    package init(id: String, hasPaymentMethod: Bool) {
        self.id = id
        self.hasPaymentMethod = hasPaymentMethod
    }
}

/// What is sold by a checkout.
package struct CheckoutRequest: Sendable, Hashable {
    /// What is bought. Prices come from the catalogue and from nowhere else.
    package enum Goods: Sendable, Hashable {
        /// `trialDays`: 0 = none.
        case plan(name: String, price: String, trialDays: Int64)
        case pack(id: String, price: String)
    }

    package var account: String
    /// Nil where the provider makes one.
    package var customer: String?
    package var goods: Goods
    package var successURL: String
    package var cancelURL: String

    package init(account: String, customer: String?, goods: Goods, successURL: String, cancelURL: String) {
        self.account = account
        self.customer = customer
        self.goods = goods
        self.successURL = successURL
        self.cancelURL = cancelURL
    }
}

/// A subscription as it was read, in the form of an update of it.
package struct ProviderSubscription: Sendable, Hashable {
    package var fact: ProviderEvent
    /// Ids of its items, in the order of their prices.
    package var items: [String]

    package init(fact: ProviderEvent, items: [String]) {
        self.fact = fact
        self.items = items
    }
}

/// A checkout session as it was read, in the form of its completion.
package struct ProviderSession: Sendable, Hashable {
    package var fact: ProviderEvent
    package var isComplete: Bool

    package init(fact: ProviderEvent, isComplete: Bool) {
        self.fact = fact
        self.isComplete = isComplete
    }
}

/// A single payment.
package struct ProviderPayment: Sendable, Hashable {
    package var id: String
    package var customer: String?
    package var isSucceeded: Bool
    /// In the smallest unit of its currency.
    package var amountReceived: Int64
    /// Lower case.
    package var currency: String
    /// The invoice that it pays; nil where it pays none, or the provider's version does not say.
    package var invoice: String?

    package init(
        id: String, customer: String?, isSucceeded: Bool, amountReceived: Int64, currency: String,
        invoice: String? = nil
    ) {
        self.invoice = invoice
        self.id = id
        self.customer = customer
        self.isSucceeded = isSucceeded
        self.amountReceived = amountReceived
        self.currency = currency
    }
}

/// A price of the provider.
package struct ProviderPrice: Sendable, Hashable {
    package var id: String
    /// In micro-units of its currency; nil where it is no fixed amount.
    package var amountMicro: Int64?
    /// Lower case.
    package var currency: String
    /// `month`, `day`, …; nil for a single payment.
    package var interval: String?
    package var intervalCount: Int64
    package var isActive: Bool

    package init(
        id: String, amountMicro: Int64?, currency: String, interval: String?, intervalCount: Int64 = 1,
        isActive: Bool = true
    ) {
        self.id = id
        self.amountMicro = amountMicro
        self.currency = currency
        self.interval = interval
        self.intervalCount = intervalCount
        self.isActive = isActive
    }
}
