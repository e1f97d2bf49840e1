// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// The text of a stored token: prefix, id, `_`, 43 characters of secret, 6 of checksum.
package enum TokenText {
    /// Which store it belongs to.
    package enum Kind: String, Sendable {
        case serviceToken = "service_token"
        case apiKey = "api_key"
    }

    /// What a text turned out to be.
    package enum Reading: Sendable, Hashable {
        /// It does not begin like a stored token.
        case otherKind
        /// It begins like one, but its shape or checksum is wrong.
        case malformed(Kind)
        case wellFormed(Kind, id: String)
    }

    /// The number of characters of the secret (256 bits) and of the checksum.
    package static let secretLength = 43
    package static let checksumLength = 6
    /// The most bytes that any token text may have.
    package static let maximumBytes = 8192
    private static let digits: StaticString = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

    /// Reads a text. The checksum is verified, the secret of course is not.
    package static func read(_ text: String, prefixes: TokenPrefixes) -> Reading {
        var text = text
        return text.withUTF8 { read($0, prefixes: prefixes) }
    }

    /// Reads a text held as bytes.
    package static func read(_ text: UnsafeBufferPointer<UInt8>, prefixes: TokenPrefixes) -> Reading {
        guard let (kind, start) = prefixes.kind(of: text) else { return .otherKind }
        let tail = 1 + secretLength + checksumLength
        let end = text.count - tail
        guard end > start, end - start <= 63, text[end] == UInt8(ascii: "_"),
            isIdentifier(UnsafeBufferPointer(rebasing: text[start..<end]))
        else { return .malformed(kind) }
        for byte in text[(end + 1)...] where !isAlphanumeric(byte) { return .malformed(kind) }
        let split = text.count - checksumLength
        var checksum = Int(CRC32.of(UnsafeBufferPointer(rebasing: text[..<split])))
        for index in stride(from: text.count - 1, through: split, by: -1) {
            guard text[index] == digits.utf8Start[checksum % 62] else { return .malformed(kind) }
            checksum /= 62
        }
        return .wellFormed(kind, id: String(decoding: text[start..<end], as: UTF8.self))
    }

    /// The whole text of prefix (everything before the id), id and secret.
    package static func make(prefix: String, id: String, secret: String) -> Redacted<String> {
        let body = Array("\(prefix)\(id)_\(secret)".utf8)
        let checksum = body.withUnsafeBufferPointer { checksumDigits(CRC32.of($0)) }
        return Redacted(String(decoding: body + checksum, as: UTF8.self))
    }

    /// A new text with a fresh secret.
    package static func generate(prefix: String, id: String, random: some RandomSource) -> Redacted<String> {
        make(prefix: prefix, id: id, secret: random.text(secretLength, from: digits))
    }

    /// A new id: 16 characters `[a-z0-9]`.
    package static func generateIdentifier(random: some RandomSource) -> String {
        random.text(16, from: "abcdefghijklmnopqrstuvwxyz0123456789")
    }

    /// Whether a text is `[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?`.
    package static func isIdentifier(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { isIdentifier($0) }
    }

    private static func isIdentifier(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let first = text.first, let last = text.last, text.count <= 63, isLowerAlphanumeric(first),
            isLowerAlphanumeric(last)
        else { return false }
        for byte in text where !isLowerAlphanumeric(byte) && byte != UInt8(ascii: "-") { return false }
        return true
    }

    static func isLowerAlphanumeric(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        isLowerAlphanumeric(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
    }

    /// Base 62, six digits, left-filled with `0`.
    private static func checksumDigits(_ checksum: UInt32) -> [UInt8] {
        var rest = Int(checksum)
        var result = [UInt8](repeating: 0x30, count: checksumLength)
        for index in stride(from: checksumLength - 1, through: 0, by: -1) {
            result[index] = digits.utf8Start[rest % 62]
            rest /= 62
        }
        return result
    }
}
