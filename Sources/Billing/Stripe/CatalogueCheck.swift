// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Compares the prices of the catalogue with those of the provider.
package enum CatalogueCheck {
    /// The currency of every price in a catalogue.
    package static let currency = "usd"

    /// One thing that is not the same.
    package struct Difference: Sendable, Hashable, CustomStringConvertible {
        /// `plan pro` or `pack credits-1000`.
        package let item: String
        package let price: String
        /// `missing`, `inactive`, `amount`, `currency` or `interval`.
        package let what: String
        package let catalogue: String
        package let provider: String

        package var description: String {
            what == "missing"
                ? "\(item): \(price) does not exist"
                : "\(item): \(price) has \(what) \(provider), the catalogue says \(catalogue)"
        }
    }

    private struct Expected {
        let item: String
        let price: String
        let amount: Int64?
        let interval: (unit: String, count: Int64)?
    }

    /// Every difference, in the order of the catalogue; none = every price id exists and says the same.
    ///
    /// - Throws: what the provider's `price` throws.
    package static func differences(
        _ catalogue: PlanCatalogue, at provider: some PaymentProvider
    ) async throws(Refusal) -> [Difference] {
        var found: [Difference] = []
        for wanted in expected(catalogue) {
            found += differences(wanted, try await provider.price(wanted.price))
        }
        return found
    }

    /// How many price ids the catalogue names.
    package static func count(_ catalogue: PlanCatalogue) -> Int { expected(catalogue).count }

    private static func expected(_ catalogue: PlanCatalogue) -> [Expected] {
        let plans = catalogue.plans.compactMap { plan in
            plan.stripePriceID.map {
                Expected(
                    item: "plan \(plan.name)", price: $0, amount: plan.priceMicroUSD,
                    interval: plan.interval == .month ? ("month", 1) : ("day", 30))
            }
        }
        let packs = catalogue.creditPacks.compactMap { pack in
            pack.stripePriceID.map {
                Expected(item: "pack \(pack.id)", price: $0, amount: pack.priceMicroUSD, interval: nil)
            }
        }
        return plans + packs
    }

    private static func differences(_ wanted: Expected, _ found: ProviderPrice?) -> [Difference] {
        func difference(_ what: String, _ catalogue: String, _ provider: String) -> Difference {
            Difference(
                item: wanted.item, price: wanted.price, what: what, catalogue: catalogue, provider: provider)
        }
        guard let found else { return [difference("missing", "", "")] }
        var all: [Difference] = []
        if !found.isActive { all.append(difference("inactive", "active", "inactive")) }
        if let amount = wanted.amount, found.amountMicro != amount {
            all.append(difference("amount", "\(amount)", found.amountMicro.map(String.init) ?? "none"))
        }
        if found.currency != currency { all.append(difference("currency", currency, found.currency)) }
        let intervals = (
            wanted.interval.map { "\($0.count) \($0.unit)" } ?? "once",
            found.interval.map { "\(found.intervalCount) \($0)" } ?? "once"
        )
        if intervals.0 != intervals.1 { all.append(difference("interval", intervals.0, intervals.1)) }
        return all
    }
}
