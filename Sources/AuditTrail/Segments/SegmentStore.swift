// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// The open segment of a series: appends, syncs, closes and begins anew. One thread at a time.
struct SegmentStore {
    private let directory: String
    private let writer: String
    private let hasher: ChainHasher
    private let calls: FileCalls
    /// Where the series stands, as far as it is synced.
    private(set) var position: ChainPosition
    /// The last synced entry's hash; nil before the first of this process.
    private(set) var headHash: [UInt8]?
    private(set) var syncedBytes = 0
    private var current: SegmentName?
    private var descriptor: Int32 = -1
    /// Entries of the open segment.
    private(set) var entries: Int64 = 0

    init(directory: String, writer: String, hasher: ChainHasher, calls: FileCalls, position: ChainPosition) {
        self.directory = directory
        self.writer = writer
        self.hasher = hasher
        self.calls = calls
        self.position = position
    }

    /// The open segment.
    var open: SegmentName? { current }

    /// Begins a new segment: header written and synced, then the directory.
    mutating func begin(now: Timestamp) throws(AuditError) {
        let (name, path) = unusedName(now: now)
        let opened = openForAppending(path)
        guard opened >= 0 else {
            throw AuditError(code: .unwritable, message: "cannot make the segment \(path)", errno: errno)
        }
        let header = SegmentHeader(
            writer: writer, created: now, firstSequence: position.nextSequence,
            previousSegment: position.previousSegment?.file, previousHash: position.previousHash)
        var text = JSONWriter(reserving: 512)
        let hash = CanonicalLine.append(header, hasher: hasher, to: &text)
        text.raw("\n")
        do throws(AuditError) {
            try calls.writeAll(opened, text.bytes)
            try calls.syncAll(opened)
            try AuditFiles.syncDirectory(directory)
        } catch {
            closeDescriptor(opened)
            // It holds nothing but its header, which nothing refers to.
            unlink(path)
            throw error
        }
        descriptor = opened
        current = name
        entries = 0
        syncedBytes = text.bytes.count
        position.previousHash = hash
        position.previousSegment = name
    }

    private func unusedName(now: Timestamp) -> (SegmentName, String) {
        var created = now
        while true {
            let name = SegmentName(created: created, firstSequence: position.nextSequence)
            let path = "\(directory)/\(name.file)"
            let isBehind = position.previousSegment.map { $0 < name } ?? true
            let isUnused = AuditFiles.size(path) == nil && AuditFiles.size("\(directory)/\(name.compressedFile)") == nil
            if isBehind, isUnused { return (name, path) }
            created = created.adding(seconds: 1)
        }
    }

    /// Writes the entries as one piece and syncs them.
    ///
    /// - Returns: the rows as they were written.
    mutating func append(_ drafts: [(draft: AuditDraft, at: Timestamp, id: String)]) throws(AuditError) -> [AuditRow] {
        guard descriptor >= 0 else { throw AuditError(code: .unwritable, message: "no segment is open") }
        var text = JSONWriter(reserving: drafts.count * 640)
        var hash = position.previousHash
        var sequence = position.nextSequence
        var rows: [AuditRow] = []
        rows.reserveCapacity(drafts.count)
        for item in drafts {
            let entry = AuditEntry(id: item.id, at: item.at, draft: item.draft, sequence: sequence)
            let start = text.bytes.count
            hash = CanonicalLine.append(entry, previous: hash, hasher: hasher, to: &text)
            rows.append(AuditRow(entry: entry, writer: writer, line: Array(text.bytes[start...])))
            text.raw("\n")
            sequence += 1
        }
        try calls.writeAll(descriptor, text.bytes)
        try calls.syncAll(descriptor)
        syncedBytes += text.bytes.count
        entries += Int64(drafts.count)
        position.nextSequence = sequence
        position.previousHash = hash
        headHash = hash
        return rows
    }

    /// Ends the open segment with its trailer.
    mutating func finish(now: Timestamp) throws(AuditError) {
        guard let current else { return }
        if descriptor >= 0 {
            closeDescriptor(descriptor)
            descriptor = -1
        }
        let path = "\(directory)/\(current.file)"
        // What may stand behind the last synced line was never acknowledged.
        if AuditFiles.size(path) != syncedBytes { try SegmentRecovery.cut(path, to: syncedBytes) }
        position = try SegmentRecovery.appendTrailer(
            path, entries: entries, position: position, hasher: hasher, now: now, calls: calls)
        self.current = nil
    }

    /// Ends the open segment, also after a failed write or sync, and begins the next one. It may be repeated until it succeeds.
    mutating func rotate(now: Timestamp) throws(AuditError) {
        try finish(now: now)
        try begin(now: now)
    }
}

/// `open(2)` for a new file, for places where a member of that name hides it.
private func openForAppending(_ path: String) -> Int32 {
    open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0o600)
}
