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

    /// What a text becomes.
    private enum Packing {
        case whole
        case packed([UInt8])
        case hasNUL
    }

    /// - Throws: `BillingStoreError` with `constraint` for a NUL, at which the database would end the text.
    static func pack(_ text: String) throws(BillingStoreError) -> DatabaseValue {
        var bytes = text
        switch bytes.withUTF8(packing) {
        case .whole: return text.databaseValue
        case .packed(let packed): return Data(packed).databaseValue
        case .hasNUL: throw hasNUL
        }
    }

    /// The same for a text that may be very long and is only to be told from others: its beginning and a digest stand for it.
    static func key(_ text: String) throws(BillingStoreError) -> (value: DatabaseValue, isWhole: Bool) {
        guard text.utf8.count > longestKey + 20 else { return (try pack(text), true) }
        let bytes = Array(try checked(text).utf8)
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

    private static func packing(_ bytes: UnsafeBufferPointer<UInt8>) -> Packing {
        if bytes.contains(0) { return .hasNUL }
        guard bytes.count >= 36 else { return .whole }
        let start = bytes.count - 36
        var isUUID = false
        // A prefix, the 16 bytes and the mark.
        let packed = [UInt8](unsafeUninitializedCapacity: start + 17) { packed, count in
            isUUID = unpack(uuid: bytes, from: start, into: packed, at: start)
            guard isUUID else { return }
            for index in 0..<start { packed[index] = bytes[index] }
            packed[start + 16] = uuidMark
            count = start + 17
        }
        return isUUID ? .packed(packed) : .whole
    }

    /// Reads a UUID in lower case; false for everything else, because it could not be written again as it was.
    private static func unpack(
        uuid text: UnsafeBufferPointer<UInt8>, from start: Int, into packed: UnsafeMutableBufferPointer<UInt8>,
        at place: Int
    ) -> Bool {
        var (index, place) = (0, place)
        while index < 36 {
            if index == 8 || index == 13 || index == 18 || index == 23 {
                guard text[start + index] == UInt8(ascii: "-") else { return false }
                index += 1
                continue
            }
            guard let high = digit(text[start + index]), let low = digit(text[start + index + 1]) else { return false }
            packed[place] = high << 4 | low
            place += 1
            index += 2
        }
        return true
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}
