// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// The name of a segment: `audit-{YYYYMMDDTHHMMSSZ}-{first sequence, 20 digits}.jsonl`, compressed with `.gz` behind it.
package struct SegmentName: Sendable, Hashable, Comparable {
    /// What a compressed segment's file has behind the name of the plain one.
    package static let compressedSuffix = ".gz"

    /// `20260210T080000Z`.
    package let created: String
    package let firstSequence: Int64

    package init(created: Timestamp, firstSequence: Int64) {
        self.created = created.compact
        self.firstSequence = firstSequence
    }

    /// Reads the name of a plain or compressed segment; nil for every other file.
    package init?(_ name: String) {
        let file = name.hasSuffix(Self.compressedSuffix) ? String(name.dropLast(3)) : name
        let parts = file.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "audit", parts[1].utf8.count == 16, parts[2].hasSuffix(".jsonl"),
            let sequence = Int64(parts[2].dropLast(6)), parts[2].utf8.count == 26, sequence >= 1
        else { return nil }
        let shape = parts[1].utf8.enumerated().allSatisfy { index, byte in
            switch index {
            case 8: byte == UInt8(ascii: "T")
            case 15: byte == UInt8(ascii: "Z")
            default: (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            }
        }
        guard shape else { return nil }
        created = String(parts[1])
        firstSequence = sequence
    }

    /// The file name.
    package var file: String {
        let digits = String(firstSequence)
        return "audit-\(created)-\(String(repeating: "0", count: 20 - digits.utf8.count))\(digits).jsonl"
    }

    /// The file name of the compressed segment.
    package var compressedFile: String { file + Self.compressedSuffix }

    /// When it was begun, to the second.
    var createdAt: Timestamp {
        let parts = created.utf8.map { Int($0) - 0x30 }
        func text(_ range: Range<Int>) -> String { parts[range].map(String.init).joined() }
        let date = "\(text(0..<4))-\(text(4..<6))-\(text(6..<8))"
        // A name of that shape that is no date was not made by this product; nothing is ever older than it.
        return Timestamp(rfc3339: "\(date)T\(text(9..<11)):\(text(11..<13)):\(text(13..<15))Z") ?? .latest
    }

    /// The order of the chain: by sequence, then by time.
    package static func < (left: SegmentName, right: SegmentName) -> Bool {
        left.firstSequence != right.firstSequence
            ? left.firstSequence < right.firstSequence : left.created < right.created
    }
}
