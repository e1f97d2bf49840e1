// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// An account as the controller sees it: how it stands, and what of its object could not be put in force.
package struct AccountFacts: Sendable {
    package let view: AccountView
    /// The provider's customers that are linked to the account.
    package let customers: [String]
    /// `spec.grants[key]: why`
    package let faults: [String]
}

extension BillingService {
    /// Puts as much of a Subscription object in force as can be: one bad grant holds up nothing else. The same again writes nothing.
    ///
    /// - Throws: `billing.unavailable`.
    package func keep(_ order: SubscriptionOrder, account: String) async throws(Refusal) -> AccountFacts {
        try await change(account, actor: "operator", makes: true, opens: true) { work, transaction in
            let faults = try work.put(order).map { "\($0.place): \($0.refusal.message)" }
            var customers = try transaction.customers()
            if let customer = order.customer, customers.isEmpty,
                try transaction.account(ofCustomer: customer) == nil
            {
                try transaction.link(customer: customer)
                customers = [customer]
            }
            return AccountFacts(view: AccountView(work), customers: customers, faults: faults)
        }
    }

    /// Takes away what a Subscription object put in force; nothing where the account is not, or no longer, that object's. Bought credits and
    /// the ledger stay.
    ///
    /// - Parameter uid: of the object, or where it stood.
    /// - Throws: `billing.unavailable`.
    package func withdraw(_ uid: String, account: String) async throws(Refusal) {
        do {
            try await change(account, actor: "operator", makes: false) { work, _ in
                guard let present = work.book.spec?.uid, SubscriptionOrder.isUID(present, at: uid) else { return }
                _ = try work.put(nil)
            }
        } catch  where error.code == .billingAccountNotFound {
            return
        }
    }

    /// An account and what is linked to it.
    ///
    /// - Throws: `billing.unavailable`.
    package func facts(_ account: String) async throws(Refusal) -> AccountFacts {
        try await look(account) { work, reader in
            AccountFacts(view: AccountView(work), customers: try reader.customers(), faults: [])
        }
    }

    /// Accounts with events that wait for a person, because their customer is not the account's.
    ///
    /// - Throws: `billing.unavailable`.
    package func accountsWithParkedEvents() async throws(Refusal) -> Set<String> {
        do {
            return Set(try await ledger.providerEvents(.parked, limit: 1000).compactMap(\.account))
        } catch { throw fault(error, "") }
    }
}
