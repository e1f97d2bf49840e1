// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Reads one JWK (RFC 7517, 7518 section 6, 8037).
enum JSONWebKey {
    typealias Reason = KeySetProblem.Reason

    static func read(_ value: JSONValue) -> Result<KeySet.Key, Reason> {
        Result { () throws(Reason) in try key(value) }
    }

    private static func key(_ value: JSONValue) throws(Reason) -> KeySet.Key {
        guard let object = value.objectValue else { throw .notAnObject }
        guard let type = object["kty"]?.stringValue else { throw .badMember }
        let identifier = try text(object["kid"])
        if let use = try text(object["use"]), use != "sig" { throw .notForSignatures }
        if let operations = object["key_ops"] {
            guard let operations = operations.arrayValue else { throw .badMember }
            guard operations.contains("verify") else { throw .notForSignatures }
        }
        var algorithm: SignatureAlgorithm?
        if let name = try text(object["alg"]) {
            guard let known = SignatureAlgorithm(rawValue: name) else { throw .unsupportedAlgorithm }
            algorithm = known
        }
        let publicKey = try material(type, object)
        if let algorithm, !publicKey.fits(algorithm) { throw .unsupportedAlgorithm }
        return KeySet.Key(identifier: identifier, algorithm: algorithm, publicKey: publicKey)
    }

    private static func material(_ type: String, _ object: JSONObject) throws(Reason) -> PublicKey {
        switch type {
        case "RSA":
            let (modulus, exponent) = (try bytes(object["n"]), try bytes(object["e"]))
            let significant = modulus.drop { $0 == 0 }
            guard let top = significant.first else { throw .badKey }
            guard significant.count * 8 - top.leadingZeroBitCount >= 2048 else { throw .weakKey }
            guard let key = PublicKey(rsaModulus: modulus, exponent: exponent) else { throw .badKey }
            return key
        case "EC":
            guard let curve = object["crv"]?.stringValue, ["P-256", "P-384", "P-521"].contains(curve) else {
                throw .unsupportedCurve
            }
            guard let key = PublicKey(curve: curve, x: try bytes(object["x"]), y: try bytes(object["y"])) else {
                throw .badKey
            }
            return key
        case "OKP":
            guard object["crv"]?.stringValue == "Ed25519" else { throw .unsupportedCurve }
            guard let key = PublicKey(ed25519: try bytes(object["x"])) else { throw .badKey }
            return key
        default: throw .unsupportedKeyType
        }
    }

    private static func text(_ value: JSONValue?) throws(Reason) -> String? {
        guard let value else { return nil }
        guard let text = value.stringValue else { throw .badMember }
        return text
    }

    private static func bytes(_ value: JSONValue?) throws(Reason) -> [UInt8] {
        guard let text = value?.stringValue, let bytes = Base64URL.decode(text.utf8) else { throw .badMember }
        return bytes
    }
}
