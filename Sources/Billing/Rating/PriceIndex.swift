// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Finds prices by name, provider and instant, without a search over the list.
struct PriceIndex: Sendable {
    /// The prices of a name at one provider, those that begin last first.
    private struct Offer: Sendable {
        var provider: String
        var prices: [(from: Timestamp?, place: Int)]

        func at(_ instant: Timestamp) -> Int? {
            prices.first { $0.from.map { $0 <= instant } ?? true }?.place
        }
    }

    private var offers: [String: [Offer]] = [:]

    init(_ models: [ModelPrice]) {
        for (place, price) in models.enumerated() {
            for name in price.names {
                for provider in price.providers { add(name, provider, price.effectiveFrom, place) }
            }
        }
        for (name, list) in offers {
            offers[name] = list.map { offer in
                Offer(
                    provider: offer.provider,
                    prices: offer.prices.sorted { ($0.from?.microseconds ?? .min) > ($1.from?.microseconds ?? .min) })
            }
        }
    }

    /// The place of the price; nil where there is none or more than one.
    func find(_ name: String, provider: String?, at instant: Timestamp) -> Int? {
        if let list = offers[name] { return Self.pick(list, provider, instant) }
        // `provider/model`, where no model has the whole text for a name.
        guard let slash = name.utf8.firstIndex(of: UInt8(ascii: "/")) else { return nil }
        let prefix = String(name[..<slash])
        guard provider == nil || provider == prefix,
            let list = offers[String(name[name.utf8.index(after: slash)...])]
        else { return nil }
        return Self.pick(list, prefix, instant)
    }

    private static func pick(_ list: [Offer], _ provider: String?, _ instant: Timestamp) -> Int? {
        if let provider { return list.first { $0.provider == provider }?.at(instant) }
        var found: Int?
        for offer in list {
            guard let place = offer.at(instant) else { continue }
            if let found, found != place { return nil }
            found = place
        }
        return found
    }

    private mutating func add(_ name: String, _ provider: String, _ from: Timestamp?, _ place: Int) {
        var list = offers[name] ?? []
        if let index = list.firstIndex(where: { $0.provider == provider }) {
            list[index].prices.append((from, place))
        } else {
            list.append(Offer(provider: provider, prices: [(from, place)]))
        }
        offers[name] = list
    }
}
