// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Crypto
internal import Essentials
internal import Foundation
internal import GRDB

/// Texts that are mostly identifiers, in fewer bytes, because millions of them stand in indexes. A text that ends with a UUID becomes what
/// stands before it and the UUID's 16 bytes; so what comes in the order of time stays in it, and an index grows at its end. Every other
/// text stays what it is.
enum PackedText {
    /// The longest key that is kept whole, in bytes.
    private static let longestKey = 64
    private static let keptOfLonger = 32
    /// What a packed text ends with; no byte of a text is one of these.
    private static let (uuidMark, digestMark): (UInt8, UInt8) = (0xFF, 0xFE)

    /// - Throws: `BillingStoreError` with `constraint` for a NUL, at which the database would end the text.
    static func pack(_ text: String) throws(BillingStoreError) -> DatabaseValue {
        try pack(text, Array(text.utf8))
    }

    /// The same for a text that may be very long and is only to be told from others: its beginning and a digest stand for it.
    static func key(_ text: String) throws(BillingStoreError) -> (value: DatabaseValue, isWhole: Bool) {
        let bytes = Array(text.utf8)
        guard bytes.count > longestKey + 20 else { return (try pack(text, bytes), true) }
        try refuseNUL(bytes)
        var packed = Data(bytes.prefix(keptOfLonger))
        packed.append(contentsOf: SHA256.hash(data: bytes).prefix(16))
        packed.append(digestMark)
        return (packed.databaseValue, false)
    }

    /// The text; nil where only a digest of it was kept, or nothing.
    static func unpack(_ value: DatabaseValue) -> String? {
        switch value.storage {
        case .string(let text): return text
        case .blob(let data):
            guard data.last == uuidMark, data.count >= 17 else { return nil }
            var bytes = Array(data.dropLast(17))
            for (index, byte) in data.suffix(17).dropLast().enumerated() {
                if index == 4 || index == 6 || index == 8 || index == 10 { bytes.append(UInt8(ascii: "-")) }
                Hex.append(byte, to: &bytes)
            }
            return String(decoding: bytes, as: UTF8.self)
        default: return nil
        }
    }

    /// Refuses a text that would be cut where it has a NUL.
    static func checked(_ text: String) throws(BillingStoreError) -> String {
        guard !text.utf8.contains(0) else { throw hasNUL }
        return text
    }

    private static let hasNUL = BillingStoreError(.constraint, "A text holds a NUL")

    private static func refuseNUL(_ bytes: [UInt8]) throws(BillingStoreError) {
        if bytes.contains(0) { throw hasNUL }
    }

    private static func pack(_ text: String, _ bytes: [UInt8]) throws(BillingStoreError) -> DatabaseValue {
        try refuseNUL(bytes)
        guard bytes.count >= 36, let uuid = uuid(bytes.suffix(36)) else { return text.databaseValue }
        var packed = Data(bytes.dropLast(36))
        packed.append(contentsOf: uuid)
        packed.append(uuidMark)
        return packed.databaseValue
    }

    /// The bytes of a UUID in lower case; nil for everything else, because it could not be written again as it was.
    private static func uuid(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(16)
        var high: UInt8?
        for (index, byte) in text.enumerated() {
            if index == 8 || index == 13 || index == 18 || index == 23 {
                guard byte == UInt8(ascii: "-") else { return nil }
                continue
            }
            guard byte < UInt8(ascii: "A") || byte > UInt8(ascii: "F"), let digit = Hex.digitValue(byte) else {
                return nil
            }
            if let first = high {
                bytes.append(first << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
        return bytes
    }
}
