// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import Reconcilers
internal import Synchronization

/// The ledger as the controller sees it, which folds what waited for a customer as soon as an object links it: what waits longest for somebody
/// else's customers is not looked through again and again.
final class LinkingLedger: AccountLedger {
    private let billing: BillingService
    private let linked: @Sendable (String) async -> Bool
    /// Customers whose events were asked for since this process began.
    private let known = Mutex<Set<String>>([])

    /// - Parameter linked: told of each customer of the provider that an object names and that is its account's, until it says true.
    init(_ billing: BillingService, linked: @escaping @Sendable (String) async -> Bool) {
        self.billing = billing
        self.linked = linked
    }

    var directory: AccountDirectory { billing.directory }
    var terms: BillingTerms { billing.terms }

    func keep(_ order: SubscriptionOrder, account: String) async throws(Refusal) -> AccountFacts {
        let facts = try await billing.keep(order, account: account)
        guard let customer = order.customer, facts.customers.contains(customer),
            !known.withLock({ $0.contains(customer) }), await linked(customer)
        else { return facts }
        known.withLock { _ = $0.insert(customer) }
        return try await billing.facts(account)
    }

    func withdraw(_ uid: String, account: String) async throws(Refusal) {
        try await billing.withdraw(uid, account: account)
    }

    func facts(_ account: String) async throws(Refusal) -> AccountFacts { try await billing.facts(account) }

    func accountsWithParkedEvents() async throws(Refusal) -> Set<String> {
        try await billing.accountsWithParkedEvents()
    }
}
