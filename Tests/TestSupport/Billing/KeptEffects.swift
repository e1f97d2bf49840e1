// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Billing
package import Essentials
internal import Synchronization

/// Keeps what events of the provider do to accounts, with the rules of pools in their shortest form: a pool for each subscription and period,
/// granted while the subscription is active or on trial, raised by a dearer plan and never taken back.
package final class KeptEffects: ProviderEffects {
    /// Of one account.
    package struct Account: Sendable {
        /// In the order in which they were put in force.
        package var standings: [ProviderStanding] = []
        package var others: [ProviderStanding] = []
        /// Micro-credits by origin and start of the period.
        package var pools: [String: Int64] = [:]
        package var alerts: [ProviderAlert] = []

        /// What is in force.
        package var standing: ProviderStanding? { standings.last }
    }

    private let catalogue: PlanCatalogue
    private let state = Mutex<[String: Account]>([:])

    package init(catalogue: PlanCatalogue) { self.catalogue = catalogue }

    /// What was done to an account.
    package func account(_ name: String) -> Account { state.withLock { $0[name] ?? Account() } }

    package func apply(
        _ standing: ProviderStanding, others: [ProviderStanding], account: String, at now: Timestamp,
        in transaction: any BillingTransaction
    ) throws -> [LedgerEntry.Kind] {
        let plan = standing.boughtPlan.flatMap(catalogue.plan) ?? catalogue.fallback
        state.withLock { state in
            state[account, default: Account()].standings.append(standing)
            state[account, default: Account()].others = others
            guard standing.state.grantsCredits, let start = standing.periodStart else { return }
            let key = "sub:\(standing.subscription):\(start.seconds)"
            let before = state[account]?.pools[key] ?? 0
            state[account]?.pools[key] = max(before, plan.limits.creditsPerPeriod ?? 0)
        }
        return []
    }

    package func grant(
        _ sale: PackSale, account: String, at now: Timestamp, in transaction: any BillingTransaction
    ) throws -> [LedgerEntry.Kind] {
        guard try transaction.grant(key: sale.key) == nil else { return [] }
        try transaction.put(
            GrantRow(id: sale.key, key: sale.key, document: "\(sale.microCredits)", createdAt: now))
        return []
    }

    package func alert(
        _ alert: ProviderAlert, account: String, at now: Timestamp, in transaction: any BillingTransaction
    ) throws -> [LedgerEntry.Kind] {
        state.withLock { $0[account, default: Account()].alerts.append(alert) }
        return []
    }
}
