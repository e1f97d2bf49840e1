// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authentication

/// What the settings give to every AuthConfig: the mode, the issuers of the installation and whether credentials are configured at all.
package struct RealmDefaults: Sendable {
    /// After the rule for public exposure.
    package var mode: AuthMode
    /// Whether `disabled` of an object counts as `required`, because the installation is publicly reachable.
    package var isPubliclyExposed: Bool
    /// The issuers of the settings: for AuthConfigs without issuers and for the own API.
    package var issuers: IssuerTable
    /// Which tokens the cluster judges, for the same places as the issuers; nil = none.
    package var tokenReview: TokenReviewPolicy?
    /// The audiences of AuthConfigs that ask for TokenReview and name none.
    package var tokenReviewAudiences: [String]

    package init(
        mode: AuthMode, isPubliclyExposed: Bool, issuers: IssuerTable, tokenReview: TokenReviewPolicy? = nil,
        tokenReviewAudiences: [String] = TokenReviewPolicy.defaultAudiences
    ) {
        self.tokenReview = tokenReview
        self.tokenReviewAudiences = tokenReviewAudiences
        self.mode = mode
        self.isPubliclyExposed = isPubliclyExposed
        self.issuers = issuers
    }

    func realm(
        mode stated: AuthMode?, issuers own: IssuerTable, usesOwnIssuers: Bool, serviceTokens: Bool, apiKeys: Bool,
        clientCertificates: ClientCertificatePolicy?, tokenReview: TokenReviewPolicy?, mappings: IdentityMappings
    ) -> AuthenticationRealm {
        var mode = stated ?? self.mode
        if mode == .disabled, isPubliclyExposed { mode = .required }
        return AuthenticationRealm(
            mode: mode, issuers: usesOwnIssuers ? own : issuers, serviceTokens: serviceTokens, apiKeys: apiKeys,
            clientCertificates: clientCertificates,
            tokenReview: tokenReview ?? (usesOwnIssuers ? nil : self.tokenReview), mappings: mappings)
    }

    /// The realm of Tollgate's own API: what the settings configure and, where one is named, what an AuthConfig accepts beside it.
    /// The mode of workloads plays no part there.
    func ownRealm(beside other: AuthenticationRealm?) -> AuthenticationRealm {
        let entries = issuers.entries + (other?.issuers.entries ?? [])
        // Issuers of objects never repeat those of the settings: the compiler has refused that.
        let table = (try? IssuerTable(entries: entries, mappings: other?.mappings ?? IdentityMappings([]))) ?? issuers
        return AuthenticationRealm(
            mode: .required, issuers: table, serviceTokens: true, apiKeys: true,
            clientCertificates: other?.clientCertificates,
            tokenReview: .union(tokenReview, other?.tokenReview), mappings: other?.mappings ?? IdentityMappings([]))
    }
}
