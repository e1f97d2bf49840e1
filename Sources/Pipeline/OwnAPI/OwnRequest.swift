// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authentication
package import Essentials

/// A request to Tollgate's own API, before its handler runs.
package struct OwnRequest: Sendable {
    package var method: String
    /// Path and query as received.
    package var target: String
    package var headers: HeaderList
    /// By the trusted-proxy rule.
    package var clientAddress: IPAddress
    package var clientIsTrustedProxy: Bool
    /// XFCC element from a trusted proxy, when there is one.
    package var clientCertificate: String?
    package var requestID: String
    /// Whether the caller was admitted before and goes on: neither uses nor failures are counted.
    package var isRecheck = false

    package init(
        method: String, target: String, headers: HeaderList, clientAddress: IPAddress, clientIsTrustedProxy: Bool,
        clientCertificate: String?, requestID: String
    ) {
        self.method = method
        self.target = target
        self.headers = headers
        self.clientAddress = clientAddress
        self.clientIsTrustedProxy = clientIsTrustedProxy
        self.clientCertificate = clientCertificate
        self.requestID = requestID
    }
}

/// The caller of an own-API handler: verified, and allowed to call the route.
package struct OwnCaller: Sendable {
    package var principal: Principal
    /// Admin token, unrestricted bootstrap token or platform admin.
    package var admin: Bool
    /// The route's audit action: its `audit` name, else the permission with `.` for `:`, else `http.public`.
    package var action: String
    /// `METHOD /pattern` of the rule.
    package var route: String
    package var canonicalPath: String
    /// The session whose cookie was the credential; nil for every other.
    package var session: SessionRecord?
    /// Whether the caller may use a permission itself: the grant rule and the decisions API ask this.
    package var holds: @Sendable (_ permission: String) -> Bool

    package init(
        principal: Principal, admin: Bool, action: String, route: String, canonicalPath: String,
        session: SessionRecord? = nil, holds: @escaping @Sendable (_ permission: String) -> Bool
    ) {
        self.principal = principal
        self.admin = admin
        self.action = action
        self.route = route
        self.canonicalPath = canonicalPath
        self.session = session
        self.holds = holds
    }
}

/// Whether an own-API request goes on to its handler.
package enum OwnAdmission: Sendable {
    case allowed(OwnCaller)
    /// The refusal, with whoever was verified (else anonymous), the route's action and pattern for the audit and the canonical path where there is one.
    case refused(Refusal, principal: Principal, action: String, route: String?, canonicalPath: String?)
}
