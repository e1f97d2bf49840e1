// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Crypto
package import Essentials

/// A private key as the command line keeps it: PKCS#8 in PEM (RFC 8410), which other tools read as well.
package struct Ed25519PrivateKey: Sendable {
    /// The id that manifests signed with it name.
    package let keyID: String
    private let seed: Redacted<[UInt8]>
    private let key: Curve25519.Signing.PrivateKey

    /// Takes the 32 bytes that everything else follows from; nil for any other number of bytes and for an id that is none.
    ///
    /// - Parameter keyID: nil = `ed25519-` and 16 hex digits of the SHA-256 of the public key.
    package init?(seed: [UInt8], keyID: String? = nil) {
        // The library's only objection is to the length.
        guard let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: seed) else { return nil }
        let id = keyID ?? "ed25519-" + Hex.encode(SHA256.hash(data: key.publicKey.rawRepresentation).prefix(8))
        guard ToolKeyRecord.isKeyID(id) else { return nil }
        self.keyID = id
        self.seed = Redacted(seed)
        self.key = key
    }

    /// Reads PEM; nil for anything but one unencrypted Ed25519 key. A line `key_id: ID` may stand before it.
    package init?(pem: [UInt8]) {
        var lines = String(decoding: pem, as: UTF8.self).split(whereSeparator: \.isNewline)
            .map { ASCII.trimmed($0) }.filter { !$0.isEmpty }
        var keyID: String?
        if let first = lines.first, first.hasPrefix(Self.idLabel) {
            keyID = ASCII.trimmed(first.dropFirst(Self.idLabel.count))
            lines.removeFirst()
        }
        guard lines.first == Self.head, lines.last == Self.foot,
            let bytes = PaddedBase64.decode(lines.dropFirst().dropLast().joined()), bytes.count == 48,
            Array(bytes.prefix(16)) == Self.prefix
        else { return nil }
        self.init(seed: Array(bytes[16...]), keyID: keyID)
    }

    /// The PEM text. It is the secret itself.
    package var pem: Redacted<[UInt8]> {
        let text = PaddedBase64.encode(Self.prefix + seed.revealed)
        return Redacted(Array("\(Self.idLabel) \(keyID)\n\(Self.head)\n\(text)\n\(Self.foot)\n".utf8))
    }

    /// The public half, 32 bytes.
    package var publicKey: [UInt8] { Array(key.publicKey.rawRepresentation) }

    /// The record that makes a server trust it; nil never, but a key of small order would be none.
    package var record: ToolKeyRecord? {
        Ed25519PublicKey(Array(key.publicKey.rawRepresentation)).map { ToolKeyRecord(keyID: keyID, publicKey: $0) }
    }

    /// The signature over the bytes.
    package func signature(of message: [UInt8]) throws -> [UInt8] { Array(try key.signature(for: message)) }

    private static let idLabel = "key_id:"
    private static let head = "-----BEGIN PRIVATE KEY-----"
    private static let foot = "-----END PRIVATE KEY-----"
    /// PrivateKeyInfo, version 0, id-Ed25519, an OCTET STRING in an OCTET STRING.
    private static let prefix: [UInt8] = [
        0x30, 0x2E, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
    ]
}
