// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Crypto
internal import Essentials

/// The SHA-256 of a secret: all that is kept of one. Two of them are compared in constant time.
package struct SecretDigest: Sendable {
    private let words: (UInt64, UInt64, UInt64, UInt64)

    /// The digest of the bytes.
    package init(of text: UnsafeBufferPointer<UInt8>) {
        var hasher = SHA256()
        hasher.update(bufferPointer: UnsafeRawBufferPointer(text))
        words = hasher.finalize().withUnsafeBytes(Self.words)
    }

    /// The digest of the text's UTF-8 bytes.
    package init(of text: String) {
        var text = text
        self = text.withUTF8 { SecretDigest(of: $0) }
    }

    /// Takes 64 hexadecimal digits; nil for anything else.
    package init?(hex: String) {
        guard let bytes = Hex.decode(hex), bytes.count == 32 else { return nil }
        words = bytes.withUnsafeBytes(Self.words)
    }

    private static func words(_ bytes: UnsafeRawBufferPointer) -> (UInt64, UInt64, UInt64, UInt64) {
        (
            bytes.loadUnaligned(as: UInt64.self), bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
            bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self),
            bytes.loadUnaligned(fromByteOffset: 24, as: UInt64.self)
        )
    }

    /// 64 lower-case hexadecimal digits.
    package var hex: String { withUnsafeBytes(of: words) { Hex.encode($0) } }

    /// Whether both are the same; takes as long whether they are or not.
    @inline(never)
    package func matches(_ other: SecretDigest) -> Bool {
        (words.0 ^ other.words.0) | (words.1 ^ other.words.1) | (words.2 ^ other.words.2) | (words.3 ^ other.words.3)
            == 0
    }

    /// Matches no secret that anybody knows; compared with where there is nothing else to compare with.
    package static let dummy = SecretDigest(of: "")
}
