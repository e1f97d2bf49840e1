// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// The name of a segment: `audit-{YYYYMMDDTHHMMSSZ}-{first sequence, 20 digits}.jsonl`.
package struct SegmentName: Sendable, Hashable, Comparable {
    /// `20260210T080000Z`.
    package let created: String
    package let firstSequence: Int64

    package init(created: Timestamp, firstSequence: Int64) {
        self.created = created.compact
        self.firstSequence = firstSequence
    }

    /// Reads a file name; nil for every other file.
    package init?(_ file: String) {
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

    /// The order of the chain: by sequence, then by time.
    package static func < (left: SegmentName, right: SegmentName) -> Bool {
        left.firstSequence != right.firstSequence
            ? left.firstSequence < right.firstSequence : left.created < right.created
    }
}
