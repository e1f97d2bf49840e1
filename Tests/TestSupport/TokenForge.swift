// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Crypto
internal import CryptoExtras
package import Essentials
internal import Foundation

/// Makes signed tokens and key sets, the good ones and, by what it is asked to sign, the bad ones.
package enum TokenForge {
    /// A key that signs.
    package enum Key: Sendable {
        case secret([UInt8])
        case rsa(RSAKey)
        case p256(P256.Signing.PrivateKey)
        case p384(P384.Signing.PrivateKey)
        case p521(P521.Signing.PrivateKey)
        case ed25519(Curve25519.Signing.PrivateKey)
    }

    /// An RSA key of which the module that makes it stays hidden.
    package struct RSAKey: Sendable {
        fileprivate let key: _RSA.Signing.PrivateKey

        /// The public part as PEM text.
        package var publicPEM: String { key.publicKey.pemRepresentation }
    }

    /// A new RSA key. Slow: share keys between tests.
    package static func rsa(bits: Int = 2048) throws -> Key {
        .rsa(RSAKey(key: try _RSA.Signing.PrivateKey(unsafeKeySize: .init(bitCount: bits))))
    }

    /// A new key on a curve: `P-256`, `P-384`, `P-521` or `Ed25519`.
    package static func curve(_ name: String) -> Key {
        switch name {
        case "P-384": .p384(P384.Signing.PrivateKey())
        case "P-521": .p521(P521.Signing.PrivateKey())
        case "Ed25519": .ed25519(Curve25519.Signing.PrivateKey())
        default: .p256(P256.Signing.PrivateKey())
        }
    }

    /// A token of this header and these claims, with the signature that the key makes for the header's `alg`; empty when they do not fit.
    package static func token(header: JSONValue, claims: JSONValue, key: Key?) throws -> String {
        let signed = Base64URL.encode(header.encoded()) + "." + Base64URL.encode(claims.encoded())
        let algorithm = header["alg"]?.stringValue ?? ""
        let made = try key.map { try signature(over: Array(signed.utf8), algorithm: algorithm, key: $0) } ?? []
        return signed + "." + Base64URL.encode(made)
    }

    /// The signature that a key makes. A curve signs with its own algorithm, whatever is asked for.
    package static func signature(over signed: [UInt8], algorithm: String, key: Key) throws -> [UInt8] {
        switch key {
        case .secret(let secret):
            let key = SymmetricKey(data: secret)
            switch algorithm.suffix(3) {
            case "384": return Array(HMAC<SHA384>.authenticationCode(for: signed, using: key))
            case "512": return Array(HMAC<SHA512>.authenticationCode(for: signed, using: key))
            default: return Array(HMAC<SHA256>.authenticationCode(for: signed, using: key))
            }
        case .rsa(let rsa):
            let padding: _RSA.Signing.Padding = algorithm.hasPrefix("PS") ? .PSS : .insecurePKCS1v1_5
            switch algorithm.suffix(3) {
            case "384":
                return Array(try rsa.key.signature(for: SHA384.hash(data: signed), padding: padding).rawRepresentation)
            case "512":
                return Array(try rsa.key.signature(for: SHA512.hash(data: signed), padding: padding).rawRepresentation)
            default:
                return Array(try rsa.key.signature(for: SHA256.hash(data: signed), padding: padding).rawRepresentation)
            }
        case .p256(let key): return Array(try key.signature(for: SHA256.hash(data: signed)).rawRepresentation)
        case .p384(let key): return Array(try key.signature(for: SHA384.hash(data: signed)).rawRepresentation)
        case .p521(let key): return Array(try key.signature(for: SHA512.hash(data: signed)).rawRepresentation)
        case .ed25519(let key): return Array(try key.signature(for: Data(signed)))
        }
    }

    /// The public part as a JWK.
    package static func jwk(
        _ key: Key, kid: String? = nil, alg: String? = nil, use: String? = nil
    ) throws -> JSONValue {
        var object: JSONObject
        switch key {
        case .secret(let secret): object = ["kty": "oct", "k": text(secret)]
        case .rsa(let rsa):
            let numbers = try rsa.key.publicKey.getKeyPrimitives()
            object = ["kty": "RSA", "n": text(numbers.modulus), "e": text(numbers.publicExponent)]
        case .p256(let key): object = point("P-256", key.publicKey.rawRepresentation)
        case .p384(let key): object = point("P-384", key.publicKey.rawRepresentation)
        case .p521(let key): object = point("P-521", key.publicKey.rawRepresentation)
        case .ed25519(let key):
            object = ["kty": "OKP", "crv": "Ed25519", "x": text(key.publicKey.rawRepresentation)]
        }
        if let kid { object["kid"] = .string(kid) }
        if let alg { object["alg"] = .string(alg) }
        if let use { object["use"] = .string(use) }
        return .object(object)
    }

    private static func point(_ curve: String, _ raw: Data) -> JSONObject {
        let bytes = Array(raw)
        let half = bytes.count / 2
        return ["kty": "EC", "crv": .string(curve), "x": text(bytes[..<half]), "y": text(bytes[half...])]
    }

    private static func text(_ bytes: some Collection<UInt8>) -> JSONValue { .string(Base64URL.encode(bytes)) }
}
