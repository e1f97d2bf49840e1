// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// What the events of the provider do to an account. Everything happens within the transaction that is handed over, so that event and effect
/// are kept together or not at all; the transaction may run more than once. Each call returns the kinds of the entries that it has posted.
package protocol ProviderEffects: Sendable {
    /// Puts the standing in force: state, plan and pool of credits follow it. The same standing again changes nothing.
    ///
    /// - Parameters:
    ///   - standing: the subscription that is in force now.
    ///   - others: how the account's other subscriptions stand; one of them is in force when time ends the first.
    func apply(
        _ standing: ProviderStanding, others: [ProviderStanding], account: String, at now: Timestamp,
        in transaction: any BillingTransaction
    ) throws -> [LedgerEntry.Kind]

    /// Grants the credits of a sale from source `purchase`, once for its key.
    func grant(
        _ sale: PackSale, account: String, at now: Timestamp, in transaction: any BillingTransaction
    ) throws -> [LedgerEntry.Kind]

    /// Tells the owner of the account and whoever runs Tollgate: a condition, and the webhook `billing.alert`.
    func alert(
        _ alert: ProviderAlert, account: String, at now: Timestamp, in transaction: any BillingTransaction
    ) throws -> [LedgerEntry.Kind]
}

/// Something that a person has to look at.
package enum ProviderAlert: Sendable, Hashable {
    /// No price of the subscription is in the catalogue: its plan stays what it was.
    case unknownPrice(subscription: String, prices: [String])
    /// A status that is not listed: it changed nothing.
    case unknownStatus(subscription: String, status: String)
    /// A paid session names a pack that the catalogue does not have: nothing was granted.
    case unknownPack(session: String, pack: String)
    /// The event belongs to a customer that cannot be linked to the account; it is parked.
    case customerConflict(event: String, customer: String, reason: String)

    /// `unknown_price`, `unknown_status`, `unknown_pack`, `customer_conflict`.
    package var reason: String {
        switch self {
        case .unknownPrice: "unknown_price"
        case .unknownStatus: "unknown_status"
        case .unknownPack: "unknown_pack"
        case .customerConflict: "customer_conflict"
        }
    }

    /// `{reason, …}`
    package var json: JSONValue {
        switch self {
        case .unknownPrice(let subscription, let prices):
            ["reason": .string(reason), "subscription": .string(subscription), "prices": .strings(prices)]
        case .unknownStatus(let subscription, let status):
            ["reason": .string(reason), "subscription": .string(subscription), "status": .string(status)]
        case .unknownPack(let session, let pack):
            ["reason": .string(reason), "session": .string(session), "pack": .string(pack)]
        case .customerConflict(let event, let customer, let why):
            [
                "reason": .string(reason), "event": .string(event), "customer": .string(customer),
                "conflict": .string(why),
            ]
        }
    }
}
