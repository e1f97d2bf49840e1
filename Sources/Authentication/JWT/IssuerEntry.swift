// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// One issuer of tokens, the keys that prove them, and what is demanded of them.
package struct IssuerEntry: Sendable {
    /// What logs, metrics and conditions call it.
    package var name: String
    /// The exact `iss`; nil takes every token whose issuer no other entry has.
    package var issuer: String?
    /// The key of HS256, HS384 and HS512.
    package var secret: Redacted<[UInt8]>?
    /// Whether there is such a key that is not here: nothing can be said of a token that it would prove.
    package var isSecretWithheld = false
    /// Keys that were given as text; looked at before fetched ones.
    package var staticKeys: KeySet?
    /// Keys that are fetched.
    package var remote: RemoteKeySource?
    /// One of these must be in `aud`; empty = any token.
    package var audiences: [String]
    package var algorithms: Set<SignatureAlgorithm>
    /// How far clocks may differ, in seconds.
    package var leewaySeconds: Int64
    /// The clients whose `resource_access` roles count; `*` = all.
    package var roleClients: [String]
    /// Claims that must be present and not null.
    package var requiredClaims: [String]
    /// The tenant of every token of this issuer.
    package var tenant: String?
    /// Whether its callers may belong to the platform itself.
    package var platform: Bool
    /// Whether tokens that say that they are ID tokens pass.
    package var acceptsIDTokens: Bool
    /// A client id whose `azp` counts as much as a configured audience.
    package var authorizedParty: String?
    /// What the principal says about where it came from.
    package var authSource: Principal.AuthSource

    /// An entry with the defaults of the settings.
    package init(
        name: String, issuer: String? = nil, secret: Redacted<[UInt8]>? = nil, staticKeys: KeySet? = nil,
        remote: RemoteKeySource? = nil, audiences: [String] = [],
        algorithms: Set<SignatureAlgorithm> = SignatureAlgorithm.allowedByDefault, leewaySeconds: Int64 = 30,
        roleClients: [String] = [], requiredClaims: [String] = [], tenant: String? = nil, platform: Bool = false,
        acceptsIDTokens: Bool = false, authorizedParty: String? = nil, authSource: Principal.AuthSource = .jwt
    ) {
        self.name = name
        self.issuer = issuer
        self.secret = secret
        self.staticKeys = staticKeys
        self.remote = remote
        self.audiences = audiences
        self.algorithms = algorithms
        self.leewaySeconds = leewaySeconds
        self.roleClients = roleClients
        self.requiredClaims = requiredClaims
        self.tenant = tenant
        self.platform = platform
        self.acceptsIDTokens = acceptsIDTokens
        self.authorizedParty = authorizedParty
        self.authSource = authSource
    }

    /// Everything that a verification depends on, as bytes without ambiguity. Holds a digest of the secret, not the secret.
    var canonicalBytes: [UInt8] {
        var object: JSONObject = [
            "issuer": .optional(issuer), "audiences": .strings(audiences.sorted()),
            "algorithms": .strings(algorithms.map(\.rawValue).sorted()), "leeway": .int(leewaySeconds),
            "roleClients": .strings(roleClients.sorted()), "requiredClaims": .strings(requiredClaims.sorted()),
            "tenant": .optional(tenant), "platform": .bool(platform), "idTokens": .bool(acceptsIDTokens),
            "authorizedParty": .optional(authorizedParty), "authSource": .string(authSource.rawValue),
        ]
        if let secret { object["secret"] = .string(Fingerprint(of: secret.revealed).description) }
        if isSecretWithheld { object["withheld"] = true }
        if let staticKeys { object["keys"] = .string(staticKeys.version.description) }
        if let remote { object["remote"] = .strings([String(describing: remote.trust), remote.label, remote.url]) }
        return JSONValue.object(object).encoded(sortedNames: true)
    }
}
