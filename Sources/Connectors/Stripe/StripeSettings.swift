// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authentication
internal import Essentials

/// Where Stripe is reached and how.
package struct StripeSettings: Sendable {
    /// Stripe itself.
    package static let publicBase = "https://api.stripe.com"

    /// Without a slash at the end.
    package let base: String
    /// `Stripe-Version`; nil = the account's own.
    package let version: String?
    /// Of one try.
    package let timeout: Duration

    /// - Parameters:
    ///   - base: `STRIPE_API_BASE`: https, or http to loopback and to hosts that the operator allows.
    ///   - egress: what the operator allows.
    /// - Throws: `EgressFault` where the base is none that may be called.
    package init(
        base: String = StripeSettings.publicBase, version: String? = nil, egress: EgressRules = .strict,
        timeout: Duration = .seconds(10)
    ) throws(EgressFault) {
        let target = try egress.check(base, trust: .settings)
        // Only names and addresses that are allowed as such: a block would have to be looked up anew for every call.
        guard target.url.scheme == .https || !target.demandsAddressCheck else {
            throw EgressFault(.plainTextForbidden, "https is required")
        }
        var text = target.url.text
        while text.hasSuffix("/") { text.removeLast() }
        self.base = text
        self.version = version
        self.timeout = timeout
    }
}
