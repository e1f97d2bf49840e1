// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// A paid pack of credits, as a session of the provider or a front end tells it.
package struct PackSale: Sendable, Hashable {
    /// `cs:<session>` or `pi:<payment intent>`: the grant happens once for each.
    package var key: String
    package var microCredits: Int64
    /// The payment behind it, where it is known: the same payment never buys twice, whichever way it is told.
    package var paymentIntent: String?
    /// For people.
    package var reason: String

    package init(key: String, microCredits: Int64, paymentIntent: String?, reason: String) {
        self.key = key
        self.microCredits = microCredits
        self.paymentIntent = paymentIntent
        self.reason = reason
    }

    /// What the sale uses up: its session or payment as its key names it, and the payment behind a session.
    var purchases: [String] {
        guard let payment = paymentIntent.map(Self.purchase(paymentIntent:)), payment != key else { return [key] }
        return [key, payment]
    }

    /// The key of what a payment buys by itself.
    static func purchase(paymentIntent: String) -> String { "pi:\(paymentIntent)" }

    /// What a session comes to.
    package enum Reading: Sendable, Hashable {
        /// It sells nothing of ours.
        case nothing
        /// It is not paid yet: the event of the payment follows.
        case waits
        /// It is paid, and the catalogue does not know the pack.
        case unknownPack(String)
        case sale(PackSale)
    }

    /// Reads the event of a session of mode `payment`.
    package static func read(_ event: ProviderEvent, catalogue: PlanCatalogue) -> Reading {
        guard event.isSale, let session = event.session, let name = event.pack else { return .nothing }
        guard event.isPaid || event.kind == .sessionPaidLater else { return .waits }
        guard let pack = catalogue.creditPacks.first(where: { $0.id == name }) else { return .unknownPack(name) }
        return .sale(
            PackSale(
                key: "cs:\(session)", microCredits: pack.microCredits, paymentIntent: event.paymentIntent,
                reason: "pack \(pack.id)"))
    }

    /// The most micro-credits that an amount of money has paid for; saturates.
    package static func worth(paidMicroUSD: Int64, creditValueMicroUSD: Int64) -> Int64 {
        let (product, overflow) = max(0, paidMicroUSD).multipliedReportingOverflow(by: 1_000_000 / creditValueMicroUSD)
        return overflow ? .max : product
    }
}
