// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Crypto

/// Lower-case hexadecimal text of bytes.
package enum Hex {
    private static let digits: StaticString = "0123456789abcdef"

    /// Two lower-case digits a byte.
    package static func encode(_ bytes: some Sequence<UInt8>) -> String {
        if let text = bytes.withContiguousStorageIfAvailable({ text(of: $0) }) { return text }
        var copy: [UInt8] = []
        copy.reserveCapacity(64)
        for byte in bytes { copy.append(byte) }
        return copy.withUnsafeBufferPointer { text(of: $0) }
    }

    /// The same for a digest, whose bytes stand together.
    package static func encode(_ digest: SHA256Digest) -> String {
        digest.withUnsafeBytes { text(of: $0.bindMemory(to: UInt8.self)) }
    }

    private static func text(of bytes: UnsafeBufferPointer<UInt8>) -> String {
        String(unsafeUninitializedCapacity: bytes.count * 2) { text in
            for (index, byte) in bytes.enumerated() {
                text[2 * index] = digits.utf8Start[Int(byte >> 4)]
                text[2 * index + 1] = digits.utf8Start[Int(byte & 0x0F)]
            }
            return bytes.count * 2
        }
    }

    /// The bytes of an even number of hexadecimal digits in either case; nil for anything else.
    package static func decode(_ text: some StringProtocol) -> [UInt8]? { decode(String(text)) }

    /// The same for a whole text.
    package static func decode(_ text: String) -> [UInt8]? {
        var text = text
        return text.withUTF8 { utf8 in
            guard utf8.count.isMultiple(of: 2) else { return nil }
            var bytes: [UInt8] = []
            bytes.reserveCapacity(utf8.count / 2)
            for index in stride(from: 0, to: utf8.count, by: 2) {
                guard let high = digitValue(utf8[index]), let low = digitValue(utf8[index + 1]) else { return nil }
                bytes.append(high << 4 | low)
            }
            return bytes
        }
    }

    /// Appends two lower-case digits.
    package static func append(_ byte: UInt8, to text: inout [UInt8]) {
        text.append(digits.utf8Start[Int(byte >> 4)])
        text.append(digits.utf8Start[Int(byte & 0x0F)])
    }

    /// The value of one ASCII digit in either case; nil for any other byte.
    package static func digitValue(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
