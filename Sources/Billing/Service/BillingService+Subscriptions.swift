// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// What a Subscription object asks for: its subscription, its grants and its budgets.
package struct SubscriptionOrder: Sendable, Hashable {
    package var spec: StatedSubscription
    /// With keys as the object has them; those of the account are `object:<uid>:<key>`.
    package var grants: [GrantOrder]
    package var budgets: [Budget]
    /// The provider's customer that the object names: its events are this account's.
    package var customer: String?
    /// Whether `spec.uid` only says where the object stands, because it has no uid of its own: then the account keeps the uid and, unless
    /// one is stated, the anchor that it was given when it first heard of an object there.
    package var isNamedByPlace: Bool
    /// Whether `spec.anchor` was stated.
    package var statesAnchor: Bool

    package init(
        spec: StatedSubscription, grants: [GrantOrder] = [], budgets: [Budget] = [], customer: String? = nil,
        isNamedByPlace: Bool = false, statesAnchor: Bool = true
    ) {
        self.spec = spec
        self.grants = grants
        self.budgets = budgets
        self.customer = customer
        self.isNamedByPlace = isNamedByPlace
        self.statesAnchor = statesAnchor
    }

    /// Whether a uid that an account knows is that of an object that is named by its place.
    package static func isUID(_ uid: String, at place: String) -> Bool { uid == place || uid.hasPrefix("\(place)@") }

    /// With the uid of this object where it was seen before, else with a new one.
    fileprivate func named(besides present: StatedSubscription?, at now: Timestamp) -> SubscriptionOrder {
        guard isNamedByPlace else { return self }
        var order = self
        if let present, Self.isUID(present.uid, at: spec.uid) {
            order.spec.uid = present.uid
            if !statesAnchor, present.source == spec.source { order.spec.anchor = present.anchor }
        } else {
            order.spec.uid = "\(spec.uid)@\(now.rfc3339Micros)"
        }
        return order
    }
}

extension AccountWork {
    /// Puts a Subscription object in force, or takes it away.
    ///
    /// - Throws: `Refusal` where a grant or budget cannot be; `BillingStoreError`.
    package mutating func apply(_ order: SubscriptionOrder?) throws {
        if let first = try put(order).first { throw first.refusal }
    }

    /// Something of an object that could not be put in force; the rest was.
    struct Fault: Sendable {
        /// `spec.grants[key]`
        var place: String
        var refusal: Refusal
    }

    /// Puts as much of a Subscription object in force as can be, or takes it away; the same again changes nothing.
    ///
    /// - Throws: `BillingStoreError`.
    mutating func put(_ order: SubscriptionOrder?) throws -> [Fault] {
        let uid = book.spec?.uid
        let order = order?.named(besides: book.spec, at: now)
        standing = book.apply(order?.spec, agents: try agents(), terms: terms, into: &changes)
        if let uid, uid != order?.spec.uid { voidGrants(of: uid, except: []) }
        guard let order else {
            setBudgets([])
            return []
        }
        var faults: [Fault] = []
        let prefix = "object:\(order.spec.uid):"
        for grant in order.grants {
            var whole = grant
            whole.key = prefix + grant.key
            let before = self
            do {
                try put(whole)
            } catch let refusal as Refusal {
                self = before
                faults.append(Fault(place: "spec.grants[\(grant.key)]", refusal: refusal))
            }
        }
        voidGrants(of: order.spec.uid, except: Set(order.grants.map { prefix + $0.key }))
        setBudgets(order.budgets.map(\.name))
        for budget in order.budgets {
            var budget = budget
            budget.isOfObject = true
            guard !book.budgets.contains(where: { $0.budget == budget }) else { continue }
            do {
                try book.put(budget, into: &changes)
            } catch {
                faults.append(Fault(place: "spec.budgets[\(budget.name)]", refusal: error))
            }
        }
        return faults
    }

    /// Grants what an object lists. Amount and key are for good; when it may be spent, and before which others, may change.
    private mutating func put(_ order: GrantOrder) throws {
        if let row = try transaction.grant(key: order.key) {
            let known = try Grant(row)
            if known.digest != order.digest, known.microCredits == order.microCredits {
                return book.change(order, of: known.id, into: &changes)
            }
        }
        _ = try grant(order)
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
