// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// The signature algorithms of RFC 7518 and RFC 8037 that a token may use. `none` is none of them.
package enum SignatureAlgorithm: String, Sendable, Hashable, CaseIterable {
    case hs256 = "HS256"
    case hs384 = "HS384"
    case hs512 = "HS512"
    case rs256 = "RS256"
    case rs384 = "RS384"
    case rs512 = "RS512"
    case ps256 = "PS256"
    case ps384 = "PS384"
    case ps512 = "PS512"
    case es256 = "ES256"
    case es384 = "ES384"
    case es512 = "ES512"
    case edDSA = "EdDSA"

    /// What an issuer entry allows unless it says otherwise.
    package static let allowedByDefault: Set<SignatureAlgorithm> = [.rs256, .hs256]

    /// Whether the key is a shared secret and never one of a key set.
    package var usesSharedSecret: Bool { self == .hs256 || self == .hs384 || self == .hs512 }
}
