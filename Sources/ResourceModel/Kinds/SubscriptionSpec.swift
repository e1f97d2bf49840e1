// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// `spec` of a Subscription: an account's plan.
package struct SubscriptionSpec: ResourceSpec {
    package static let kind = ResourceKind.subscription
    package static let schema = subscriptionSchema

    /// Who says what the plan is.
    package enum Source: String, Sendable, Hashable, Codable, CaseIterable { case manual, stripe }

    /// Credits given beside the plan.
    package struct Grant: Sendable, Hashable, Codable {
        package var key: String
        /// An integer, or a decimal text.
        package var credits: JSONValue
        package var priority: Int64?
        package var effectiveAt: TextInstant?
        package var expiresAt: TextInstant?
        package var reason: String
    }

    /// A limit on spending.
    package struct Budget: Sendable, Hashable, Codable {
        package var name: String
        package var scope: String
        package var match: String?
        package var period: String
        package var softLimitMicroUSD: Int64?
        package var hardLimitMicroUSD: Int64?
        package var actionOnSoft: String
        package var actionOnHard: String
        package var webhookURL: String?
    }

    /// The provider's identifiers.
    package struct Stripe: Sendable, Hashable, Codable {
        package var customerId: String?
        package var subscriptionId: String?
    }

    package var tenant: String
    package var source: Source
    package var plan: String?
    package var periodAnchor: TextInstant?
    package var validUntil: TextInstant?
    /// Limits that replace those of the plan; checked.
    package var overrides: JSONValue?
    package var grants: [Grant]
    package var budgets: [Budget]
    package var stripe: Stripe?
    package var suspended: Bool
}
