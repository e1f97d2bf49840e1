// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Whose credentials count in one place: for one host, or everywhere else. Compiled once, read by every request.
package struct AuthenticationRealm: Sendable {
    /// The mode in force.
    package var mode: AuthMode
    package var issuers: IssuerTable
    /// Whether service tokens are accepted.
    package var serviceTokens: Bool
    /// Whether API keys are accepted.
    package var apiKeys: Bool
    /// Nil = client certificates are no credential.
    package var clientCertificates: ClientCertificatePolicy?
    /// Nil = tokens of the cluster are no credential.
    package var tokenReview: TokenReviewPolicy?
    /// What callers without rights of their own get.
    package var mappings: IdentityMappings
    /// Whether a credential is configured here besides what `issuers` and `clientCertificates` say.
    package var hasCredentials: Bool

    package init(
        mode: AuthMode, issuers: IssuerTable = .empty, serviceTokens: Bool = true, apiKeys: Bool = true,
        clientCertificates: ClientCertificatePolicy? = nil, tokenReview: TokenReviewPolicy? = nil,
        mappings: IdentityMappings = IdentityMappings([]), hasCredentials: Bool = false
    ) {
        self.mode = mode
        self.issuers = issuers
        self.serviceTokens = serviceTokens
        self.apiKeys = apiKeys
        self.clientCertificates = clientCertificates
        self.tokenReview = tokenReview
        self.mappings = mappings
        self.hasCredentials = hasCredentials
    }
}
