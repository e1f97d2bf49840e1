// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Billing
package import Essentials

/// The ledger as the controller sees it: it is handed what Subscription objects ask for, and says how their accounts stand.
package protocol AccountLedger: Sendable {
    /// What is known of every account, in memory.
    var directory: AccountDirectory { get }

    /// What holds for every account now.
    var terms: BillingTerms { get }

    /// Puts as much of an object in force as can be. The same again writes nothing.
    ///
    /// - Throws: `billing.unavailable`.
    func keep(_ order: SubscriptionOrder, account: String) async throws(Refusal) -> AccountFacts

    /// Takes away what an object put in force; nothing where the account is not, or no longer, that object's.
    ///
    /// - Parameter uid: of the object, or where it stood.
    /// - Throws: `billing.unavailable`.
    func withdraw(_ uid: String, account: String) async throws(Refusal)

    /// How an account stands now.
    ///
    /// - Throws: `billing.unavailable`.
    func facts(_ account: String) async throws(Refusal) -> AccountFacts

    /// Accounts with events of the provider that wait for a person.
    ///
    /// - Throws: `billing.unavailable`.
    func accountsWithParkedEvents() async throws(Refusal) -> Set<String>
}

extension BillingService: AccountLedger {}
