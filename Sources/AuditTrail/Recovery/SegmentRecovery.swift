// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// What was done at start, for the entries about it.
struct RecoveryReport: Sendable {
    /// A torn tail was moved aside.
    var torn: (file: String, bytes: Int)?
    /// A segment that is damaged in its middle was left as it is.
    var corrupt: String?
}

/// Where a series goes on.
struct ChainPosition: Sendable {
    var nextSequence: Int64 = 1
    var previousHash = Array(ChainHasher.zeros.utf8)
    var previousSegment: SegmentName?
}

/// Brings a writer's directory into a state in which a new segment can be begun.
enum SegmentRecovery {
    static func recover(
        directory: String, hasher: ChainHasher, now: Timestamp
    ) throws(AuditError) -> (position: ChainPosition, report: RecoveryReport) {
        var report = RecoveryReport()
        var segments = try AuditFiles.segments(in: directory)
        while let newest = segments.popLast() {
            let path = "\(directory)/\(newest.file)"
            let scan = try SegmentScan.read(newest, in: directory, hasher: hasher)
            if let key = scan.needsKey {
                // The chain of a closed segment goes on from its trailer; one that is open cannot be ended without its key.
                guard let position = try closedTail(newest, in: directory) else {
                    throw AuditError(code: .key, message: "\(path) was begun with the key \(key) and is still open")
                }
                return (position, report)
            }
            let isPacked = AuditFiles.size(path) == nil
            guard let hash = scan.lastHash, let next = scan.nextSequence else {
                guard !isPacked else {
                    throw AuditError(code: .unreadable, message: "nothing can be read of \(path).gz; move it away")
                }
                try setAside(path, from: 0, now: now)
                if scan.size > 0 { report.torn = (newest.file, scan.size) }
                guard unlink(path) == 0 else {
                    throw AuditError(code: .unwritable, message: "cannot remove the empty \(path)", errno: errno)
                }
                try AuditFiles.syncDirectory(directory)
                continue
            }
            let position = ChainPosition(nextSequence: next, previousHash: hash, previousSegment: newest)
            // What was compressed was whole.
            if scan.isCorrupt || isPacked && (scan.tornBytes > 0 || !scan.isClosed) {
                report.corrupt = newest.file
                return (position, report)
            }
            if scan.tornBytes > 0 {
                try setAside(path, from: scan.goodEnd, now: now)
                report.torn = (newest.file, scan.tornBytes)
                try cut(path, to: scan.goodEnd)
            }
            return (scan.isClosed ? position : try close(path, scan, position, hasher: hasher, now: now), report)
        }
        return (ChainPosition(), report)
    }

    /// Ends an open segment with its trailer.
    private static func close(
        _ path: String, _ scan: SegmentScan, _ position: ChainPosition, hasher: ChainHasher, now: Timestamp
    ) throws(AuditError) -> ChainPosition {
        var lineHasher = hasher
        if case .header(_, _, "sha256", _)? = scan.header?.kind { lineHasher = ChainHasher(key: nil) }
        return try appendTrailer(
            path, entries: scan.entries, position: position, hasher: lineHasher, now: now, calls: .system)
    }

    /// Appends a trailer by name and syncs it.
    static func appendTrailer(
        _ path: String, entries: Int64, position: ChainPosition, hasher: ChainHasher, now: Timestamp, calls: FileCalls
    ) throws(AuditError) -> ChainPosition {
        let trailer = SegmentTrailer(
            lastSequence: position.nextSequence - 1, entries: entries, closed: now, previousHash: position.previousHash)
        var writer = JSONWriter(reserving: 320)
        let hash = CanonicalLine.append(trailer, hasher: hasher, to: &writer)
        writer.raw("\n")
        let descriptor = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw AuditError(code: .unwritable, message: "cannot open \(path)", errno: errno)
        }
        defer { closeDescriptor(descriptor) }
        try calls.writeAll(descriptor, writer.bytes)
        try calls.syncAll(descriptor)
        var closed = position
        closed.previousHash = hash
        return closed
    }

    /// The place behind the trailer of a segment whose hashes cannot be checked.
    private static func closedTail(_ segment: SegmentName, in directory: String) throws(AuditError) -> ChainPosition? {
        let summary = try SegmentSummary.read(segment, in: directory)
        guard summary.isClosed else { return nil }
        return ChainPosition(
            nextSequence: summary.lastSequence + 1, previousHash: summary.lastHash, previousSegment: segment)
    }

    /// Copies what stands behind an offset to a file of its own, so that nothing is lost by cutting.
    private static func setAside(_ path: String, from offset: Int, now: Timestamp) throws(AuditError) {
        let bytes = try AuditFiles.read(path, from: offset)
        guard !bytes.isEmpty else { return }
        var number = 0
        while true {
            let target = "\(path).torn-\(now.compact)\(number == 0 ? "" : "-\(number)")"
            if AuditFiles.size(target) == nil { return try AuditFiles.create(target, bytes) }
            number += 1
        }
    }

    /// Cuts a file at an offset and syncs it.
    static func cut(_ path: String, to offset: Int) throws(AuditError) {
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw AuditError(code: .unwritable, message: "cannot open \(path)", errno: errno)
        }
        defer { closeDescriptor(descriptor) }
        guard ftruncate(descriptor, off_t(offset)) == 0 else {
            throw AuditError(code: .unwritable, message: "cannot cut \(path)", errno: errno)
        }
        try FileCalls.system.syncAll(descriptor)
    }
}
