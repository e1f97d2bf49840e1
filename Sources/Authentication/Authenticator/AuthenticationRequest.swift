// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// A request as authentication sees it.
package struct AuthenticationRequest: Sendable {
    /// Where it goes.
    package enum Surface: Sendable, Hashable {
        /// To somebody's service; a public route lets everybody in.
        case workload(publicRoute: Bool)
        /// To Tollgate itself, which always needs a credential.
        case ownAPI
    }

    package var headers: HeaderList
    /// What stands behind the `?`, still percent-encoded.
    package var query: String?
    package var method: String
    /// The credential's text itself instead of a header; the JSON door only.
    package var describedCredential: String?
    /// The header value that names a client certificate, from a trusted side.
    package var clientCertificate: String?
    package var surface: Surface
    package var client: ClientContext
    /// What role `admin` grants by the policy data that judges the request: the scopes of a bootstrap token that names none. Nil = what it
    /// was at the start.
    package var adminPermissions: [String]?
    /// Which accounts are suspended; nil = none.
    package var accounts: (any AccountStanding)?
    /// What the cluster said about the token of this request, when it had to be asked.
    package var review: ReviewedToken?
    /// The credential that the session of the request's cookie was made with; the own API only.
    package var sessionCredential: Redacted<String>?

    package init(
        headers: HeaderList, query: String?, method: String, describedCredential: String? = nil,
        clientCertificate: String? = nil, surface: Surface, client: ClientContext,
        adminPermissions: [String]? = nil,
        accounts: (any AccountStanding)? = nil, review: ReviewedToken? = nil,
        sessionCredential: Redacted<String>? = nil
    ) {
        self.headers = headers
        self.query = query
        self.method = method
        self.describedCredential = describedCredential
        self.clientCertificate = clientCertificate
        self.surface = surface
        self.client = client
        self.adminPermissions = adminPermissions
        self.accounts = accounts
        self.review = review
        self.sessionCredential = sessionCredential
    }
}

/// Says of accounts whether their stored credentials are good.
package protocol AccountStanding: AnyObject, Sendable {
    /// Whether every credential of the account is refused.
    func isSuspended(_ account: String) -> Bool
}

/// Where a request comes from, and what may be counted of it.
package struct ClientContext: Sendable {
    /// By the trusted-proxy rule; nil = unknown.
    package var address: IPAddress?
    /// Whether the address is itself a trusted proxy: it stands for everybody behind it, so it is never counted nor blocked.
    package var isTrustedProxy: Bool
    /// Whether failures count for the address.
    package var countsFailures: Bool
    /// Nothing is counted at all, neither failures nor uses.
    package var isDryRun: Bool
    /// The token id of whoever describes the request at the JSON door: failures of what it describes count for it.
    package var asker: String?

    package init(
        address: IPAddress?, isTrustedProxy: Bool = false, countsFailures: Bool = true, isDryRun: Bool = false,
        asker: String? = nil
    ) {
        self.address = address
        self.isTrustedProxy = isTrustedProxy
        self.countsFailures = countsFailures
        self.isDryRun = isDryRun
        self.asker = asker
    }

    /// The address that may be blocked, whoever's failures blocked it.
    var checkedAddress: IPAddress? { isTrustedProxy ? nil : address }

    /// The address for which a failure counts.
    var limitedAddress: IPAddress? { isTrustedProxy || isDryRun || !countsFailures ? nil : address }
}
