// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// What the ledger knows of an account beside its credits: what was stated of it, and what the payment provider's events say.
package struct KnownAccount: Sendable, Hashable {
    /// What the ledger was handed of a Subscription object; nil where there is none.
    package var spec: StatedSubscription?
    /// The provider's subscriptions, the one in force first.
    package var providers: [ProviderStanding]
    /// Until when a budget divides request rates by 10; nil = none does.
    package var throttledUntil: Timestamp?

    package init(
        spec: StatedSubscription? = nil, providers: [ProviderStanding] = [], throttledUntil: Timestamp? = nil
    ) {
        self.spec = spec
        self.providers = providers
        self.throttledUntil = throttledUntil
    }

    /// What is known of an account; nil where it stands on the fallback plan, nobody speaks for it, and no budget throttles it.
    package init?(_ book: AccountBook) {
        let providers = book.providers
        let throttledUntil = book.throttledUntil
        guard book.spec != nil || !providers.isEmpty || throttledUntil != nil else { return nil }
        self.init(spec: book.spec, providers: providers, throttledUntil: throttledUntil)
    }

    /// How the account stands where a Subscription object says something else, or nothing any more.
    ///
    /// - Parameter spec: what the object says now.
    package func standing(spec: StatedSubscription?, at now: Timestamp, terms: BillingTerms) -> Standing {
        Standing.of(spec: spec, providers: providers, freeAnchor: now, known: nil, at: now, terms: terms)
    }

    /// What the pipeline knows of an account that the provider speaks for, with all that time alone brings.
    ///
    /// - Parameters:
    ///   - spec: what the object says now; nil where there is none.
    ///   - standing: how the account stands at that instant.
    package func state(_ standing: Standing, spec: StatedSubscription?, terms: BillingTerms) -> AccountState {
        var state = AccountState(standing, isSubscribed: true)
        var (ends, later) = ([state], standing)
        // Each end is later than the one before, and takes one subscription away.
        while let end = later.endsAt, ends.count <= providers.count {
            later = self.standing(spec: spec, at: end, terms: terms)
            guard later.state.entitles else { break }
            ends.append(AccountState(later, isSubscribed: true))
        }
        state = ends.removeLast()
        while var before = ends.popLast() {
            before.following = [state]
            state = before
        }
        return state
    }
}

extension AccountState {
    /// What the pipeline knows of an account that stands so.
    package init(_ standing: Standing, isSubscribed: Bool) {
        self.init(
            plan: standing.plan, limits: standing.limits, isSubscribed: isSubscribed,
            isSuspended: standing.isSuspended, validUntil: standing.endsAt,
            boughtPlan: standing.state.entitles ? nil : standing.boughtPlan?.name)
    }
}
