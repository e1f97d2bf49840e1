// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Billing
package import Essentials

/// What the billing endpoints call.
package struct BillingServices: Sendable {
    package var billing: BillingService
    /// Records what is reported, at once or by way of a queue.
    package var usage: any UsageTaking
    /// Takes the events of the payment provider, and what a front end reports in their place.
    package var events: ProviderEventService
    package var endpoints: WebhookEndpointService
    /// Nil where there is no payment provider: 503 `billing.not_configured`.
    package var provider: (any PaymentProvider)?
    /// Keeps a price list that a platform admin has put; nil where it cannot be changed here.
    package var prices: (any PriceKeeping)?
    package var settings: BillingRouteSettings
    package var clock: any WallClock

    /// - Parameter usage: nil = recorded at once.
    package init(
        billing: BillingService, usage: (any UsageTaking)? = nil, events: ProviderEventService,
        endpoints: WebhookEndpointService, provider: (any PaymentProvider)? = nil,
        prices: (any PriceKeeping)? = nil, settings: BillingRouteSettings = BillingRouteSettings(), clock: any WallClock
    ) {
        self.billing = billing
        self.usage = usage ?? DirectUsage(billing: billing)
        self.events = events
        self.endpoints = endpoints
        self.provider = provider
        self.prices = prices
        self.settings = settings
        self.clock = clock
    }

    /// - Throws: `billing.not_configured`.
    func configuredProvider() throws(Refusal) -> any PaymentProvider {
        guard let provider else { throw Refusal(.billingNotConfigured) }
        return provider
    }

    /// Reads rows of an account.
    ///
    /// - Throws: what the body refuses; `billing.unavailable` for every fault of the store.
    func rows<Value: Sendable>(
        _ account: String, _ body: @escaping @Sendable (any BillingReader) throws -> Value
    ) async throws(Refusal) -> Value {
        do {
            return try await billing.ledger.read(account, body)
        } catch let refusal as Refusal {
            throw refusal
        } catch {
            throw Refusal(.billingUnavailable)
        }
    }
}

/// The settings of the billing endpoints.
package struct BillingRouteSettings: Sendable, Hashable {
    /// Who speaks to the payment provider: `TOLLGATE_BILLING_MODE`.
    package enum Mode: String, Sendable, CaseIterable {
        /// Tollgate itself.
        case direct
        /// A front end, which reports what was paid.
        case frontend
    }

    package var mode: Mode
    /// Hosts that browsers may be sent back to after paying; lower case. None = every address is refused.
    package var redirectHosts: [String]

    package init(mode: Mode = .direct, redirectHosts: [String] = []) {
        self.mode = mode
        self.redirectHosts = redirectHosts
    }
}

/// Keeps the price list that a platform admin puts, so that it is in force here and, where there are more replicas, there.
package protocol PriceKeeping: Sendable {
    /// Puts a list in force that was read and is valid.
    ///
    /// - Parameter document: what it was read from.
    /// - Throws: `billing.prices_read_only` where it is kept where this process may not write; `billing.unavailable`.
    func put(_ prices: PriceList, document: JSONValue) async throws(Refusal)
}

/// Takes checked events of one account.
package protocol UsageTaking: Sendable {
    /// One result for each, in their order; what was accepted is durable when this returns.
    ///
    /// - Throws: `billing.account_not_found`, `billing.unavailable`.
    func take(_ candidates: [UsageCandidate], account: String) async throws(Refusal) -> [UsageResult]
}

/// Records events within the call that brings them.
package struct DirectUsage: UsageTaking {
    private let billing: BillingService

    package init(billing: BillingService) { self.billing = billing }

    package func take(_ candidates: [UsageCandidate], account: String) async throws(Refusal) -> [UsageResult] {
        try await billing.record(candidates, account: account)
    }
}
