// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Text as header values carry it.
package enum HeaderText {
    /// Percent-encodes `%` and every byte outside 0x20–0x7e.
    package static func encode(_ text: String) -> String {
        guard text.utf8.contains(where: { needsEscape($0) }) else { return text }
        var bytes: [UInt8] = []
        append(text, also: nil, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Joins members, sorted by bytes; the separator is encoded inside a member.
    package static func list(_ members: [String], separator: UInt8) -> String {
        if members.isEmpty { return "" }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(members.reduce(0) { $0 + $1.utf8.count + 1 })
        for member in isSorted(members) ? members : ASCII.sortedByBytes(members) {
            if !bytes.isEmpty { bytes.append(separator) }
            append(member, also: separator, to: &bytes)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func isSorted(_ members: [String]) -> Bool {
        for index in members.indices.dropFirst()
        where members[index].utf8.lexicographicallyPrecedes(members[index - 1].utf8) { return false }
        return true
    }

    private static func needsEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte > 0x7E || byte == UInt8(ascii: "%")
    }

    private static func append(_ text: String, also separator: UInt8?, to bytes: inout [UInt8]) {
        for byte in text.utf8 {
            guard needsEscape(byte) || byte == separator else {
                bytes.append(byte)
                continue
            }
            let digits: StaticString = "0123456789ABCDEF"
            bytes.append(UInt8(ascii: "%"))
            bytes.append(digits.utf8Start[Int(byte >> 4)])
            bytes.append(digits.utf8Start[Int(byte & 0x0F)])
        }
    }
}
