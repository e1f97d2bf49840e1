// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Where the keys of an issuer are fetched from.
package enum RemoteKeySource: Sendable, Hashable {
    /// A JWK set at a URL.
    case jwks(url: String, trust: EgressTrust)
    /// A JWK set that the issuer's discovery document names.
    case discovery(issuer: String, trust: EgressTrust)

    /// How far the text behind it is trusted.
    package var trust: EgressTrust {
        switch self {
        case .jwks(_, let trust), .discovery(_, let trust): trust
        }
    }

    /// The URL that is asked first: the key set's, or the discovery document's.
    package var url: String {
        switch self {
        case .jwks(let url, _): url
        case .discovery(let issuer, _):
            (issuer.hasSuffix("/") ? String(issuer.dropLast()) : issuer) + "/.well-known/openid-configuration"
        }
    }

    /// What metrics and logs call it: the issuer, or without one the URL.
    package var label: String {
        switch self {
        case .jwks(let url, _): url
        case .discovery(let issuer, _): issuer
        }
    }
}
