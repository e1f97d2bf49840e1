// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Writes the lines of a segment in their canonical form. Lines carry no LF here.
package enum CanonicalLine {
    /// The members of an entry that stand before its `sequence`, as an open object.
    static func append(_ entry: AuditEntry, previous: [UInt8], hasher: ChainHasher, to writer: inout JSONWriter)
        -> [UInt8]
    {
        let start = writer.bytes.count
        writer.raw("{\"id\":")
        writer.string(entry.id)
        writer.raw(",\"timestamp\":")
        writer.string(entry.at.rfc3339Micros)
        writer.raw(",\"actor\":")
        writer.string(entry.draft.actor)
        writer.raw(",\"action\":")
        writer.string(entry.draft.action)
        writer.raw(",\"resource\":")
        writer.string(entry.draft.resource)
        writer.raw(",\"outcome\":")
        writer.string(entry.draft.outcome.rawValue)
        writer.raw(",\"metadata\":")
        writer.object(entry.draft.metadata, sortedNames: true)
        writer.raw(",\"ip\":")
        writer.string(entry.draft.ip)
        writer.raw(",\"session_id\":")
        writer.string(entry.draft.sessionID)
        writer.raw(",\"tenant\":")
        writer.string(entry.draft.tenant)
        writer.raw(",\"request_id\":")
        writer.string(entry.draft.requestID)
        writer.raw(",\"sequence\":")
        writer.integer(entry.sequence)
        return seal(from: start, previous: previous, hasher: hasher, writer: &writer)
    }

    static func append(_ header: SegmentHeader, hasher: ChainHasher, to writer: inout JSONWriter) -> [UInt8] {
        let start = writer.bytes.count
        writer.raw("{\"segment\":1,\"writer\":")
        writer.string(header.writer)
        writer.raw(",\"created\":")
        writer.string(header.created.rfc3339)
        writer.raw(",\"first_sequence\":")
        writer.integer(header.firstSequence)
        writer.raw(",\"prev_segment\":")
        writer.string(header.previousSegment)
        writer.raw(",\"alg\":")
        writer.string(hasher.algorithm)
        writer.raw(",\"key_id\":")
        writer.string(hasher.keyID)
        return seal(from: start, previous: header.previousHash, hasher: hasher, writer: &writer)
    }

    static func append(_ trailer: SegmentTrailer, hasher: ChainHasher, to writer: inout JSONWriter) -> [UInt8] {
        let start = writer.bytes.count
        writer.raw("{\"segment_end\":1,\"last_sequence\":")
        writer.integer(trailer.lastSequence)
        writer.raw(",\"entries\":")
        writer.integer(trailer.entries)
        writer.raw(",\"closed\":")
        writer.string(trailer.closed.rfc3339)
        return seal(from: start, previous: trailer.previousHash, hasher: hasher, writer: &writer)
    }

    private static func seal(
        from start: Int, previous: [UInt8], hasher: ChainHasher, writer: inout JSONWriter
    ) -> [UInt8] {
        writer.raw(",\"prev_hash\":\"")
        writer.raw(previous)
        writer.raw("\"")
        let hash = writer.bytes.withUnsafeBytes {
            hasher.digest(openObject: UnsafeRawBufferPointer(rebasing: $0[start...]))
        }
        writer.raw(",\"hash\":\"")
        writer.raw(hash)
        writer.raw("\"}")
        return hash
    }
}

/// What stands in the first line of a segment.
package struct SegmentHeader: Sendable {
    package var writer: String
    package var created: Timestamp
    package var firstSequence: Int64
    /// The file before, without `.gz`; nil in a writer's very first segment.
    package var previousSegment: String?
    /// 64 hex digits.
    package var previousHash: [UInt8]

    package init(
        writer: String, created: Timestamp, firstSequence: Int64, previousSegment: String?, previousHash: [UInt8]
    ) {
        self.writer = writer
        self.created = created
        self.firstSequence = firstSequence
        self.previousSegment = previousSegment
        self.previousHash = previousHash
    }
}

/// What stands in the last line of a closed segment.
package struct SegmentTrailer: Sendable {
    package var lastSequence: Int64
    package var entries: Int64
    package var closed: Timestamp
    /// 64 hex digits.
    package var previousHash: [UInt8]

    package init(lastSequence: Int64, entries: Int64, closed: Timestamp, previousHash: [UInt8]) {
        self.lastSequence = lastSequence
        self.entries = entries
        self.closed = closed
        self.previousHash = previousHash
    }
}
