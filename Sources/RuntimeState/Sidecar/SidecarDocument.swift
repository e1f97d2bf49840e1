// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authentication
package import Authorization
package import Billing
internal import Essentials

/// What a sidecar decides from: the AuthConfigs that it asked for, and what requests to their hosts can need beside them.
///
/// On the wire it is one JSON object, read by everybody who knows its `format`:
///
/// ```
/// {"format": "tollgate-snapshot/2",
///  "auth_configs": [{"key": "ns/name", "tenant", "broken", "hosts": [], "mode", "enforcing", "issuers": [], "mappings": [],
///                    "service_tokens", "api_keys", "client_certificates", "token_review",
///                    "policy": {"routes", "builtin_routes", "scopes", "ownership", "rules"},
///                    "require": {"scopes", "workspaces"}, "rate", "metering",
///                    "forward_credential"}],
///  "hosts_elsewhere": ["…"],
///  "shared": {"policy": {"roles", "routes", "default_user_role", "default_keycloak_tenant_role", "role_check"},
///             "api_key_prefixes": ["tgk"], "service_tokens": [], "api_keys": [], "api_key_owners": [],
///             "accounts": {"fallback", "states", "plans"}, "shares": []}}
/// ```
///
/// A credential is there as the SHA-256 of its text, never as the text. A member that a reader does not know is passed over; what must not be
/// passed over gets a new `format`. The same state is the same bytes, whoever writes it.
package struct SidecarDocument: Sendable {
    /// The one form that is written and read.
    package static let format = "tollgate-snapshot/2"
    /// The largest document that is read.
    package static let maximumBytes = 64 << 20

    /// One AuthConfig with the hosts that it has won.
    package struct Entry: Sendable {
        package var config: CompiledAuthConfig
        /// Normalised; never one that somebody else has.
        package var hosts: [String]
        /// Whether the hosts need a credential: in mode `optional` that depends on what is configured where the operator is.
        package var isEnforcing: Bool

        package init(config: CompiledAuthConfig, hosts: [String], isEnforcing: Bool) {
            self.config = config
            self.hosts = hosts
            self.isEnforcing = isEnforcing
        }
    }

    /// What does not belong to one AuthConfig.
    package struct Shared: Sendable {
        /// Roles and shipped routes with the settings that go with them.
        package var policy: CompiledPolicy
        /// The prefix of new API keys, then the older ones.
        package var apiKeyPrefixes: [String]
        package var tokens: [ServiceTokenRecord]
        package var keys: [APIKeyRecord]
        package var owners: [APIKeyOwner]
        package var accounts: AccountTable
        package var shares: ShareTable

        package init(
            policy: CompiledPolicy, apiKeyPrefixes: [String], tokens: [ServiceTokenRecord], keys: [APIKeyRecord],
            owners: [APIKeyOwner], accounts: AccountTable, shares: ShareTable
        ) {
            self.policy = policy
            self.apiKeyPrefixes = apiKeyPrefixes
            self.tokens = tokens
            self.keys = keys
            self.owners = owners
            self.accounts = accounts
            self.shares = shares
        }
    }

    package var entries: [Entry]
    /// Hosts that lie below a wildcard of the entries and belong to AuthConfigs that are not here.
    package var hostsElsewhere: [String]
    package var shared: Shared

    package init(entries: [Entry], hostsElsewhere: [String], shared: Shared) {
        self.entries = entries
        self.hostsElsewhere = hostsElsewhere
        self.shared = shared
    }
}

/// Why a text is not a document that can be put in force.
package struct SidecarDocumentError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// It is not JSON of the right shape.
        case malformed
        /// It is of a form that this version does not read.
        case unsupportedFormat
        /// A value is not one that can be put in force.
        case invalid
    }

    package let code: Code
    /// Where in the document, such as `auth_configs[0].issuers[1].keys`.
    package let place: String
    package let message: String

    init(_ code: Code, at place: String, _ message: String) {
        self.code = code
        self.place = place
        self.message = message
    }

    package var description: String { place.isEmpty ? message : "\(place): \(message)" }
}
