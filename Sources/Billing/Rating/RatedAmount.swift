// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// What a use costs. Each figure is rounded once, from the exact value.
package struct RatedAmount: Sendable, Hashable {
    /// Without markup.
    package var listMicroUSD: Int64
    /// With markup: what is charged.
    package var chargeMicroUSD: Int64
    /// The charge in credits, exact.
    package var chargeMicroCredits: Int64
    /// Of the price list by which it was rated.
    package var priceVersion: String
    /// The price stands in for an unknown model's.
    package var isQuarantined: Bool
    /// The id of the model, also where an alias was named; nil where no model has a price.
    package var model: String?

    /// What is shown as markup.
    package var markupMicroUSD: Int64 { chargeMicroUSD - listMicroUSD }

    package init(
        listMicroUSD: Int64, chargeMicroUSD: Int64, chargeMicroCredits: Int64, priceVersion: String,
        isQuarantined: Bool = false, model: String? = nil
    ) {
        self.listMicroUSD = listMicroUSD
        self.chargeMicroUSD = chargeMicroUSD
        self.chargeMicroCredits = chargeMicroCredits
        self.priceVersion = priceVersion
        self.isQuarantined = isQuarantined
        self.model = model
    }

    /// Rounds an exact price.
    ///
    /// - Parameters:
    ///   - exact: the list price in parts of a micro-US-dollar, at least 0.
    ///   - parts: how many parts make one micro-US-dollar, at least 1.
    ///   - creditValueMicroUSD: what a credit is worth; divides 1 000 000.
    /// - Throws: `billing.overflow`.
    init(
        exact: Int128, parts: Int128, markup: MarkupPercent, creditValueMicroUSD: Int64, priceVersion: String,
        isQuarantined: Bool = false, model: String? = nil
    ) throws(Refusal) {
        let (marked, overflow) = exact.multipliedReportingOverflow(by: Int128(10_000 + markup.hundredths))
        guard !overflow else { throw Refusal(.billingOverflow) }
        let charge = try HalfUp.quotient(marked, parts * 10_000)
        self.init(
            listMicroUSD: try HalfUp.quotient(exact, parts), chargeMicroUSD: charge,
            chargeMicroCredits: try Self.microCredits(charge, creditValueMicroUSD: creditValueMicroUSD),
            priceVersion: priceVersion, isQuarantined: isQuarantined, model: model)
    }

    /// Micro-US-dollars in credits, exact.
    ///
    /// - Parameter creditValueMicroUSD: divides 1 000 000.
    /// - Throws: `billing.overflow`.
    package static func microCredits(_ microUSD: Int64, creditValueMicroUSD: Int64) throws(Refusal) -> Int64 {
        let (product, overflow) = microUSD.multipliedReportingOverflow(by: 1_000_000 / max(1, creditValueMicroUSD))
        guard !overflow else { throw Refusal(.billingOverflow) }
        return product
    }
}
