// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Crypto

/// A public key that may be trusted: 32 bytes in their only form, of a point that is not of small order.
package struct Ed25519PublicKey: Sendable, Hashable {
    /// The encoded point (RFC 8032).
    package let bytes: [UInt8]

    /// Takes a key; nil for anything but 32 bytes, for a y that is not below 2^255 − 19, and for points of small order: with such a key one
    /// signature fits many texts. The library itself lets those keys pass.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count == 32, Self.isReduced(bytes), !Self.isOfSmallOrder(bytes) else { return nil }
        self.bytes = bytes
    }

    /// Whether the signature is this key's over the bytes. S must be below the group order, so that nobody can make a second signature of one.
    package func verifies(_ signature: [UInt8], of message: [UInt8]) -> Bool {
        guard signature.count == 64, Self.isBelow(Array(signature[32...]), Self.groupOrder) else { return false }
        // A key that the library cannot take verifies nothing.
        guard let key = try? Curve25519.Signing.PublicKey(rawRepresentation: bytes) else { return false }
        return key.isValidSignature(signature, for: message)
    }

    private static let groupOrder: [UInt8] = [
        0xED, 0xD3, 0xF5, 0x5C, 0x1A, 0x63, 0x12, 0x58, 0xD6, 0x9C, 0xF7, 0xA2, 0xDE, 0xF9, 0xDE, 0x14, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ]
    private static let fieldPrime: [UInt8] = [0xED] + [UInt8](repeating: 0xFF, count: 30) + [0x7F]

    /// The y coordinates of the eight points of small order; those that are not below the prime are refused before.
    private static let smallOrder: [[UInt8]] = [
        [UInt8](repeating: 0, count: 32),
        [1] + [UInt8](repeating: 0, count: 31),
        [0xEC] + [UInt8](repeating: 0xFF, count: 30) + [0x7F],
        [
            0x26, 0xE8, 0x95, 0x8F, 0xC2, 0xB2, 0x27, 0xB0, 0x45, 0xC3, 0xF4, 0x89, 0xF2, 0xEF, 0x98, 0xF0, 0xD5, 0xDF,
            0xAC, 0x05, 0xD3, 0xC6, 0x33, 0x39, 0xB1, 0x38, 0x02, 0x88, 0x6D, 0x53, 0xFC, 0x05,
        ],
        [
            0xC7, 0x17, 0x6A, 0x70, 0x3D, 0x4D, 0xD8, 0x4F, 0xBA, 0x3C, 0x0B, 0x76, 0x0D, 0x10, 0x67, 0x0F, 0x2A, 0x20,
            0x53, 0xFA, 0x2C, 0x39, 0xCC, 0xC6, 0x4E, 0xC7, 0xFD, 0x77, 0x92, 0xAC, 0x03, 0x7A,
        ],
    ]

    private static func withoutSign(_ bytes: [UInt8]) -> [UInt8] { bytes.dropLast() + [bytes[31] & 0x7F] }

    private static func isReduced(_ bytes: [UInt8]) -> Bool { isBelow(withoutSign(bytes), fieldPrime) }

    private static func isOfSmallOrder(_ bytes: [UInt8]) -> Bool { smallOrder.contains(withoutSign(bytes)) }

    /// Compares numbers in little-endian bytes of one length.
    private static func isBelow(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        left.reversed().lexicographicallyPrecedes(right.reversed())
    }
}
