// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authentication
package import Authorization
package import Billing
package import Essentials

/// One AuthConfig in the form in which requests use it. Immutable, one reference to pass on.
package final class CompiledAuthConfig: Sendable {
    /// `namespace/name`.
    package let key: String
    /// The tenant of its namespace; nil where that belongs to the platform.
    package let tenant: String?
    /// Why its hosts are closed (503 `config.invalid`); nil when it is sound.
    package let brokenReason: String?
    /// Which credentials are good here.
    package let realm: AuthenticationRealm
    /// Its own routes and switches.
    package let policy: HostPolicy
    /// `spec.policy.rules` as they were written.
    package let ruleDocuments: [JSONValue]
    /// `spec.require.scopes`.
    package let requiredScopes: [String]
    /// `spec.require.workspaces`.
    package let requiredWorkspaces: [String]
    /// Whether the workload gets the credential too.
    package let forwardsCredential: Bool
    /// `spec.rate`: over all callers of the object; nil = none.
    package let rate: RequestRate?

    package init(
        key: String, tenant: String? = nil, brokenReason: String?, realm: AuthenticationRealm, policy: HostPolicy,
        ruleDocuments: [JSONValue] = [], requiredScopes: [String],
        requiredWorkspaces: [String], forwardsCredential: Bool, rate: RequestRate? = nil
    ) {
        self.key = key
        self.tenant = tenant
        self.brokenReason = brokenReason
        self.realm = realm
        self.policy = policy
        self.ruleDocuments = ruleDocuments
        self.requiredScopes = requiredScopes
        self.requiredWorkspaces = requiredWorkspaces
        self.forwardsCredential = forwardsCredential
        self.rate = rate
    }
}
