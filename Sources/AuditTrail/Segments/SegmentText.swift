// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// A whole segment as text: what a writer would have written. For checks of the format and for tools.
package enum SegmentText {
    /// The lines without LF; without `closed` there is no trailer.
    package static func lines(
        writer name: String, created: Timestamp, firstSequence: Int64, previousSegment: String?, previousHash: String,
        entries: [(id: String, at: Timestamp, draft: AuditDraft)], closed: Timestamp?,
        hasher: ChainHasher = ChainHasher(key: nil)
    ) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        let header = SegmentHeader(
            writer: name, created: created, firstSequence: firstSequence, previousSegment: previousSegment,
            previousHash: Array(previousHash.utf8))
        var text = JSONWriter(reserving: 512)
        var hash = CanonicalLine.append(header, hasher: hasher, to: &text)
        lines.append(text.bytes)
        var sequence = firstSequence
        for item in entries {
            var text = JSONWriter(reserving: 640)
            let entry = AuditEntry(id: item.id, at: item.at, draft: item.draft, sequence: sequence)
            hash = CanonicalLine.append(entry, previous: hash, hasher: hasher, to: &text)
            lines.append(text.bytes)
            sequence += 1
        }
        if let closed {
            var text = JSONWriter(reserving: 320)
            let trailer = SegmentTrailer(
                lastSequence: sequence - 1, entries: Int64(entries.count), closed: closed, previousHash: hash)
            _ = CanonicalLine.append(trailer, hasher: hasher, to: &text)
            lines.append(text.bytes)
        }
        return lines
    }
}
