// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import TestSupport
internal import Testing

/// Keys that several suites share, because making RSA keys is slow.
enum TestKeys {
    static let secretText = "0123456789abcdef0123456789abcdef"
    static let secret = TokenForge.Key.secret(Array(secretText.utf8))
    static let rsa = Result { try TokenForge.rsa() }
    static let otherRSA = Result { try TokenForge.rsa() }
    static let p256 = TokenForge.curve("P-256")
    static let p384 = TokenForge.curve("P-384")
    static let p521 = TokenForge.curve("P-521")
    static let ed25519 = TokenForge.curve("Ed25519")

    static func key(for algorithm: SignatureAlgorithm) throws -> TokenForge.Key {
        switch algorithm {
        case .hs256, .hs384, .hs512: secret
        case .rs256, .rs384, .rs512, .ps256, .ps384, .ps512: try rsa.get()
        case .es256: p256
        case .es384: p384
        case .es512: p521
        case .edDSA: ed25519
        }
    }

    static func set(_ jwks: JSONValue...) throws -> KeySet { try KeySet(json: ["keys": .array(jwks)]) }
}

extension AuthenticationOutcome {
    /// The code of the refusal, `verified`, or `needsReview`.
    var code: String {
        switch self {
        case .verified: "verified"
        case .needsReview: "needsReview"
        case .refused(let refusal, _): refusal.code.rawValue
        }
    }

    var principal: Principal? {
        if case .verified(let principal) = self { return principal }
        return nil
    }

    var identity: String? {
        if case .refused(_, let identity) = self { return identity }
        return nil
    }
}
