// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Crypto
internal import CryptoExtras
internal import Essentials
internal import Foundation

/// A public key that can check signatures. The algorithm always comes from our own table, never from the key alone.
package struct PublicKey: Sendable {
    private enum Material: Sendable {
        case rsa(_RSA.Signing.PublicKey)
        case p256(P256.Signing.PublicKey)
        case p384(P384.Signing.PublicKey)
        case p521(P521.Signing.PublicKey)
        case ed25519(Curve25519.Signing.PublicKey)
    }

    private let material: Material

    /// The RSA key of a modulus and an exponent, both unsigned and big-endian.
    ///
    /// - Returns: nil for moduli under 2048 or over 8192 bits, for exponents that are even or over 33 bits, and for numbers that are no key.
    package init?(rsaModulus modulus: [UInt8], exponent: [UInt8]) {
        let modulus = Array(modulus.drop { $0 == 0 })
        let exponent = Array(exponent.drop { $0 == 0 })
        guard let top = modulus.first, let last = exponent.last, last & 1 == 1, exponent.count <= 5 else { return nil }
        let bits = modulus.count * 8 - top.leadingZeroBitCount
        guard (2048...8192).contains(bits) else { return nil }
        // What is wrong with the numbers does not matter to anybody who reads the list of skipped keys.
        guard let key = try? _RSA.Signing.PublicKey(n: modulus, e: exponent) else { return nil }
        material = .rsa(key)
    }

    /// The key of a point on `P-256`, `P-384` or `P-521`, both coordinates in full length.
    ///
    /// - Returns: nil for other curves, other lengths and points that are not on the curve.
    package init?(curve: String, x: [UInt8], y: [UInt8]) {
        let point = [0x04] + x + y
        // A point that is not on the curve is no key, whatever the library says about it.
        switch curve {
        case "P-256":
            guard x.count == 32, y.count == 32, let key = try? P256.Signing.PublicKey(x963Representation: point) else {
                return nil
            }
            material = .p256(key)
        case "P-384":
            guard x.count == 48, y.count == 48, let key = try? P384.Signing.PublicKey(x963Representation: point) else {
                return nil
            }
            material = .p384(key)
        case "P-521":
            guard x.count == 66, y.count == 66, let key = try? P521.Signing.PublicKey(x963Representation: point) else {
                return nil
            }
            material = .p521(key)
        default: return nil
        }
    }

    /// The Ed25519 key of 32 bytes.
    package init?(ed25519 bytes: [UInt8]) {
        // The only fault there can be is the length.
        guard bytes.count == 32, let key = try? Curve25519.Signing.PublicKey(rawRepresentation: bytes) else {
            return nil
        }
        material = .ed25519(key)
    }

    /// Whether a key of this kind and curve can make signatures of the algorithm.
    package func fits(_ algorithm: SignatureAlgorithm) -> Bool {
        switch (material, algorithm) {
        case (.rsa, .rs256), (.rsa, .rs384), (.rsa, .rs512), (.rsa, .ps256), (.rsa, .ps384), (.rsa, .ps512): true
        case (.p256, .es256), (.p384, .es384), (.p521, .es512), (.ed25519, .edDSA): true
        default: false
        }
    }

    /// Whether the signature over the bytes is good. Any pair of key and algorithm that does not fit is not.
    package func verifies(_ signature: [UInt8], over signed: [UInt8], algorithm: SignatureAlgorithm) -> Bool {
        // A signature of the wrong form is a wrong signature.
        switch (material, algorithm) {
        case (.rsa(let key), .rs256), (.rsa(let key), .ps256):
            Self.verifies(key, signature, SHA256.hash(data: signed), isPSS: algorithm == .ps256)
        case (.rsa(let key), .rs384), (.rsa(let key), .ps384):
            Self.verifies(key, signature, SHA384.hash(data: signed), isPSS: algorithm == .ps384)
        case (.rsa(let key), .rs512), (.rsa(let key), .ps512):
            Self.verifies(key, signature, SHA512.hash(data: signed), isPSS: algorithm == .ps512)
        case (.p256(let key), .es256):
            (try? P256.Signing.ECDSASignature(rawRepresentation: signature)).map {
                key.isValidSignature($0, for: SHA256.hash(data: signed))
            } ?? false
        case (.p384(let key), .es384):
            (try? P384.Signing.ECDSASignature(rawRepresentation: signature)).map {
                key.isValidSignature($0, for: SHA384.hash(data: signed))
            } ?? false
        case (.p521(let key), .es512):
            (try? P521.Signing.ECDSASignature(rawRepresentation: signature)).map {
                key.isValidSignature($0, for: SHA512.hash(data: signed))
            } ?? false
        case (.ed25519(let key), .edDSA): signature.count == 64 && key.isValidSignature(signature, for: signed)
        default: false
        }
    }

    private static func verifies(
        _ key: _RSA.Signing.PublicKey, _ signature: [UInt8], _ digest: some Digest, isPSS: Bool
    ) -> Bool {
        // RFC 7518 section 3.3: the signature is as long as the modulus.
        guard signature.count == (key.keySizeInBits + 7) / 8 else { return false }
        return key.isValidSignature(
            _RSA.Signing.RSASignature(rawRepresentation: signature), for: digest,
            padding: isPSS ? .PSS : .insecurePKCS1v1_5)
    }
}
