// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// A signed token (RFC 7515, compact form) taken apart, before anything believes it: steps 1 and 2 of the checks.
struct CompactToken {
    /// The most bytes of text that are looked at; the bounds of the parts leave no room for a longer token.
    static let maximumTextBytes = 40_000
    private static let maximumHeaderBytes = 4096
    private static let maximumPayloadBytes = 16_384

    let algorithm: SignatureAlgorithm
    /// `kid`; nil when the header has none.
    let keyID: KeyID
    let claims: JSONObject
    let signature: [UInt8]
    /// The bytes that were signed.
    let signedBytes: [UInt8]

    /// What the header says about the key.
    enum KeyID {
        case absent
        case named(String)
        /// `kid` is no text: no key can have it.
        case unusable
    }

    /// Takes the text apart.
    ///
    /// - Throws: `auth.invalid_token`, `auth.unsupported_algorithm`.
    init(text: UnsafeBufferPointer<UInt8>) throws(Refusal) {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, let header = Self.object(parts[0], limit: Self.maximumHeaderBytes),
            let claims = Self.object(parts[1], limit: Self.maximumPayloadBytes),
            let signature = Base64URL.decode(parts[2]), header["crit"] == nil, Self.isAccessTokenType(header["typ"]),
            let name = header["alg"]?.stringValue
        else { throw Refusal(.authInvalidToken) }
        guard let algorithm = SignatureAlgorithm(rawValue: name) else { throw Refusal(.authUnsupportedAlgorithm) }
        self.algorithm = algorithm
        self.claims = claims
        self.signature = signature
        signedBytes = Array(text[..<(parts[1].endIndex)])
        keyID =
            switch header["kid"] {
            case nil: .absent
            case .string(let text): .named(text)
            default: .unusable
            }
    }

    private static func object(_ part: Slice<UnsafeBufferPointer<UInt8>>, limit: Int) -> JSONObject? {
        guard part.count <= (limit * 4 + 2) / 3, let bytes = Base64URL.decode(part), bytes.count <= limit else {
            return nil
        }
        // What exactly is wrong with the text of a token is nobody's business.
        return (try? JSONParser.parse(bytes, limits: .init(depth: 32, values: 4096)))?.objectValue
    }

    private static func isAccessTokenType(_ value: JSONValue?) -> Bool {
        guard let value else { return true }
        guard let type = value.stringValue.map(ASCII.lowercased) else { return false }
        return type == "jwt" || type == "at+jwt"
    }
}
