// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// What a Subscription object asks for: its subscription, its grants and its budgets.
package struct SubscriptionOrder: Sendable, Hashable {
    package var spec: StatedSubscription
    /// With keys as the object has them; those of the account are `object:<uid>:<key>`.
    package var grants: [GrantOrder]
    package var budgets: [Budget]

    package init(spec: StatedSubscription, grants: [GrantOrder] = [], budgets: [Budget] = []) {
        self.spec = spec
        self.grants = grants
        self.budgets = budgets
    }
}

extension AccountWork {
    /// Puts a Subscription object in force, or takes it away.
    ///
    /// - Throws: `Refusal` where a grant or budget cannot be; `BillingStoreError`.
    package mutating func apply(_ order: SubscriptionOrder?) throws {
        let uid = book.spec?.uid
        standing = book.apply(order?.spec, agents: try agents(), terms: terms, into: &changes)
        if let uid, uid != order?.spec.uid { voidGrants(of: uid, except: []) }
        guard let order else {
            setBudgets([])
            return
        }
        let prefix = "object:\(order.spec.uid):"
        for grant in order.grants {
            var grant = grant
            grant.key = prefix + grant.key
            _ = try self.grant(grant)
        }
        voidGrants(of: order.spec.uid, except: Set(order.grants.map { prefix + $0.key }))
        setBudgets(order.budgets.map(\.name))
        for budget in order.budgets {
            var budget = budget
            budget.isOfObject = true
            try book.put(budget, into: &changes)
        }
    }

    /// What has left the list is void.
    private mutating func voidGrants(of uid: String, except keys: Set<String>) {
        let prefix = "object:\(uid):"
        for grant in book.grants where grant.key.hasPrefix(prefix) && !keys.contains(grant.key) {
            _ = book.void(grant: grant.id, into: &changes)
        }
    }

    /// Takes away the object's budgets that it has no more.
    private mutating func setBudgets(_ names: [String]) {
        for account in book.budgets where account.budget.isOfObject && !names.contains(account.budget.name) {
            _ = book.removeBudget(account.budget.name, into: &changes)
        }
    }

    /// Puts what the provider's events say in force; the same again changes nothing.
    package mutating func apply(_ provider: ProviderStanding?, others: [ProviderStanding] = []) throws {
        standing = book.apply(provider, others: others, agents: try agents(), terms: terms, into: &changes)
    }
}

extension BillingService {
    /// Puts a Subscription object in force; nil takes it away. The same again changes nothing.
    ///
    /// - Throws: `request.idempotency_mismatch` where the amount of a grant was changed; `request.invalid`.
    package func apply(_ order: SubscriptionOrder?, account: String) async throws(Refusal) -> AccountView {
        try await change(account, actor: "operator", makes: order != nil, opens: order != nil) { work, _ in
            try work.apply(order)
            return AccountView(work)
        }
    }

    /// Puts what the provider's events say in force.
    package func apply(
        _ provider: ProviderStanding?, others: [ProviderStanding] = [], account: String
    ) async throws(Refusal) -> AccountView {
        try await change(account, actor: "provider", makes: true, opens: true) { work, _ in
            try work.apply(provider, others: others)
            return AccountView(work)
        }
    }

    /// The account as it is now.
    package func view(_ account: String) async throws(Refusal) -> AccountView {
        try await look(account) { work, _ in AccountView(work) }
    }
}
