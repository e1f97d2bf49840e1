// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// What has to be known of a segment before it is compressed or deleted. Its chain is not checked.
struct SegmentSummary: Sendable, Hashable {
    /// Whether the last line is a trailer.
    var isClosed = false
    /// When its last entry was written; nil without entries.
    var lastEntry: Timestamp?
    /// The last entry's sequence number; without entries the one before the first that may come.
    var lastSequence: Int64 = 0
    /// The hash of the last line, to which the next segment's header is chained.
    var lastHash: [UInt8] = []

    /// - Throws: `unreadable`, `damaged`.
    static func read(_ segment: SegmentName, in directory: String) throws(AuditError) -> SegmentSummary {
        var summary = SegmentSummary()
        summary.lastSequence = segment.firstSequence - 1
        var reader = try SegmentReader(segment, in: directory)
        var goesOn = true
        while goesOn {
            let found = try reader.next { _, bytes -> Bool in
                summary.take(bytes)
                return true
            }
            goesOn = found ?? false
        }
        return summary
    }

    /// Whether there is a plain file of the segment, and a trailer at its end.
    static func isPlainAndClosed(_ segment: SegmentName, in directory: String) throws(AuditError) -> Bool {
        let path = "\(directory)/\(segment.file)"
        guard let size = AuditFiles.size(path) else { return false }
        let tail = try AuditFiles.read(path, from: max(0, size - 4096))
        guard tail.last == 0x0A, let last = tail.dropLast().split(separator: 0x0A).last else { return false }
        let line = Array(last).withUnsafeBufferPointer { SegmentLine($0) }
        if case .trailer? = line?.kind { return true }
        return false
    }

    private mutating func take(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let line = SegmentLine(bytes) else {
            isClosed = false
            return
        }
        lastHash = line.hash
        switch line.kind {
        case .header: isClosed = false
        case .entry(let sequence):
            isClosed = false
            lastSequence = sequence
            lastEntry = Self.time(of: bytes) ?? lastEntry
        case .trailer: isClosed = true
        }
    }

    /// Entries begin with their id, of a fixed length, and their time.
    private static func time(of bytes: UnsafeBufferPointer<UInt8>) -> Timestamp? {
        var scanner = LineScanner(bytes)
        guard scanner.take("{\"id\":"), scanner.string() != nil, scanner.take(",\"timestamp\":"),
            let range = scanner.string()
        else { return nil }
        return Timestamp(rfc3339: String(decoding: bytes[range].dropFirst().dropLast(), as: UTF8.self))
    }
}
